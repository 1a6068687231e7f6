"""Writes the runs of an exported history. What their texts change is written by ``sync.store.write``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Column, Connection, Table, func, insert, select, update

from models_db.dialects import insert_if_absent
from models_db.tables import (
    catalog_changes,
    credit_history,
    ignored_fields,
    models,
    rejected_models,
    sync_run_modes,
    sync_runs,
    sync_state,
)
from models_db.tables.column_types import UtcDateTime
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.export.lines import ClosedRejection, Columns, NotBefore, Value, parse_time
from sync.catalog.times import unsure_hours
from sync.catalog.watch import WatchDay
from sync.errors import UsageError
from sync.store import identity, read, runs
from sync.store.export import MODE_COLUMNS, REJECTED_COLUMNS, RUN_COLUMNS, STATE_COLUMNS
from sync.store.watch_days import replace_watch_days

_IS_NATIVE = sync_runs.c.source_catalog_id.is_(None)


class Source(Struct, frozen=True):
    """The catalog that a file was exported from."""

    catalog_id: str
    is_own: bool = False
    """Whether the file is imported into a copy of that catalog, such as one restored from a backup."""


class RecordedRun(Struct, frozen=True):
    """A run of the source that is on record."""

    run_id: int
    status: str
    is_native: bool
    """Whether it ran here, and not in the catalog that a file was exported from."""


class SettledRuns(Struct, frozen=True):
    """Runs of a source that need not be compared: they are recorded and have ended."""

    started: Mapping[int, datetime] = {}
    """When each imported run of the source started, by its number there."""
    last: int = 0
    unfinished: frozenset[int] = frozenset()

    def includes(self, run_id: int, started_at: str) -> bool:
        """Whether the run of this number has ended and is on record, or was.

        Raises ``UsageError`` when the run that was imported is another one: a source that was restored from a
        backup gives the numbers again, and its history is no longer that of which a part is here.
        """
        known = self.started.get(run_id)
        if known is not None and known != parse_time(started_at):
            raise UsageError(
                f"run {run_id} of the file started at {started_at}, and the imported run of this number at"
                f" {known.isoformat()}: the catalog was restored from a backup and went on otherwise; import the file"
                " into a new database"
            )
        return run_id < self.last and run_id not in self.unfinished


def source(connection: Connection, catalog_id: str) -> Source:
    own = identity.read_identity(connection)
    return Source(catalog_id, own is not None and own.catalog_id == catalog_id)


def settled_runs(connection: Connection, of: Source) -> SettledRuns:
    """Those that were imported. Of runs that ran here each is compared with its line."""
    columns = sync_runs.c
    imported = columns.source_catalog_id == of.catalog_id
    if of.is_own:
        return SettledRuns()
    rows = connection.execute(select(columns.source_run_id, columns.started_at, columns.status).where(imported)).all()
    unfinished = frozenset(row.source_run_id for row in rows if row.status in runs.UNFINISHED_STATUSES)
    started = {row.source_run_id: row.started_at for row in rows}
    return SettledRuns(started, max(started, default=0), unfinished)


def recorded_run(connection: Connection, of: Source, run_id: int, started_at: str) -> RecordedRun | None:
    """The run of the source with this number; None if there is none, or it was pruned."""
    columns = sync_runs.c
    query = select(columns.run_id, columns.status)
    imported = query.where(columns.source_catalog_id == of.catalog_id, columns.source_run_id == run_id)
    if row := connection.execute(imported).first():
        return RecordedRun(row.run_id, row.status, is_native=False)
    # In a copy that went on by itself, another run may have the number.
    native = query.where(columns.run_id == run_id, _IS_NATIVE, columns.started_at == parse_time(started_at))
    row = connection.execute(native).first() if of.is_own else None
    return None if row is None else RecordedRun(row.run_id, row.status, is_native=True)


def was_recorded(connection: Connection, of: Source, run_id: int) -> bool:
    """Whether a run that is not on record was: it was pruned, or left out of the file that was imported first."""
    columns = sync_runs.c
    last = connection.scalar(select(func.max(columns.source_run_id)).where(columns.source_catalog_id == of.catalog_id))
    if last is not None and run_id < last:  # prune keeps the last one
        return True
    last_native = connection.scalar(select(func.max(columns.run_id)).where(_IS_NATIVE)) if of.is_own else None
    if last_native is None or run_id > last_native:
        return False
    return connection.scalar(select(columns.run_id).where(columns.run_id == run_id, _IS_NATIVE)) is None


def last_applied_runs(connection: Connection) -> set[int]:
    """The run that was applied last to each mode."""
    return set(connection.scalars(select(sync_state.c.run_id).where(sync_state.c.run_id.is_not(None))))


def modes_continued(connection: Connection, of: Source, native: Iterable[int]) -> set[str]:
    """The modes whose last applied run is one of the source: imported from it, or among ``native``."""
    is_of_source = (sync_runs.c.source_catalog_id == of.catalog_id) | sync_runs.c.run_id.in_(list(native))
    query = select(sync_state.c.mode).join(sync_runs, sync_runs.c.run_id == sync_state.c.run_id)
    return set(connection.scalars(query.where(is_of_source)))


def write_run(connection: Connection, of: Source, source_run_id: int, run: Columns, run_id: int | None) -> int:
    """Inserts a run of the source; with ``run_id``, the end of a run that had none when it was imported."""
    values = _decoded(RUN_COLUMNS, sync_runs, run)
    if run_id is not None:
        connection.execute(update(sync_runs).where(sync_runs.c.run_id == run_id).values(values))
        return run_id
    values |= {"source_catalog_id": of.catalog_id, "source_run_id": source_run_id}
    return runs.insert_run(connection, values)


def write_mode(connection: Connection, run_id: int, row: Columns, listed_root: str | None) -> None:
    values = _decoded(MODE_COLUMNS, sync_run_modes, row)
    connection.execute(insert(sync_run_modes).values(run_id=run_id, listed_root=listed_root, **values))


def write_not_before(connection: Connection, run_id: int, plan: ModePlan, exceptions: Iterable[NotBefore]) -> None:
    """Changes ``not_before``, and what follows from it, of single changes for which it is not that of their model."""
    log, costs = catalog_changes.c, credit_history.c
    for one in exceptions:
        if one.entity is None:
            continue
        query = select(models.c.model_pk).where(models.c.mode == plan.mode, models.c.model_id == one.model_id)
        model_pk = connection.execute(query).scalar_one()
        of_field = log.field.is_(None) if one.field is None else log.field == one.field
        changed = (log.run_id == run_id, log.model_pk == model_pk, log.entity == one.entity, of_field)
        start = None if one.not_before is None else parse_time(one.not_before)
        hours = unsure_hours(start, plan.stamp)
        connection.execute(update(catalog_changes).where(*changed).values(not_before=start, unsure_hours=hours))
        is_cost = select(log.change_id).where(*changed, log.is_cost_event == 1).exists()
        opened = (costs.model_pk == model_pk, costs.valid_from == plan.stamp, is_cost)
        connection.execute(update(credit_history).where(*opened).values(possible_from=start))


def write_rejected(
    connection: Connection,
    run_id: int,
    plan: ModePlan,
    rejected: Iterable[Columns],
    no_longer_rejected: Iterable[ClosedRejection],
) -> None:
    """Closes and opens rows of ``rejected_models``."""
    columns = rejected_models.c
    for one in no_longer_rejected:
        key = (columns.mode == plan.mode, columns.raw_sha256 == one.raw_sha256)
        statement = update(rejected_models).where(*key, columns.valid_from == parse_time(one.valid_from))
        connection.execute(statement.values(valid_to=plan.stamp, closed_run_id=run_id))
    for row in rejected:
        values = _decoded(REJECTED_COLUMNS, rejected_models, row)
        connection.execute(insert(rejected_models).values(opened_run_id=run_id, **values))


def write_ignored_field(connection: Connection, row: Columns, last_stamp: datetime | None) -> None:
    """Adds an ignored field, or its end. One that begins or ends before history that is stored is left as it is."""
    columns = ignored_fields.c
    values = _decoded(tuple(columns), ignored_fields, row)
    valid_from, valid_to = values["valid_from"], values.get("valid_to")
    if last_stamp is None or valid_from > last_stamp:
        connection.execute(insert_if_absent(connection, ignored_fields), values)
    if valid_to is not None and (last_stamp is None or valid_to > last_stamp):
        key = (columns.path == values["path"], columns.valid_from == valid_from, columns.valid_to.is_(None))
        connection.execute(update(ignored_fields).where(*key).values(valid_to=valid_to, reason=values["reason"]))


def finish(
    connection: Connection,
    continued: set[str],
    states: Mapping[str, Columns],
    first_day: date | None,
    watched: Iterable[WatchDay],
) -> None:
    """Writes what does not follow from the runs that are on record, unless the mode has gone on since.

    ``watched`` are days with runs that were pruned.
    """
    days = list(watched)
    now = read.mode_states(connection, sorted(states))
    for mode, state in states.items():
        values = _decoded(STATE_COLUMNS, sync_state, state)
        if mode in continued and now[mode].last.stamp == values["observed_at"]:
            runs.set_state(connection, mode, values)
            replace_watch_days(connection, (day for day in days if day.mode == mode))
            if first_day is not None:
                runs.fill_calendar_from(connection, first_day)


def _decoded(columns: Iterable[Column[Any]], table: Table, row: Columns) -> dict[str, Any]:
    """The values of a line as the columns take them. Raises ``UsageError`` for a column that the table lacks."""
    types = {column.name: column.type for column in columns}
    if unknown := sorted(row.keys() - types.keys()):
        raise UsageError(
            f"the line cannot be imported: {table.name} has no column {unknown[0]}; import it with the version of"
            " catalog-sync that exported it, or a later one"
        )
    return {name: _value(types[name], value) for name, value in row.items()}


def _value(kind: object, value: Value) -> object:
    return parse_time(value) if isinstance(kind, UtcDateTime) and isinstance(value, str) else value
