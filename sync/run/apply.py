"""Writes a run's result: its plans, the check-and-set rows, the calendar, and the end of the run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from sync.catalog.checkpoint import Checkpoint
from sync.catalog.times import good_start
from sync.catalog.watch import Success
from sync.run.messages import storable_message
from sync.run.result import ModeResult, RunResult, primary_error
from sync.store import runs, write
from sync.store.database import Connection
from sync.store.runs import ModeRow
from sync.store.sealed_rows import listed_root_after
from sync.store.seals import write_seal
from sync.store.watch_days import record_success


def write_result(
    connection: Connection,
    run_id: int,
    result: RunResult,
    now: datetime,
    mask: Callable[[str], str],
    base_url: str | None = None,
) -> Checkpoint | None:
    """Writes all of a result in the caller's transaction, so that readers see the whole run or nothing of it.

    The caller holds the locks of the modes in ``result`` that have a plan. ``base_url`` is None for an import.
    Returns the checkpoint after the seal of the run; None if nothing was applied and so nothing is sealed.
    """
    plans = [mode.plan for mode in result.modes if mode.plan is not None]
    rows = [_apply(connection, run_id, mode, base_url) for mode in result.modes]
    if plans:
        runs.abandon_unfinished(connection, run_id, now)
    error, message = primary_error(result.errors), result.message
    end = runs.RunEnd(
        status=result.status,
        finished_at=now,
        observed_at=result.observed_at,
        error_type=type(error).__name__ if error else None,
        error_message=storable_message(message, mask) if message else None,
        note=mask("; ".join(result.notes)) or None,
        accepted=result.accepted and mask(result.accepted),
    )
    runs.end_run(connection, run_id, end, rows)
    return write_seal(connection, run_id, has_facts=any(plan.changes for plan in plans)) if plans else None


def _apply(connection: Connection, run_id: int, mode: ModeResult, base_url: str | None) -> ModeRow:
    """Writes the plan of a mode if it has one; returns the row of the mode, which is not written yet."""
    plan, asked_at = mode.plan, mode.row.asked_at
    if plan is None or asked_at is None:
        return mode.row
    write.apply_plan(connection, run_id, plan)
    listed_root = listed_root_after(connection, plan, mode.row.listed_root)
    start = good_start(asked_at, mode.row.response_age, mode.before.good_asked_at)
    # After the plan's rows: it also checks that no migration has changed the tables they were written to.
    runs.advance_state(connection, run_id, plan, start, base_url, listed_root)
    runs.fill_calendar(connection, plan.stamp)
    if plan.is_good:
        record_success(connection, plan.mode, Success(plan.stamp, mode.before.good_stamp))
    return replace(mode.row, listed_root=listed_root)
