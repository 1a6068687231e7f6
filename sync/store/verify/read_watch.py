"""Reads the watched days, and the successful syncs that are on record, for ``verify``. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, select

from models_db.tables import sync_run_modes, sync_runs, watch_days
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.modes import MODES
from sync.catalog.verify.findings import Finding, StoredRow
from sync.catalog.verify.watch import watch_findings
from sync.catalog.watch import Success, WatchDay, days_of
from sync.store.verify.raw_rows import every_column, raw, read_rows, time


def watch_day_findings(connection: Connection, states: Sequence[StoredRow]) -> Iterator[Finding]:
    """What is wrong with ``watch_days``; ``states`` are the rows of ``sync_state``."""
    columns = watch_days.c
    rows = list(read_rows(connection, watch_days, every_column(watch_days).order_by(columns.mode, columns.day)))
    last = {str(row["mode"]): row["good_observed_at"] for row in states}
    return watch_findings(rows, _on_record(connection), last)


def _on_record(connection: Connection) -> Mapping[tuple[str, date], WatchDay]:
    by_mode = {mode: days_of(mode, _successes(connection, mode)) for mode in MODES}
    return {(mode, day): row for mode, days in by_mode.items() for day, row in days.items()}


def _successes(connection: Connection, mode: str) -> Iterator[Success]:
    """Successful syncs on record; a time that cannot be read is a finding elsewhere."""
    columns = sync_run_modes.c
    query = (
        select(raw(sync_run_modes, "stamp"), raw(sync_run_modes, "previous_success_at"))
        .join(sync_runs, sync_runs.c.run_id == columns.run_id)
        .where(columns.mode == mode, columns.is_good == 1, sync_runs.c.status.in_(APPLIED_STATUSES))
    )
    for stamp, previous in connection.execute(query, execution_options={"stream_results": True}):
        at, before = time(stamp), time(previous)
        if isinstance(at, datetime) and (before is None or isinstance(before, datetime)):
            yield Success(at, before)
