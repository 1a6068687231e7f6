"""The result of one sync as a value."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sync.api.changes import Change, planned_change
from sync.api.plain import plain
from sync.catalog.checkpoint import Checkpoint
from sync.composition.run_line import run_line
from sync.errors import CatalogSyncError, Outcome

if TYPE_CHECKING:
    from sync.run.result import ModeResult, RunResult


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person should know of a sync: a failure, or something that is held back."""

    outcome: Outcome
    mode: str | None
    """None for a failure of the sync as a whole."""
    message: str
    """One line: what failed, the reason, and what to do. Secrets are masked."""


@dataclass(frozen=True, slots=True)
class SyncedMode:
    """The result of a sync in one mode: the columns of ``sync_run_modes``. None is what is not known."""

    mode: str
    status: str
    """``success``, ``partial``, ``held``, ``failed`` or ``superseded``."""
    hold_reason: str | None
    """Why something is held back: ``removals``, ``costs`` or ``other_catalog``."""
    held_ids: tuple[str, ...]
    """The models for which it is held back."""
    stamp: datetime | None
    """The time of the stored rows, in UTC; None if nothing was applied."""
    previous_success_at: datetime | None
    models_reported: int | None
    models_received: int | None
    models_rejected: int | None
    models_added: int | None
    models_changed: int | None
    models_removed: int | None
    removals_held: int | None
    models_listed: int | None
    """The number of listed models after the sync."""
    attempts: int
    http_status: int | None
    payload_bytes: int | None
    payload_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The result of one sync. It holds no secret; ``as_dict`` gives it as plain values for JSON."""

    outcome: Outcome
    """The row of the table of outcomes: ``int(outcome)`` is the exit code of ``catalog-sync sync``, ``label`` its name,
    ``meaning`` what happened, ``action`` what to do, ``retry_helps`` whether the same call may succeed later without
    any action, ``stored`` what of the run is stored."""
    line: str
    """The line that the command would print: what the run did, or the error if it failed as a whole."""
    error: str | None
    """The problems in one line, as on stderr; None without any."""
    problems: tuple[Problem, ...]
    status: str | None
    """``success``, ``partial``, ``held``, ``failed``, ``superseded``; ``skipped`` if another run has claimed the tick;
    None if the sync ended before it had one."""
    run_id: int | None
    """The row in ``sync_runs``; None for a dry run, and if the sync ended before it had one."""
    dry_run: bool
    observed_at: datetime | None = None
    """When the last response had arrived, in UTC; None if none did."""
    modes: tuple[SyncedMode, ...] = ()
    changes: tuple[Change, ...] = ()
    """What was stored, or what a dry run would have stored."""
    notes: tuple[str, ...] = ()
    accepted: str | None = None
    """What a person accepted and the run needed, as JSON text."""
    checkpoint: Checkpoint | None = None
    """The seals after the run, to be kept outside the database: ``checkpoint.text()``. None if nothing was sealed."""
    traceback: str | None = field(default=None, repr=False)
    """Where an unexpected error was raised, masked; None for every other outcome."""

    @property
    def ok(self) -> bool:
        """Whether the outcome is ``done``."""
        return self.outcome is Outcome.DONE

    def as_dict(self) -> dict[str, Any]:
        """The result as plain values for JSON.

        The outcome is its label, with ``exit_code`` and ``retry_helps`` beside it. Times are ISO texts in UTC,
        costs are decimal texts.
        """
        values = {each.name: plain(getattr(self, each.name)) for each in fields(self)}
        checkpoint = self.checkpoint.text() if self.checkpoint else None
        return {
            **values,
            "exit_code": int(self.outcome),
            "retry_helps": self.outcome.retry_helps,
            "checkpoint": checkpoint,
        }


def result_of_run(result: RunResult, mask: Callable[[str], str], *, dry_run: bool) -> SyncResult:
    """The value for a run that ended."""
    return SyncResult(
        outcome=result.exit_code,
        line=mask(run_line(result, dry_run=dry_run)),
        error=mask(result.message) if result.message else None,
        problems=tuple(
            Problem(error.outcome, mode.row.mode, mask(str(error))) for mode in result.modes for error in mode.errors
        ),
        status=result.status,
        run_id=result.run_id,
        dry_run=dry_run,
        observed_at=result.observed_at,
        modes=tuple(map(_synced_mode, result.modes)),
        changes=tuple(_changes(result)),
        notes=tuple(map(mask, result.notes)),
        accepted=mask(result.accepted) if result.accepted else None,
        checkpoint=result.checkpoint,
    )


def result_of_failure(
    error: CatalogSyncError,
    begun: Sequence[int],
    mask: Callable[[str], str],
    *,
    dry_run: bool,
    traceback: str | None = None,
) -> SyncResult:
    """The value for a sync that failed as a whole; ``begun`` has the ``run_id`` if the run has a row."""
    message = mask(str(error))
    return SyncResult(
        outcome=error.outcome,
        line=message,
        error=message,
        problems=(Problem(error.outcome, None, message),),
        status="failed" if begun else None,
        run_id=begun[-1] if begun else None,
        dry_run=dry_run,
        traceback=traceback,
    )


def result_of_skipped(tick: datetime | None) -> SyncResult:
    """The value for a sync whose tick another run has claimed."""
    return SyncResult(
        outcome=Outcome.DONE,
        line=f"skipped: another run has claimed the tick of {tick:%Y-%m-%dT%H:%M:%SZ}",
        error=None,
        problems=(),
        status="skipped",
        run_id=None,
        dry_run=False,
    )


def _synced_mode(mode: ModeResult) -> SyncedMode:
    columns: dict[str, Any] = mode.row.columns()
    held = tuple(json.loads(mode.row.held_ids)) if mode.row.held_ids else ()
    return SyncedMode(**{each.name: columns[each.name] for each in fields(SyncedMode)} | {"held_ids": held})


def _changes(result: RunResult) -> Iterator[Change]:
    for plan in filter(None, (mode.plan for mode in result.modes)):
        for change in plan.changes:
            for event in change.events:
                yield planned_change(plan, change, event, result.run_id)
