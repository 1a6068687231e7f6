"""What a run came to: the row of each mode, the status of the whole, and the errors to report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.model.records import Rejected
from sync.catalog.response.parsed import ParsedResponse
from sync.catalog.text import one_line
from sync.errors import (
    CatalogSyncError,
    ExitCode,
    RemovalsHeld,
    ResponseRejected,
    Superseded,
    worst,
)
from sync.run.decide import Decision
from sync.store.runs import ModeRow

_MESSAGE_LIMIT = 2000
_NAMED_REJECTS = 5
_MODE = "\0"  # stands for the mode where two texts are compared


class ModeFetch(Struct, frozen=True):
    """How a mode's answer, or the lack of one, came about."""

    mode: str
    asked_at: datetime | None
    attempts: int = 0
    http_status: int | None = None
    error: CatalogSyncError | None = None
    """Why there is no answer that can be used."""
    answer: ParsedResponse | None = None
    payload: bytes | None = None
    """What came, where no answer could be made of it."""


class ModeResult(Struct, frozen=True):
    """One mode of a run: its row, its plan when it was applied, and the errors it ends with."""

    row: ModeRow
    plan: ModePlan | None
    errors: tuple[CatalogSyncError, ...]


class RunResult(Struct, frozen=True):
    """A finished run. ``run_id`` is None for a dry run, which leaves no row."""

    run_id: int | None
    status: str
    observed_at: datetime | None
    modes: tuple[ModeResult, ...]
    notes: tuple[str, ...]

    @property
    def errors(self) -> tuple[CatalogSyncError, ...]:
        return tuple(error for mode in self.modes for error in mode.errors)

    @property
    def message(self) -> str | None:
        """What is wrong, in one line; None when nothing is."""
        return message((mode.row.mode, error) for mode in self.modes for error in mode.errors)

    @property
    def exit_code(self) -> ExitCode:
        return worst(error.exit_code for error in self.errors)


def make_result(
    run_id: int | None,
    observed_at: datetime | None,
    asked: Iterable[ModeFetch],
    decision: Decision,
    previous_success: Mapping[str, datetime | None],
) -> RunResult:
    """The result of a run from its parts."""
    held = sum(plan.removals_held for plan in decision.plans.values())
    modes = tuple(
        _mode_result(
            _asked_row(mode, previous_success[mode.mode]),
            mode.error or decision.failures.get(mode.mode),
            decision.plans.get(mode.mode),
            held,
        )
        for mode in asked
    )
    notes = tuple(note for plan in decision.plans.values() for note in plan.notes)
    return RunResult(run_id, combined_status([mode.row.status for mode in modes]), observed_at, modes, notes)


def combined_status(statuses: Sequence[str]) -> str:
    """The status of a run from those of its modes."""
    present = set(statuses)
    if len(present) == 1:
        return statuses[0]
    return "held" if present == {"success", "held"} else "partial"


def primary_error(errors: Sequence[CatalogSyncError]) -> CatalogSyncError | None:
    """The error that decides the exit code of a run."""
    code = worst(error.exit_code for error in errors)
    return next((error for error in errors if error.exit_code == code), None)


def message(errors: Iterable[tuple[str, CatalogSyncError]]) -> str | None:
    """Errors by mode in one line for a person or a row, what befell both modes told once; None without any."""
    told: dict[str, list[str]] = {}
    for mode, error in errors:
        told.setdefault(str(error).replace(f"mode {mode}", _MODE), []).append(mode)
    lines = (text.replace(_MODE, f"mode{'s'[: len(modes) - 1]} {' and '.join(modes)}") for text, modes in told.items())
    return "; also: ".join(lines) or None


def storable_message(words: str, mask: Callable[[str], str]) -> str:
    """A message as a run's row keeps it. Masked before it is cut: a part of a secret would not be known."""
    return one_line(mask(words), _MESSAGE_LIMIT)


def _asked_row(asked: ModeFetch, previous: datetime | None) -> ModeRow:
    answer = asked.answer
    row = ModeRow(
        mode=asked.mode,
        status="failed",
        attempts=asked.attempts,
        http_status=asked.http_status,
        asked_at=asked.asked_at,
        previous_success_at=previous,
    )
    if answer is None:
        return row if asked.payload is None else _with_bad_answer(row, asked.payload, asked.error)
    return replace(
        row,
        models_reported=answer.reported,
        models_received=answer.reported,
        payload_bytes=answer.payload_bytes,
        payload_sha256=answer.payload_sha256,
    )


def _with_bad_answer(row: ModeRow, payload: bytes, error: CatalogSyncError | None) -> ModeRow:
    """What can be said of an answer that was not taken: an auditor may have kept it."""
    counts = error if isinstance(error, ResponseRejected) else None
    return replace(
        row,
        models_reported=counts.reported if counts else None,
        models_received=counts.received if counts else None,
        payload_bytes=len(payload),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
    )


def _mode_result(row: ModeRow, error: CatalogSyncError | None, plan: ModePlan | None, held: int) -> ModeResult:
    if error is not None:
        return ModeResult(row, None, (error,))
    if plan is None:
        row = replace(row, status="superseded")
        return ModeResult(row, None, (_superseded(row.mode),))
    row = replace(
        row,
        status=plan.status,
        models_rejected=len(plan.rejected),
        models_added=plan.count("added", "relisted"),
        models_changed=plan.count("changed"),
        models_removed=plan.count("removed"),
        removals_held=plan.removals_held,
    )
    return ModeResult(row, plan, tuple(_plan_errors(plan, held)))


def _superseded(mode: str) -> Superseded:
    return Superseded(f"another run stored its look at mode {mode} while this one was asking; nothing to do")


def _plan_errors(plan: ModePlan, held: int) -> Iterator[CatalogSyncError]:
    if plan.rejected:
        told = list(dict.fromkeys(_rejected(model) for model in plan.rejected))
        named, more = "; ".join(told[:_NAMED_REJECTS]), len(told) - _NAMED_REJECTS
        yield ResponseRejected(
            f"{len(plan.rejected)} of {plan.response.reported} {plan.mode} models were rejected and kept as stored:"
            f" {named}{f'; and {more} more' if more > 0 else ''}; tell the API's maintainers"
        )
    if plan.removals_held:
        yield RemovalsHeld(
            f"{plan.removals_held} {plan.mode} models are missing from an answer with {plan.response.reported}:"
            f" kept, all else was applied; if they are truly gone, run once with --accept-removals {held}"
        )


def _rejected(model: Rejected) -> str:
    return f"{'a model' if model.model_id is None else repr(model.model_id)} ({model.reason})"
