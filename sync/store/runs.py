"""The rows that tell of runs: begun, ended, and what each mode came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnClause, Connection, column, exists, func, insert, select, table, update

from models_db import migrate
from models_db.dialects import insert_absent
from models_db.tables import calendar_days, sync_run_modes, sync_runs, sync_state
from sync.catalog.changes.mode_plan import ModePlan
from sync.errors import UsageError

_DAY = timedelta(days=1)
_REVISION: ColumnClause[str] = column("version_num")
_IS_AT_HEAD = exists().select_from(table(migrate.VERSION_TABLE, _REVISION)).where(_REVISION == migrate.HEAD)


class RunStart(Struct, frozen=True):
    """A run as it begins."""

    started_at: datetime
    trigger_kind: str
    base_url: str | None
    app_version: str


class RunEnd(Struct, frozen=True):
    """A run as it ends; times in UTC, the message in one line with secrets masked."""

    status: str
    finished_at: datetime
    observed_at: datetime | None
    error_type: str | None = None
    error_message: str | None = None
    note: str | None = None


class ModeRow(Struct, frozen=True):
    """What a run came to in one mode: the columns of ``sync_run_modes``."""

    mode: str
    status: str
    attempts: int = 0
    http_status: int | None = None
    asked_at: datetime | None = None
    previous_success_at: datetime | None = None
    models_reported: int | None = None
    models_received: int | None = None
    models_rejected: int | None = None
    models_added: int | None = None
    models_changed: int | None = None
    models_removed: int | None = None
    removals_held: int | None = None
    payload_bytes: int | None = None
    payload_sha256: str | None = None

    def columns(self) -> dict[str, object]:
        return asdict(self)


def begin_run(connection: Connection, start: RunStart) -> int:
    """Writes the run as running and gives its number."""
    result = connection.execute(insert(sync_runs).values(status="running", **asdict(start)))
    key = result.inserted_primary_key
    if key is None:
        raise RuntimeError("the database gave no run_id")
    return int(key[0])


def end_run(connection: Connection, run_id: int, end: RunEnd, mode_rows: Iterable[ModeRow]) -> None:
    """Writes the run's end, over ``abandoned`` too: whoever writes it is alive."""
    connection.execute(update(sync_runs).where(sync_runs.c.run_id == run_id).values(**asdict(end)))
    rows = [{"run_id": run_id, **row.columns()} for row in mode_rows]
    if rows:
        connection.execute(insert(sync_run_modes), rows)


def abandon_unfinished(connection: Connection, run_id: int, now: datetime) -> None:
    """Marks runs that began before this one and never ended; one that is alive will write over it."""
    unfinished = (sync_runs.c.status == "running") & (sync_runs.c.run_id < run_id)
    connection.execute(update(sync_runs).where(unfinished).values(status="abandoned", finished_at=now))


def advance_state(connection: Connection, run_id: int, plan: ModePlan, asked_at: datetime) -> None:
    """Moves the mode's check-and-set row on, last of all that the mode writes; only a success is a good look.

    Raises ``UsageError`` when the schema was brought to another revision since the database was
    opened: what was written for the old one may lack what the new one needs.
    """
    values: dict[str, object] = {"version": sync_state.c.version + 1, "observed_at": plan.stamp, "run_id": run_id}
    if plan.status == "success":
        values |= {"good_asked_at": asked_at, "good_observed_at": plan.stamp}
    found = connection.execute(update(sync_state).where(sync_state.c.mode == plan.mode, _IS_AT_HEAD).values(values))
    if not found.rowcount:
        raise UsageError(
            f"the schema came to revision {migrate.current_revision(connection)} while this run was at work, this"
            f" program needs {migrate.HEAD}: nothing was stored; run again with the program that migrated it"
        )


def fill_calendar(connection: Connection, up_to: datetime) -> None:
    """Adds the UTC days up to the one of this moment, without a gap to those already there."""
    day = up_to.astimezone(UTC).date()
    first, last = connection.execute(select(func.min(calendar_days.c.day), func.max(calendar_days.c.day))).one()
    days = list(_missing_days(day, first, last))
    if days:
        # A run of the other mode may be adding the same day.
        connection.execute(insert_absent(connection, calendar_days), [_calendar_row(missing) for missing in days])


def _missing_days(day: date, first: date | None, last: date | None) -> Iterator[date]:
    if first is None or last is None:
        yield day
    elif day > last:
        yield from _days(last + _DAY, day)
    elif day < first:
        yield from _days(day, first - _DAY)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + number * _DAY


def _calendar_row(day: date) -> dict[str, object]:
    start = datetime.combine(day, time(), UTC)
    return {"day": day, "day_start_at": start, "day_end_at": start + _DAY}
