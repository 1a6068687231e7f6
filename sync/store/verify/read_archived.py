"""Reads what the runs recorded of their responses, for ``verify --archive``. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, select

from models_db.tables import sync_run_modes, sync_runs
from sync.catalog.verify.archive import RecordedResponse, RecordedRun
from sync.store.verify.raw_rows import raw, time, tolerate_bad_utf8

_ROWS_PER_BATCH = 2000
_RUN = ("status", "trigger_kind", "started_at", "finished_at", "observed_at", "source_catalog_id", "source_run_id")
_MODE = ("mode", "payload_sha256", "payload_bytes", "http_status", "asked_at")


def recorded_runs(connection: Connection) -> Iterator[RecordedRun]:
    """Every run in the order of ``run_id``. Holds some of them at a time."""
    last = 0
    while rows := _rows_after(connection, last):
        for run_id, group in groupby(rows, key=lambda row: row.run_id):
            last = run_id
            yield _run(list(group))


def _rows_after(connection: Connection, last: int) -> list[Row[Any]]:
    """The rows of the next runs, each run with all of its modes."""
    ids = select(sync_runs.c.run_id).where(sync_runs.c.run_id > last).order_by(sync_runs.c.run_id)
    known = connection.scalars(ids.limit(_ROWS_PER_BATCH)).all()
    if not known:
        return []
    query = (
        select(
            sync_runs.c.run_id,
            *(raw(sync_runs, name).label(f"run_{name}") for name in _RUN),
            *(raw(sync_run_modes, name) for name in _MODE),
        )
        .select_from(sync_runs.outerjoin(sync_run_modes))
        .where(sync_runs.c.run_id.between(known[0], known[-1]))
        .order_by(sync_runs.c.run_id, sync_run_modes.c.mode)
    )
    with tolerate_bad_utf8(connection):
        return list(connection.execute(query).all())


def _run(rows: list[Row[Any]]) -> RecordedRun:
    first = rows[0]
    source = None if first.run_source_run_id is None else (first.run_source_catalog_id, first.run_source_run_id)
    return RecordedRun(
        run_id=first.run_id,
        source=source,
        status=first.run_status,
        trigger_kind=first.run_trigger_kind,
        started_at=time(first.run_started_at),
        finished_at=time(first.run_finished_at),
        observed_at=time(first.run_observed_at),
        modes={
            row.mode: RecordedResponse(row.payload_sha256, row.payload_bytes, row.http_status, time(row.asked_at))
            for row in rows
            if row.mode is not None
        },
    )
