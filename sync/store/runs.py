"""Writes the rows of runs: their begin, their end, their modes, the check-and-set rows and the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnClause, Connection, column, exists, func, insert, select, table, update

from models_db import migrate
from models_db.dialects import insert_valid_if_absent
from models_db.tables import calendar_days, sync_run_modes, sync_runs, sync_state
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.model.entities import EVENT_RULES
from sync.catalog.times import is_month_end, month_of
from sync.errors import UsageError

UNFINISHED_STATUSES = ("running", "abandoned")
"""Statuses of a run without an end. It may still write its end."""

_DAY = timedelta(days=1)
_REVISION: ColumnClause[str] = column("version_num")
_IS_AT_HEAD = exists().select_from(table(migrate.VERSION_TABLE, _REVISION)).where(_REVISION == migrate.HEAD)


class RunStart(Struct, frozen=True):
    """The columns of ``sync_runs`` that are known when a run begins; the time in UTC."""

    started_at: datetime
    trigger_kind: str
    base_url: str | None
    app_version: str
    host: str | None = None
    key_fingerprint: str | None = None
    event_rules: int = EVENT_RULES
    tick: str | None = None
    """What ``sync.catalog.ticks.tick_text`` gives; None for a run that was not scheduled."""


class RunEnd(Struct, frozen=True):
    """The columns of ``sync_runs`` that are written when a run ends: times in UTC, the message one masked line."""

    status: str
    finished_at: datetime
    observed_at: datetime | None
    error_type: str | None = None
    error_message: str | None = None
    note: str | None = None
    accepted: str | None = None


class ModeRow(Struct, frozen=True):
    """The result of a run in one mode: the columns of ``sync_run_modes``."""

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
    response_age: int | None = None
    stamp: datetime | None = None
    is_good: int = 0
    hold_reason: str | None = None
    held_ids: str | None = None
    models_listed: int | None = None
    listed_root: str | None = None

    def columns(self) -> dict[str, object]:
        return asdict(self)


def begin_run(connection: Connection, start: RunStart) -> int:
    """Inserts a run with status ``running`` and without a tick, and returns its ``run_id``."""
    return insert_run(connection, {"status": "running", **asdict(start)})


def insert_run(connection: Connection, values: Mapping[str, object]) -> int:
    """Inserts a row of ``sync_runs`` and returns its ``run_id``."""
    key = connection.execute(insert(sync_runs).values(dict(values))).inserted_primary_key
    if key is None:
        raise RuntimeError("the database gave no run_id")
    return int(key[0])


def end_run(connection: Connection, run_id: int, end: RunEnd, mode_rows: Iterable[ModeRow]) -> None:
    """Writes the end of a run and the rows of its modes.

    Overwrites ``abandoned``: another run marked this one while it was slow.
    """
    connection.execute(update(sync_runs).where(sync_runs.c.run_id == run_id).values(**asdict(end)))
    rows = [{"run_id": run_id, **row.columns()} for row in mode_rows]
    if rows:
        connection.execute(insert(sync_run_modes), rows)


def fail_run(connection: Connection, run_id: int, end: RunEnd, *, gives_back_tick: bool = False) -> None:
    """Writes the failure of a run that has no end yet, and gives its tick back so that another run may claim it.

    An end that is there was written by a COMMIT whose outcome was unknown, and is the truth. The condition is part of
    the statement, which waits for such a COMMIT: read before it, the status might be an old one.
    """
    unfinished = (sync_runs.c.run_id == run_id) & sync_runs.c.status.in_(UNFINISHED_STATUSES)
    given_back: dict[str, object] = {"tick": None} if gives_back_tick else {}
    connection.execute(update(sync_runs).where(unfinished).values(asdict(end) | given_back))


def abandon_unfinished(connection: Connection, run_id: int, now: datetime) -> None:
    """Marks runs that began before this one and have no end.

    The process of such a run has died, or it is still fetching on this host or another one. A run that is
    still fetching overwrites this status with its own end.
    """
    # A run with a higher run_id began later than this one and may be fetching now.
    unfinished = (sync_runs.c.status == "running") & (sync_runs.c.run_id < run_id)
    connection.execute(update(sync_runs).where(unfinished).values(status="abandoned", finished_at=now))


def advance_state(
    connection: Connection,
    run_id: int,
    plan: ModePlan,
    good_start: datetime,
    base_url: str | None,
    listed_root: str,
) -> None:
    """Advances the mode's check-and-set row; the ``good_*`` times only for a good plan.

    ``good_start`` is that of ``sync.catalog.times``. ``base_url`` is None for an import.
    A mode that is held as a whole keeps its base URL: the response may be that of another catalog.
    This is the last statement of a mode, and raises what ``set_state`` raises.
    """
    values: dict[str, object] = {"listed_root": listed_root}
    if base_url is not None and not plan.holds_mode:
        values["base_url"] = base_url
    if plan.is_good:
        values |= {"good_asked_at": good_start, "good_observed_at": plan.stamp}
    advance_state_with(connection, run_id, plan, values)


def advance_state_with(connection: Connection, run_id: int, plan: ModePlan, values: Mapping[str, object]) -> None:
    """Advances the mode's check-and-set row, and sets these columns of it beside those that every run moves."""
    moved = {"version": sync_state.c.version + 1, "observed_at": plan.stamp, "run_id": run_id}
    set_state(connection, plan.mode, {**moved, "models_listed": plan.models_listed, **values})


def set_state(connection: Connection, mode: str, values: Mapping[str, object]) -> None:
    """Changes a mode's check-and-set row.

    Raises ``UsageError`` if the schema was migrated after the database was opened: rows written for the old
    schema may lack what the new one needs.
    """
    # A newer program may have migrated the database while this run was fetching, or be migrating it now.
    # As a condition of the UPDATE the check holds until the COMMIT: on SQLite and PostgreSQL a migration
    # waits for this transaction. MariaDB commits DDL before the revision, so a short window stays there.
    result = connection.execute(update(sync_state).where(sync_state.c.mode == mode, _IS_AT_HEAD).values(dict(values)))
    if not result.rowcount:
        raise UsageError(
            f"the run was not stored: the database was migrated to revision {migrate.current_revision(connection)}"
            f" during the run, and this program needs {migrate.HEAD}; run again with the program that migrated it"
        )


def fill_calendar(connection: Connection, up_to: datetime) -> None:
    """Adds the UTC day of this moment, and every day between it and the days already stored."""
    fill_calendar_from(connection, up_to.astimezone(UTC).date())


def fill_calendar_from(connection: Connection, day: date) -> None:
    """Adds a UTC day, and every day between it and the days already stored."""
    first, last = connection.execute(select(func.min(calendar_days.c.day), func.max(calendar_days.c.day))).one()
    days = list(_missing_days(day, first, last))
    if days:
        # A run of the other mode holds no lock that this run needs, and may insert the same day now.
        connection.execute(insert_valid_if_absent(connection, calendar_days), [_calendar_row(one) for one in days])


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
    bounds = {"day": day, "day_start_at": start, "day_end_at": start + _DAY}
    return {**bounds, "month": month_of(day), "is_month_end": int(is_month_end(day))}
