"""The cursors of ``notify``: how far each destination was sent to, and which process sends to it now.

A claim is an UPDATE that finds the row unclaimed. It ends at its time, so that a process that died holds nothing up.
Its time is also how a process knows its own claim: whoever claims later has a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, func, select, update

from models_db.dialects import insert_valid_if_absent
from models_db.tables import notify_cursors, seals, sync_runs

LONGEST_RUN = timedelta(hours=1)
"""A run that has been running for longer has died: its row waits for the next applied run to mark it."""

# Times further ahead were written before the clock was set back, and would hold messages up until it reaches them.
LONGEST_CLAIM = timedelta(hours=1)
"""Far longer than a claim, and as far as the clocks of hosts may differ."""
LONGEST_WAIT = timedelta(hours=7)
"""Likewise, for the longest wait after failures."""


class Cursor(Struct, frozen=True):
    """A row of ``notify_cursors``, times in UTC."""

    destination: str
    last_seal_no: int | None
    last_run_id: int | None
    sent_events: int
    claimed_until: datetime | None
    failures: int
    next_try_at: datetime | None
    last_error: str | None
    updated_at: datetime

    def is_claimed(self, now: datetime) -> bool:
        return self.claimed_until is not None and now < self.claimed_until <= now + LONGEST_CLAIM

    def waits(self, now: datetime) -> bool:
        """Whether an attempt failed so lately that the next one is not due."""
        return self.next_try_at is not None and now < self.next_try_at <= now + LONGEST_WAIT

    def is_at(self, other: Cursor) -> bool:
        """Whether the same has been sent."""
        return (self.last_seal_no, self.last_run_id, self.sent_events, self.updated_at) == (
            *(other.last_seal_no, other.last_run_id, other.sent_events, other.updated_at),
        )


def read_cursors(connection: Connection, names: Iterable[str]) -> dict[str, Cursor]:
    """The cursors of these destinations, as far as there are any."""
    columns = [notify_cursors.c[name] for name in Cursor.__struct_fields__]
    rows = connection.execute(select(*columns).where(notify_cursors.c.destination.in_(list(names))))
    return {row.destination: Cursor(*row) for row in rows}


def add_cursors(connection: Connection, names: Sequence[str], now: datetime) -> None:
    """Gives each destination that has no cursor one at the present: it is told nothing of the past."""
    known = read_cursors(connection, names)
    position = {"last_seal_no": last_seal(connection), "last_run_id": last_settled_run(connection, now)}
    rows = [{"destination": name, "updated_at": now, **position} for name in names if name not in known]
    if rows:
        # Another process may add the same ones now.
        connection.execute(insert_valid_if_absent(connection, notify_cursors), rows)


def last_seal(connection: Connection) -> int | None:
    """The number of the last seal; None without any."""
    return connection.execute(select(func.max(seals.c.seal_no))).scalar()


def last_settled_run(connection: Connection, now: datetime) -> int | None:
    """The last run before which no run is still running."""
    run_id = sync_runs.c.run_id
    alive = (sync_runs.c.status == "running") & (sync_runs.c.started_at > now - LONGEST_RUN)
    first_running = connection.execute(select(func.min(run_id)).where(alive)).scalar()
    before = [] if first_running is None else [run_id < first_running]
    return connection.execute(select(func.max(run_id)).where(*before)).scalar()


def claim(
    connection: Connection, name: str, now: datetime, until: datetime, *, even_if_it_waits: bool = False
) -> Cursor | None:
    """Claims a destination until a time; its cursor, or None if another process has it or it waits.

    Called again after a COMMIT that was not answered, with the same ``until``, it finds the claim made.
    """
    row = notify_cursors.c
    is_free = row.claimed_until.is_(None) | (row.claimed_until <= now) | (row.claimed_until == until)
    is_free |= row.claimed_until > now + LONGEST_CLAIM
    is_due = row.next_try_at.is_(None) | (row.next_try_at <= now) | (row.next_try_at > now + LONGEST_WAIT)
    conditions = [row.destination == name, is_free] + ([] if even_if_it_waits else [is_due])
    # Read after it: with READ COMMITTED another process may have moved the cursor just before the claim.
    connection.execute(update(notify_cursors).where(*conditions).values(claimed_until=until))
    cursor = read_cursors(connection, [name]).get(name)
    return cursor if cursor is not None and cursor.claimed_until == until else None


def move(connection: Connection, claimed: Cursor, values: dict[str, object]) -> bool:
    """Writes to the row of a claim; whether the claim was still this process's own."""
    row = notify_cursors.c
    is_own = (row.destination == claimed.destination) & (row.claimed_until == claimed.claimed_until)
    connection.execute(update(notify_cursors).where(is_own).values(values))
    # Not by the number of rows: MariaDB counts only those that differ, and a repeated transaction changes nothing.
    found = read_cursors(connection, [claimed.destination]).get(claimed.destination)
    return found is not None and found.claimed_until in (claimed.claimed_until, values.get("claimed_until"))
