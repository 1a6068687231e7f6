"""Writes the current rows of models: those of every table in ``sync.catalog.model.entities.TABLES``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from sqlalchemy import Connection, Delete, Table, Update, bindparam, delete, update

from models_db.dialects import insert_rows
from models_db.tables.metadata import metadata
from sync.catalog.changes.diff import RowChanges
from sync.catalog.changes.mode_plan import ModelChange
from sync.catalog.model.entities import TABLES, TableShape
from sync.catalog.model.records import Row
from sync.store.batches import batches, execute_batches

Statement = TypeVar("Statement", Update, Delete)

_SHAPES = {shape.table: shape for shape in TABLES}


def write_current_rows(connection: Connection, changes: Iterable[ModelChange], pks: Mapping[str, int]) -> None:
    """Writes the current rows of the changed models; ``pks`` has the ``model_pk`` of each by id.

    Deletes come first, since a model whose rows are replaced inserts the same keys again. They go
    from children to parents, inserts from parents to children, as the foreign keys require.
    """
    batch = _RowBatch()
    for change in changes:
        batch.add(change, pks[change.model_id])
    for shape in reversed(TABLES):
        _delete_all_rows(connection, shape, batch.emptied_models)
        execute_batches(connection, _where_key(delete(_table(shape)), shape), batch.deletes[shape.table])
    for shape in TABLES:
        if shape.values:
            new_values: dict[str, object] = {value: bindparam(f"new_{value}") for value in shape.values}
            statement = _where_key(update(_table(shape)), shape).values(**new_values)
            execute_batches(connection, statement, batch.updates[shape.table])
        insert_rows(connection, _table(shape), ("model_pk", *shape.key, *shape.values), batch.inserts[shape.table])


class _RowBatch:
    """The row changes of many models, gathered by table, so that each table takes a few statements."""

    def __init__(self) -> None:
        self.emptied_models: list[int] = []
        """``model_pk`` of models of which every current row is deleted."""
        self.inserts: dict[str, list[Row]] = defaultdict(list)
        self.updates: dict[str, list[dict[str, object]]] = defaultdict(list)
        self.deletes: dict[str, list[dict[str, object]]] = defaultdict(list)

    def add(self, change: ModelChange, pk: int) -> None:
        record = change.record
        # The rows of an older normaliser cannot be compared with new ones, so all of them are replaced.
        if record is None or change.replaces_rows:
            self.emptied_models.append(pk)
        if record is not None and (change.replaces_rows or change.lifecycle in {"added", "relisted"}):
            for shape in TABLES:
                self._add_inserts(shape, pk, record.rows[shape.table])
        elif not change.replaces_rows:
            for rows in change.rows:
                self._add_row_changes(rows, pk)

    def _add_inserts(self, shape: TableShape, pk: int, rows: Iterable[Row]) -> None:
        self.inserts[shape.table] += [(pk, *row) for row in rows]

    def _add_row_changes(self, rows: RowChanges, pk: int) -> None:
        shape = _SHAPES[rows.table]
        self._add_inserts(shape, pk, rows.inserts)
        key_names = tuple(f"key_{key}" for key in shape.key)
        names = (*key_names, *(f"new_{value}" for value in shape.values))
        self.updates[rows.table] += [{"key_model_pk": pk, **dict(zip(names, row, strict=True))} for row in rows.updates]
        self.deletes[rows.table] += [
            {"key_model_pk": pk, **dict(zip(key_names, key, strict=True))} for key in rows.deletes
        ]


def _where_key(statement: Statement, shape: TableShape) -> Statement:
    """The statement for the one row with this key; a parameter of a key column is named ``key_`` and the column."""
    table = _table(shape)
    return statement.where(*(table.c[key] == bindparam(f"key_{key}") for key in ("model_pk", *shape.key)))


def _delete_all_rows(connection: Connection, shape: TableShape, pks: list[int]) -> None:
    table = _table(shape)
    statement = delete(table).where(table.c.model_pk.in_(bindparam("pks", expanding=True)))
    for batch in batches(pks):
        connection.execute(statement, {"pks": batch})


def _table(shape: TableShape) -> Table:
    return metadata.tables[shape.table]
