"""The result of a run: the row and the errors of each mode, the status of the whole, and its exit code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sync.catalog.changes.mode_plan import ModePlan, combined_status
from sync.catalog.changes.plan import ModeWatermark
from sync.catalog.checkpoint import Checkpoint
from sync.catalog.guards import numbers_by_flag
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import CatalogSyncError, Outcome, ResponseRejected, worst
from sync.run.decide import Decision
from sync.run.messages import joined_message, plan_errors, rejection_notes, superseded_error
from sync.store.read import ModeState
from sync.store.runs import ModeRow


class ModeFetch(Struct, frozen=True):
    """What a fetch, or a line of an import, gave for one mode: a parsed response or an error."""

    mode: str
    asked_at: datetime | None
    """When the last request began, in UTC."""
    attempts: int = 0
    http_status: int | None = None
    error: CatalogSyncError | None = None
    """Why there is no usable response."""
    response: ParsedResponse | None = None
    payload: bytes | None = None
    """The body, where it could not be parsed."""
    age: int | None = None
    """The seconds for which a cache had had the response; None without an Age header."""
    notes: tuple[str, ...] = ()
    """Clauses for the run's note."""


class ModeResult(Struct, frozen=True):
    """One mode of a run: its row, its plan if it was applied, and its errors."""

    row: ModeRow
    plan: ModePlan | None
    errors: tuple[CatalogSyncError, ...]
    before: ModeWatermark
    """What the runs before left."""


class RunResult(Struct, frozen=True):
    """A finished run. ``run_id`` is None for a dry run, which leaves no row."""

    run_id: int | None
    status: str
    observed_at: datetime | None
    """When the last response had arrived, in UTC; None when none did."""
    modes: tuple[ModeResult, ...]
    notes: tuple[str, ...]
    accepted: str | None = None
    """What a person accepted and the run needed, as JSON."""
    checkpoint: Checkpoint | None = None
    """The seals after the run; None if it is not sealed, and for a dry run."""

    @property
    def errors(self) -> tuple[CatalogSyncError, ...]:
        return tuple(error for mode in self.modes for error in mode.errors)

    @property
    def message(self) -> str | None:
        """All errors in one line; None without any."""
        return joined_message((mode.row.mode, error) for mode in self.modes for error in mode.errors)

    @property
    def exit_code(self) -> Outcome:
        return worst(error.outcome for error in self.errors)


def make_result(
    run_id: int | None,
    observed_at: datetime | None,
    fetches: Iterable[ModeFetch],
    decision: Decision,
    states: Mapping[str, ModeState],
    given: Sequence[str] = (),
) -> RunResult:
    """The result of a run from its parts; ``states`` are those of the modes before the run.

    ``given`` are options by which the run accepted something, beside those of the guards.
    """
    held = numbers_by_flag(hold for plan in decision.plans.values() for hold in plan.holds)
    errors = {mode: tuple(plan_errors(plan, held, given)) for mode, plan in decision.plans.items()}
    fetches = tuple(fetches)
    modes = tuple(
        _mode_result(
            _fetch_row(fetch, states[fetch.mode]),
            fetch.error or decision.failures.get(fetch.mode),
            decision.plans.get(fetch.mode),
            errors.get(fetch.mode, ()),
            states[fetch.mode].last,
        )
        for fetch in fetches
    )
    notes = (
        *(note for fetch in fetches for note in (*fetch.notes, *_response_notes(fetch.response))),
        *(note for plan in decision.plans.values() for note in (*plan.notes, *rejection_notes(plan))),
    )
    return RunResult(run_id, combined_status([mode.row.status for mode in modes]), observed_at, modes, notes)


def primary_error(errors: Sequence[CatalogSyncError]) -> CatalogSyncError | None:
    """The error that decides the exit code of a run."""
    code = worst(error.outcome for error in errors)
    return next((error for error in errors if error.outcome == code), None)


def _response_notes(response: ParsedResponse | None) -> Iterator[str]:
    if response is not None and response.unknown_keys:
        yield f"the response for mode {response.mode} has unknown keys: {', '.join(response.unknown_keys)}"


def combined_error(errors: Sequence[tuple[str, CatalogSyncError]]) -> CatalogSyncError:
    """One error with the messages of all, each given with its mode, and with the exit code of the primary one."""
    primary = primary_error([error for _, error in errors])
    return type(primary or errors[0][1])(joined_message(errors))


def _fetch_row(fetch: ModeFetch, before: ModeState) -> ModeRow:
    """The row of a mode as far as the fetch decides it. A mode that is not applied keeps its listed models."""
    row = ModeRow(
        mode=fetch.mode,
        status="failed",
        attempts=fetch.attempts,
        http_status=fetch.http_status,
        asked_at=fetch.asked_at,
        previous_success_at=before.last.good_stamp,
        response_age=fetch.age,
        models_listed=before.models_listed,
        listed_root=before.listed_root,
    )
    if fetch.response is not None:
        # Parsing rejects a response whose number of models is not the reported total.
        return replace(
            row,
            models_reported=fetch.response.reported,
            models_received=fetch.response.reported,
            payload_bytes=fetch.response.payload_bytes,
            payload_sha256=fetch.response.payload_sha256,
        )
    return row if fetch.payload is None else _with_rejected_payload(row, fetch.payload, fetch.error)


def _with_rejected_payload(row: ModeRow, payload: bytes, error: CatalogSyncError | None) -> ModeRow:
    """The payload's hash is recorded although nothing of it was stored: an auditor may have kept the bytes."""
    counts = error if isinstance(error, ResponseRejected) else None
    return replace(
        row,
        models_reported=counts.reported if counts else None,
        models_received=counts.received if counts else None,
        payload_bytes=len(payload),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
    )


def _mode_result(
    row: ModeRow,
    error: CatalogSyncError | None,
    plan: ModePlan | None,
    errors: tuple[CatalogSyncError, ...],
    before: ModeWatermark,
) -> ModeResult:
    if error is not None:
        return ModeResult(row, None, (error,), before)
    if plan is None:
        return ModeResult(replace(row, status="superseded"), None, (superseded_error(row.mode),), before)
    row = replace(
        row,
        status=plan.status,
        models_rejected=len(plan.rejected),
        models_added=plan.count("added", "relisted"),
        models_changed=plan.count("changed"),
        models_removed=plan.count("removed"),
        removals_held=plan.removals_held,
        stamp=plan.stamp,
        is_good=int(plan.is_good),
        hold_reason=plan.hold_reason,
        held_ids=json.dumps(plan.held_ids, ensure_ascii=False) if plan.holds else None,
        models_listed=plan.models_listed,
    )
    return ModeResult(row, plan, errors, before)
