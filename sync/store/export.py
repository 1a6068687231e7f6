"""Reads the recorded history as the lines of an export, a run at a time. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, func, select

from models_db.tables import (
    calendar_days,
    catalog_changes,
    ignored_fields,
    model_versions,
    models,
    rejected_models,
    sync_run_modes,
    sync_runs,
    sync_state,
)
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.export.lines import (
    ClosedRejection,
    Columns,
    ExportedMode,
    ExportedRun,
    NotBefore,
    parse_time,
    time_text,
    with_columns,
)
from sync.store.batches import batches

RUN_COLUMNS = tuple(
    column
    for column in sync_runs.columns
    if column.name not in {"run_id", "source_catalog_id", "source_run_id", "tick"}
)
"""The columns of a run that an export carries.

Those of another catalog have no meaning in a third one. A tick is claimed in its catalog alone: in another one it
would keep that catalog's own schedule from it.
"""
MODE_COLUMNS = tuple(column for column in sync_run_modes.columns if column.name not in {"run_id", "listed_root"})
"""The columns of a run in a mode that an export carries: an import makes its own seals."""
REJECTED_COLUMNS = tuple(
    column
    for column in rejected_models.columns
    if column.name in {"mode", "raw_sha256", "valid_from", "model_id", "raw", "reason", "not_before"}
)
STATE_COLUMNS = tuple(
    sync_state.c[name] for name in ("observed_at", "good_asked_at", "good_observed_at", "base_url", "models_listed")
)
_RUNS_PER_BATCH = 500
_MICROSECOND = timedelta(microseconds=1)
# Every column with a run that did something: all other runs are a line without texts.
_TRACES: tuple[Column[Any], ...] = (
    model_versions.c.opened_run_id,
    model_versions.c.closed_run_id,
    catalog_changes.c.run_id,
    rejected_models.c.opened_run_id,
    rejected_models.c.closed_run_id,
)


def number_of_runs(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(sync_runs)).scalar() or 0


def unknown_runs(connection: Connection, run_ids: Iterable[int]) -> list[int]:
    """The numbers of which there is no run, in order."""
    wanted = sorted(set(run_ids))
    query = select(sync_runs.c.run_id)
    known = {
        run_id for batch in batches(wanted) for run_id in connection.scalars(query.where(sync_runs.c.run_id.in_(batch)))
    }
    return [run_id for run_id in wanted if run_id not in known]


def exported_ignored_fields(connection: Connection) -> list[Columns]:
    query = select(ignored_fields).order_by(ignored_fields.c.valid_from, ignored_fields.c.path)
    return [_columns(tuple(ignored_fields.columns), row) for row in connection.execute(query)]


def exported_states(connection: Connection) -> dict[str, Columns]:
    """By mode, of those to which a run was applied."""
    query = select(sync_state.c.mode, *STATE_COLUMNS).where(sync_state.c.version > 0).order_by(sync_state.c.mode)
    return {row[0]: _columns(STATE_COLUMNS, row[1:]) for row in connection.execute(query)}


def first_calendar_day(connection: Connection) -> str | None:
    day: date | None = connection.execute(select(func.min(calendar_days.c.day))).scalar()
    return None if day is None else day.isoformat()


def exported_runs(connection: Connection) -> Iterator[ExportedRun]:
    """Every run in the order of ``run_id``. Holds some hundred runs and the texts of one at a time."""
    last, stamps = 0, _Stamps()
    while rows := _rows_after(connection, last):
        first, last = rows[0].run_id, rows[-1].run_id
        modes = _mode_rows(connection, first, last)
        changed = _runs_with_traces(connection, first, last)
        for row in rows:
            details = _Details(connection, row.run_id) if row.run_id in changed else None
            run = _columns(RUN_COLUMNS, row[1:])
            rows_by_mode = (stamps.stamped(run, columns, details) for columns in modes[row.run_id])
            yield ExportedRun(row.run_id, run, tuple(_mode(columns, details) for columns in rows_by_mode))


def _rows_after(connection: Connection, last: int) -> Sequence[Row[Any]]:
    query = select(sync_runs.c.run_id, *RUN_COLUMNS).where(sync_runs.c.run_id > last)
    return connection.execute(query.order_by(sync_runs.c.run_id).limit(_RUNS_PER_BATCH)).all()


def _mode_rows(connection: Connection, first: int, last: int) -> Mapping[int, list[Columns]]:
    run_id = sync_run_modes.c.run_id
    query = select(run_id, *MODE_COLUMNS).where(run_id.between(first, last)).order_by(run_id, sync_run_modes.c.mode)
    modes: dict[int, list[Columns]] = defaultdict(list)
    for row in connection.execute(query):
        modes[row[0]].append(_columns(MODE_COLUMNS, row[1:]))
    return modes


def _runs_with_traces(connection: Connection, first: int, last: int) -> set[int]:
    return {
        run_id
        for column in _TRACES
        for run_id in connection.scalars(select(column).where(column.between(first, last)).distinct())
    }


class _Stamps:
    """The stamps of the runs in their order, where the stored ones are not in order.

    A script that migrated the database may have left the stamp of a run without changes before the one before it.
    """

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def stamped(self, run: Columns, row: Columns, details: _Details | None) -> Columns:
        if run["status"] not in APPLIED_STATUSES or row["status"] not in APPLIED_STATUSES:
            return row
        mode = str(row["mode"])
        stamp, last = row.get("stamp") or run["observed_at"], self._last.get(mode)
        if details is not None and (changes := details.changes[mode]):
            stamp = time_text(changes[0][-2])
        elif last is not None and str(stamp) <= last:
            stamp = time_text(parse_time(last) + _MICROSECOND)
        self._last[mode] = str(stamp)
        return with_columns(row, stamp=stamp)


class _Details:
    """What one run did to models, by mode."""

    def __init__(self, connection: Connection, run_id: int) -> None:
        opened = model_versions.c.opened_run_id == run_id
        self.opened = _by_mode(connection, _of_models(model_versions.c.raw).where(opened))
        closed = model_versions.c.closed_run_id == run_id
        self.closed = _by_mode(connection, _of_models().where(closed))
        log = catalog_changes.c
        changes = _of_models(log.entity, log.field, log.changed_at, log.not_before, table=catalog_changes)
        self.changes = _by_mode(connection, changes.where(log.run_id == run_id).order_by(log.change_id))
        rejected = select(rejected_models.c.mode, *REJECTED_COLUMNS)
        self.rejected = _by_mode(connection, rejected.where(rejected_models.c.opened_run_id == run_id))
        keys = select(rejected_models.c.mode, rejected_models.c.raw_sha256, rejected_models.c.valid_from)
        self.no_longer_rejected = _by_mode(connection, keys.where(rejected_models.c.closed_run_id == run_id))


def _mode(row: Columns, details: _Details | None) -> ExportedMode:
    if details is None:
        return ExportedMode(row)
    mode = str(row["mode"])
    opened = [(str(model_id), str(raw)) for model_id, raw in details.opened[mode]]
    opened.sort()
    still_listed = {model_id for model_id, _ in opened}
    not_before, exceptions = _not_before(details.changes[mode])
    return ExportedMode(
        row,
        not_before=not_before,
        opened=tuple(opened),
        closed=tuple(sorted({model_id for (model_id,) in details.closed[mode]} - still_listed)),
        not_before_of=tuple(exceptions),
        rejected=tuple(_sorted(_columns(REJECTED_COLUMNS, row) for row in details.rejected[mode])),
        no_longer_rejected=tuple(
            ClosedRejection(sha256, time_text(valid_from))
            for sha256, valid_from in sorted(map(tuple, details.no_longer_rejected[mode]))
        ),
    )


def _not_before(changes: Sequence[Sequence[Any]]) -> tuple[str | None, Iterator[NotBefore]]:
    """The ``not_before`` of the mode, and those of changes with an earlier one.

    Earlier are changes of models that were rejected before, or of fields that were ignored.
    """
    usual = max((row[-1] for row in changes if row[-1] is not None), default=None)
    return _time(usual), _exceptions(changes, usual)


def _exceptions(changes: Sequence[Sequence[Any]], usual: datetime | None) -> Iterator[NotBefore]:
    by_model: dict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in changes:
        by_model[row[0]].append(row)
    for model_id, rows in sorted(by_model.items()):
        times = {row[-1] for row in rows}
        if times == {usual}:
            continue
        if len(times) == 1:
            yield NotBefore(model_id, _time(rows[0][-1]))
        else:
            yield from (NotBefore(model_id, _time(row[-1]), row[1], row[2]) for row in rows if row[-1] != usual)


def _of_models(*columns: ColumnElement[Any], table: Table = model_versions) -> Select[Any]:
    """A query for the mode and id of a model, and columns of a table with rows of models."""
    return select(models.c.mode, models.c.model_id, *columns).select_from(
        table.join(models, models.c.model_pk == table.c.model_pk)
    )


def _by_mode(connection: Connection, query: Select[Any]) -> Mapping[str, list[Sequence[Any]]]:
    rows: dict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        rows[row[0]].append(row[1:])
    return rows


def _sorted(rows: Iterable[Columns]) -> list[Columns]:
    return sorted(rows, key=lambda row: str(row["raw_sha256"]))


def _columns(columns: Sequence[Column[Any]], row: Sequence[Any]) -> Columns:
    """The values that are not NULL, by column."""
    return {column.name: _encoded(value) for column, value in zip(columns, row, strict=True) if value is not None}


def _encoded(value: Any) -> str | int:
    return time_text(value) if isinstance(value, datetime) else value


def _time(value: datetime | None) -> str | None:
    return None if value is None else time_text(value)
