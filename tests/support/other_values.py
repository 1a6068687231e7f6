"""Changes of one stored value, made from the tables themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Integer, Numeric, Update, and_, select, update

from models_db.tables.column_types import Decimals, UtcDateTime
from models_db.tables.metadata import metadata

_SOME_TIME = datetime(2024, 1, 1, 12, tzinfo=UTC)


def changes_of(connection: Connection, table_name: str, name: str) -> Iterator[Update]:
    """Statements that give a column of the last row another value: of the last that has one, and that has none."""
    table = metadata.tables[table_name]
    column, key = table.c[name], tuple(table.primary_key.columns)
    newest = select(table).order_by(*(each.desc() for each in key)).limit(1)
    for condition in (column.is_not(None), column.is_(None)):
        row = connection.execute(newest.where(condition)).mappings().first()
        if row is not None:
            of_row = update(table).where(and_(*(each == row[each.name] for each in key)))
            yield of_row.values({name: _other(column, row[name])})


def _other(column: Column[Any], value: Any) -> object:
    if column.foreign_keys:
        return 1 if value != 1 else 2
    if isinstance(column.type, UtcDateTime):
        return _SOME_TIME if value is None else value - timedelta(days=400)
    if isinstance(column.type, Integer | Numeric | Decimals):
        return 1 if value is None else value + 1
    if column.name == "status":
        return "failed" if value != "failed" else "success"
    return "x" if value is None else f"x{value}"[: len(value)]
