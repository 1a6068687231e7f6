"""Reads and writes ``watch_days``."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select, update

from models_db.tables import watch_days
from sync.catalog.watch import Success, WatchDay, first_of_day


def record_success(connection: Connection, mode: str, success: Success) -> None:
    """Brings the day of a successful sync up to date.

    The caller holds the lock on the mode's check-and-set row, so no other run counts on the same row.
    """
    columns = watch_days.c
    of_day = (columns.mode == mode, columns.day == success.day)
    known = connection.execute(select(watch_days).where(*of_day)).first()
    if known is None:
        connection.execute(insert(watch_days).values(asdict(first_of_day(mode, success))))
        return
    row = WatchDay(*known).with_success(success)
    # Only what a success moves: the account of the job may change nothing else of a row.
    moved = {
        "successful_syncs": row.successful_syncs,
        "last_success_at": row.last_success_at,
        "longest_gap_seconds": row.longest_gap_seconds,
    }
    connection.execute(update(watch_days).where(*of_day).values(moved))


def read_watch_days(connection: Connection) -> list[WatchDay]:
    """Every row in the order of modes and days."""
    query = select(watch_days).order_by(watch_days.c.mode, watch_days.c.day)
    return [WatchDay(*row) for row in connection.execute(query)]


def replace_watch_days(connection: Connection, rows: Iterable[WatchDay]) -> None:
    """Puts these rows in the place of those of the same mode and day."""
    for row in rows:
        of_day = (watch_days.c.mode == row.mode, watch_days.c.day == row.day)
        connection.execute(delete(watch_days).where(*of_day))
        connection.execute(insert(watch_days).values(asdict(row)))
