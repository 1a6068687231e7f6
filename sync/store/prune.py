"""Forgetting old runs: those that nothing refers to and that went well. Some at a time, so that nobody waits long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select

from models_db.tables import sync_run_modes, sync_runs
from models_db.tables.metadata import metadata
from sync.catalog.modes import MODES
from sync.store import read
from sync.store.database import in_transaction, reading

# Runs looked at together: a step holds the check-and-set rows for some hundredths of a second.
WINDOW = 1000

# Not abandoned ones: one that is still alive writes its end over that, and else they are failures.
_WENT_WELL = ("success", "superseded")
_REFERRING = [
    column
    for table in metadata.sorted_tables
    for column in table.columns
    if column.references(sync_runs.c.run_id) and table is not sync_run_modes
]


@dataclass(frozen=True, slots=True)
class OldRuns:
    """The runs that ended before a time."""

    forgettable: int
    needed: int
    """Runs that stay: history, an import or an auditor needs them."""


def old_runs(connection: Connection, before: datetime) -> OldRuns:
    """How many runs ended before a time, and how many of them ``forget`` would take. Reads only."""
    ended = _count(connection, sync_runs.c.finished_at < before)
    forgettable = _count(connection, *_is_forgettable(before))
    return OldRuns(forgettable, ended - forgettable)


def forget(engine: Engine, before: datetime) -> Iterator[int]:
    """Deletes the runs that ended before a time, but for those that are needed; gives their number step by step.

    Needed are runs that history or ``sync_state`` refers to, those that did not go well, and those
    of an import, whose rows say that a line is recorded. Each step is a transaction of its own, so
    the caller may stop between two. Safe beside runs, and beside another one of these.
    """
    after = 0
    while True:
        with reading(engine) as connection:
            last = _window_end(connection, after)
            if last is None:
                return
            found = _found(connection, before, after, last)
        yield _forget(engine, before, after, last) if found else 0
        after = last


def _window_end(connection: Connection, after: int) -> int | None:
    """The number of the last of the next runs; None when there are no more."""
    following = select(sync_runs.c.run_id).where(sync_runs.c.run_id > after).order_by(sync_runs.c.run_id)
    return connection.execute(select(func.max(following.limit(WINDOW).subquery().c.run_id))).scalar()


def _found(connection: Connection, before: datetime, after: int, last: int) -> list[int]:
    number = sync_runs.c.run_id
    return list(connection.scalars(select(number).where(number > after, number <= last, *_is_forgettable(before))))


def _forget(engine: Engine, before: datetime, after: int, last: int) -> int:
    gone: set[int] = set()

    def work(connection: Connection, _: int) -> int:
        # As a run takes them, and first: MariaDB locks what lies beside a deleted row in the tables
        # that refer to it, and a run that writes there would be waited for while it waits.
        read.mode_states(connection, MODES, lock=True)
        # All that was found in any try: one before may have been committed without our hearing of it.
        gone.update(_found(connection, before, after, last))
        for chunk in read.chunks(sorted(gone)):
            connection.execute(delete(sync_run_modes).where(sync_run_modes.c.run_id.in_(chunk)))
            connection.execute(delete(sync_runs).where(sync_runs.c.run_id.in_(chunk)))
        return len(gone)

    return in_transaction(engine, work)


def _is_forgettable(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Such a run has ended, so nothing can come to refer to it any more."""
    return (
        sync_runs.c.finished_at < before,
        sync_runs.c.status.in_(_WENT_WELL),
        sync_runs.c.trigger_kind != "import",
        *(~select(column).where(column == sync_runs.c.run_id).exists() for column in _REFERRING),
    )


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(sync_runs).where(*conditions)).scalar() or 0
