"""Carries out a mode's plan: current rows, history and change log, in the caller's transaction.

Nothing is decided here. The caller holds the mode's check-and-set row, so nobody else writes to
its models meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, Delete, Executable, Table, Update, bindparam, delete, select, update

from models_db.dialects import insert_rows
from models_db.tables import catalog_changes, credit_history, model_versions, models
from models_db.tables.metadata import metadata
from sync.catalog.changes.diff import EVENT_COLUMNS
from sync.catalog.changes.mode_plan import ModelChange, ModePlan
from sync.catalog.model.costs import OPEN_GAP_END, for_arithmetic
from sync.catalog.model.entities import MODELS, TABLES, TableShape
from sync.catalog.model.records import Record, Row
from sync.errors import DatabaseError
from sync.store.read import CHUNK, chunks

Values: TypeAlias = dict[str, object]
Pks: TypeAlias = Mapping[str, int]
Keyed = TypeVar("Keyed", Update, Delete)

_MODEL_COLUMNS = (*MODELS.values, "fingerprint")


def apply_plan(connection: Connection, run_id: int, plan: ModePlan) -> None:
    """Writes everything the plan says, stamped with the plan's time and this run.

    Some models at a time: what is sent to the database is many times what the plan holds.
    """
    for start in range(0, len(plan.changes), CHUNK):
        _apply(connection, run_id, replace(plan, changes=plan.changes[start : start + CHUNK]))


def _apply(connection: Connection, run_id: int, plan: ModePlan) -> None:
    pks = {change.model_id: change.model_pk for change in plan.changes if change.model_pk is not None}
    pks |= _insert_models(connection, plan)
    _update_models(connection, plan, pks)
    _write_rows(connection, plan.changes, pks)
    _write_versions(connection, run_id, plan, pks)
    _write_costs(connection, run_id, plan, pks)
    _write_events(connection, run_id, plan, pks)


def _insert_models(connection: Connection, plan: ModePlan) -> dict[str, int]:
    new = [change.record for change in plan.changes if change.lifecycle == "added" and change.record]
    columns = (*_MODEL_COLUMNS, "mode", "model_id", "first_seen_at")
    rows = [(*_model_values(record), plan.mode, record.model_id, plan.stamp) for record in new]
    insert_rows(connection, models, columns, rows)
    found: dict[str, int] = {}
    query = select(models.c.model_id, models.c.model_pk).where(
        models.c.mode == plan.mode, models.c.model_id.in_(bindparam("model_ids", expanding=True))
    )
    for chunk in chunks(record.model_id for record in new):
        found.update((model_id, pk) for model_id, pk in connection.execute(query, {"model_ids": chunk}))
    return found


def _update_models(connection: Connection, plan: ModePlan, pks: Pks) -> None:
    listed: list[Values] = []
    removed: list[Values] = []
    for change in plan.changes:
        pk = {"pk": pks[change.model_id]}
        if change.record is None:
            removed.append({**pk, "removed_at": plan.stamp, "last_seen_at": change.last_seen_at, "fingerprint": None})
        elif change.lifecycle != "added":
            values = dict(zip(_MODEL_COLUMNS, _model_values(change.record), strict=True))
            listed.append({**pk, **values, "removed_at": None, "last_seen_at": None})
    statement = update(models).where(models.c.model_pk == bindparam("pk"))
    _execute_many(connection, statement, listed)
    _execute_many(connection, statement, removed)


def _model_values(record: Record) -> Row:
    return *record.rows[MODELS.table][0], record.fingerprint


def _write_rows(connection: Connection, changes: Iterable[ModelChange], pks: Pks) -> None:
    """The current rows: all deletes first, children before parents, then updates and inserts."""
    work = _RowWork()
    for change in changes:
        work.add(change, pks[change.model_id])
    for shape in reversed(TABLES):
        _delete_models_rows(connection, shape, work.emptied)
        _execute_many(connection, _by_key(delete(_table(shape)), shape), work.deletes[shape.table])
    for shape in TABLES:
        if shape.values:
            renamed: Values = {value: bindparam(f"new_{value}") for value in shape.values}
            _execute_many(connection, _by_key(update(_table(shape)), shape).values(renamed), work.updates[shape.table])
        insert_rows(connection, _table(shape), ("model_pk", *shape.key, *shape.values), work.inserts[shape.table])


class _RowWork:
    """The row changes of many models gathered by table, so that each table takes a few statements."""

    def __init__(self) -> None:
        self.emptied: list[int] = []
        self.inserts: dict[str, list[Row]] = defaultdict(list)
        self.updates: dict[str, list[Values]] = defaultdict(list)
        self.deletes: dict[str, list[Values]] = defaultdict(list)

    def add(self, change: ModelChange, pk: int) -> None:
        if change.record is None or change.replaces_rows:
            self.emptied.append(pk)
        if change.record is not None and (change.replaces_rows or change.lifecycle in {"added", "relisted"}):
            for shape in TABLES:
                self._insert(shape, pk, change.record.rows[shape.table])
        elif not change.replaces_rows:
            self._change(change, pk)

    def _insert(self, shape: TableShape, pk: int, rows: Iterable[Row]) -> None:
        self.inserts[shape.table] += [(pk, *row) for row in rows]

    def _change(self, change: ModelChange, pk: int) -> None:
        shapes = {shape.table: shape for shape in TABLES}
        for rows in change.rows:
            shape = shapes[rows.table]
            self._insert(shape, pk, rows.inserts)
            names = (*(f"key_{key}" for key in shape.key), *(f"new_{value}" for value in shape.values))
            self.updates[rows.table] += [
                {"key_model_pk": pk, **dict(zip(names, row, strict=True))} for row in rows.updates
            ]
            self.deletes[rows.table] += [
                {"key_model_pk": pk, **dict(zip(names[: len(shape.key)], key, strict=True))} for key in rows.deletes
            ]


def _by_key(statement: Keyed, shape: TableShape) -> Keyed:
    table = _table(shape)
    return statement.where(*(table.c[key] == bindparam(f"key_{key}") for key in ("model_pk", *shape.key)))


def _delete_models_rows(connection: Connection, shape: TableShape, pks: list[int]) -> None:
    table = _table(shape)
    statement = delete(table).where(table.c.model_pk.in_(bindparam("pks", expanding=True)))
    for chunk in chunks(pks):
        connection.execute(statement, {"pks": chunk})


def _write_versions(connection: Connection, run_id: int, plan: ModePlan, pks: Pks) -> None:
    closed = [pks[change.model_id] for change in plan.changes if change.lifecycle in {"changed", "removed"}]
    opened = [change for change in plan.changes if change.record and change.lifecycle != "rebuilt"]
    rows = [(pks[change.model_id], change.record.raw) for change in opened if change.record]
    _move_interval(connection, _Intervals(model_versions, ("raw",)), run_id, plan, closed, rows)


def _write_costs(connection: Connection, run_id: int, plan: ModePlan, pks: Pks) -> None:
    moved = [change for change in plan.changes if change.cost_changed]
    closed = [pks[change.model_id] for change in moved if change.lifecycle in {"changed", "removed"}]
    rows = [
        (pks[change.model_id], for_arithmetic(change.record.cost), change.record.cost)
        for change in moved
        if change.record
    ]
    intervals = _Intervals(credit_history, ("default_cost", "default_cost_exact"))
    _move_interval(connection, intervals, run_id, plan, closed, rows)
    _write_gaps(connection, plan, pks)


def _write_gaps(connection: Connection, plan: ModePlan, pks: Pks) -> None:
    """Begun on the interval that a removal closed just now, ended on the one that the return of a model finds."""
    of_model = update(credit_history).where(credit_history.c.model_pk == bindparam("pk"))
    gone: list[Values] = [{"pk": pks[change.model_id]} for change in plan.changes if change.record is None]
    begun = of_model.where(credit_history.c.valid_to == plan.stamp).values(gap_to=OPEN_GAP_END)
    _execute_many(connection, begun, gone, exactly=True)
    back: list[Values] = [{"pk": pks[change.model_id]} for change in plan.changes if change.lifecycle == "relisted"]
    ended = of_model.where(credit_history.c.gap_to == OPEN_GAP_END).values(gap_to=plan.stamp)
    _execute_many(connection, ended, back, exactly=True)


class _Intervals(NamedTuple):
    """A table of half-open intervals, and what one says."""

    table: Table
    values: tuple[str, ...]


def _move_interval(
    connection: Connection, intervals: _Intervals, run_id: int, plan: ModePlan, closed: list[int], opened: Sequence[Row]
) -> None:
    """``opened`` has a model's key and what its new interval says."""
    table = intervals.table
    statement = update(table).where(table.c.open_model_pk == bindparam("pk"))
    statement = statement.values(valid_to=plan.stamp, closed_run_id=run_id)
    _execute_many(connection, statement, [{"pk": pk} for pk in closed], exactly=True)
    columns = ("model_pk", *intervals.values, "valid_from", "opened_run_id")
    insert_rows(connection, table, columns, [(*row, plan.stamp, run_id) for row in opened])


def _write_events(connection: Connection, run_id: int, plan: ModePlan, pks: Pks) -> None:
    columns = ("run_id", "not_before", "changed_at", "model_pk", "model_name", "provider", *EVENT_COLUMNS)
    rows: list[Row] = [
        (run_id, plan.not_before, plan.stamp, pks[change.model_id], change.name, change.provider, *event.values())
        for change in plan.changes
        for event in change.events
    ]
    insert_rows(connection, catalog_changes, columns, rows)


def _execute_many(connection: Connection, statement: Executable, rows: list[Values], *, exactly: bool = False) -> None:
    for chunk in chunks(rows):
        result = connection.execute(statement, chunk)
        if exactly and result.supports_sane_multi_rowcount() and result.rowcount != len(chunk):
            raise DatabaseError("the stored history lacks an open interval: nothing was stored; restore a backup")


def _table(shape: TableShape) -> Table:
    return metadata.tables[shape.table]
