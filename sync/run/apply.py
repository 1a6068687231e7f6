"""Writes a run's result: its plans, the check-and-set rows, the calendar, and the end of the run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sync.catalog.changes.mode_plan import ModePlan
from sync.run.messages import storable_message
from sync.run.result import RunResult, primary_error
from sync.store import runs, write
from sync.store.database import Connection


def write_result(
    connection: Connection, run_id: int, result: RunResult, now: datetime, mask: Callable[[str], str]
) -> None:
    """Writes all of a result in the caller's transaction, so that readers see the whole run or nothing of it.

    The caller holds the locks of the modes in ``result`` that have a plan.
    """
    applied = [(mode.plan, mode.row.asked_at) for mode in result.modes if mode.plan is not None]
    for plan, asked_at in applied:
        if asked_at is not None:
            _apply(connection, run_id, plan, asked_at)
    if applied:
        runs.abandon_unfinished(connection, run_id, now)
    error, message = primary_error(result.errors), result.message
    end = runs.RunEnd(
        status=result.status,
        finished_at=now,
        observed_at=result.observed_at,
        error_type=type(error).__name__ if error else None,
        error_message=storable_message(message, mask) if message else None,
        note="; ".join(result.notes) or None,
    )
    runs.end_run(connection, run_id, end, [mode.row for mode in result.modes])


def _apply(connection: Connection, run_id: int, plan: ModePlan, asked_at: datetime) -> None:
    write.apply_plan(connection, run_id, plan)
    # After the plan's rows: it also checks that no migration has changed the tables they were written to.
    runs.advance_state(connection, run_id, plan, asked_at)
    runs.fill_calendar(connection, plan.stamp)
