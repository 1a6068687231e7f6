"""Deletes old successful runs that nothing refers to, a window of runs at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select

from models_db.tables import sync_run_modes, sync_runs
from models_db.tables.metadata import metadata
from sync.catalog.modes import MODES
from sync.store import read
from sync.store.batches import batches
from sync.store.database import Pause, in_snapshot, in_transaction

# The run_ids of one step, which holds the check-and-set rows for some hundredths of a second.
WINDOW = 1000

# An abandoned run has failed, or is still active and will write its own end.
_DELETABLE_STATUSES = ("success", "superseded")
_REFERENCES = [
    column
    for table in metadata.sorted_tables
    for column in table.columns
    if column.references(sync_runs.c.run_id) and table is not sync_run_modes
]


@dataclass(frozen=True, slots=True)
class OldRuns:
    """Numbers of the runs that ended before a time."""

    deletable: int
    needed: int
    """Runs that stay: history, an import or an auditor needs them."""


def old_runs(connection: Connection, before: datetime) -> OldRuns:
    """The numbers of runs that ended before a time and that ``delete_old_runs`` deletes or keeps. Reads only."""
    ended = _count(connection, sync_runs.c.finished_at < before)
    deletable = _count(connection, *_is_deletable(before))
    return OldRuns(deletable, ended - deletable)


def delete_old_runs(engine: Engine, before: datetime, pause: Pause = time.sleep) -> Iterator[int]:
    """Deletes the runs that ended before a time, except those that are needed; yields the number of each step.

    A run is needed if history or ``sync_state`` refers to it, if it was not successful, if a person
    accepted something in it, or if it is an import, whose rows say which lines are stored. Each step is a
    transaction, so the caller may stop between two. Other runs, and another call of this function, may be
    active at the same time.
    """
    after = 0
    while True:
        window = in_snapshot(engine, partial(_next_window, before=before, after=after), pause=pause)
        if window is None:
            return
        # A window with nothing to delete takes no lock.
        yield _delete_window(engine, before, after, window.last, pause) if window.run_ids else 0
        after = window.last


class _Window(NamedTuple):
    last: int
    run_ids: list[int]


def _next_window(connection: Connection, before: datetime, after: int) -> _Window | None:
    last = _window_end(connection, after)
    return None if last is None else _Window(last, _deletable_ids(connection, before, after, last))


def _window_end(connection: Connection, after: int) -> int | None:
    """The last ``run_id`` of the window that begins after ``after``; None when no runs follow."""
    following = select(sync_runs.c.run_id).where(sync_runs.c.run_id > after).order_by(sync_runs.c.run_id)
    return connection.execute(select(func.max(following.limit(WINDOW).subquery().c.run_id))).scalar()


def _deletable_ids(connection: Connection, before: datetime, after: int, last: int) -> list[int]:
    run_id = sync_runs.c.run_id
    return list(connection.scalars(select(run_id).where(run_id > after, run_id <= last, *_is_deletable(before))))


def _delete_window(engine: Engine, before: datetime, after: int, last: int, pause: Pause) -> int:
    run_ids: set[int] = set()

    def work(connection: Connection, _: int) -> int:
        # A DELETE on MariaDB also locks the gaps beside the row in every table that refers to it. A sync
        # that inserts there would wait for this transaction while this one waits for the sync, so both
        # take the check-and-set rows first.
        read.lock_mode_states(connection, MODES)
        # The last attempt may have been committed although its connection broke before the server
        # reported it. The next attempt does not find its runs, so the ids of all attempts are kept and counted.
        run_ids.update(_deletable_ids(connection, before, after, last))
        for batch in batches(sorted(run_ids)):
            connection.execute(delete(sync_run_modes).where(sync_run_modes.c.run_id.in_(batch)))
            connection.execute(delete(sync_runs).where(sync_runs.c.run_id.in_(batch)))
        return len(run_ids)

    return in_transaction(engine, work, pause=pause)


def _is_deletable(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """No row can come to refer to such a run between the check and the DELETE: only a running run adds references."""
    return (
        sync_runs.c.finished_at < before,
        sync_runs.c.status.in_(_DELETABLE_STATUSES),
        sync_runs.c.trigger_kind != "import",
        # Who accepted what stays on record.
        sync_runs.c.accepted.is_(None),
        # The last run of an exported history says up to where it is recorded.
        sync_runs.c.source_run_id.is_(None) | _has_later_run_of_its_source(),
        *(~select(column).where(column == sync_runs.c.run_id).exists() for column in _REFERENCES),
    )


def _has_later_run_of_its_source() -> ColumnElement[bool]:
    later = sync_runs.alias()
    same_source = later.c.source_catalog_id == sync_runs.c.source_catalog_id
    return select(later.c.run_id).where(same_source, later.c.source_run_id > sync_runs.c.source_run_id).exists()


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(sync_runs).where(*conditions)).scalar() or 0
