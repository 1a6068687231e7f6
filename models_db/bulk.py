"""Many new rows at once, each database in its fastest way, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Table

Rows: TypeAlias = Sequence[tuple[Any, ...]]

_REMEMBERED = 64  # a time or a cost stands in many rows


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """Inserts rows of Python values in the order of ``columns``: by COPY on PostgreSQL, as many INSERTs elsewhere.

    The column types of the table are kept as in any other statement. No defaults but those of the
    database, and nothing is returned.
    """
    if rows:
        connection.exec_driver_sql(
            _statement(connection.dialect, table, columns), _bound(connection, table, columns, rows)
        )


def _statement(dialect: Dialect, table: Table, columns: Sequence[str]) -> str:
    quote = dialect.identifier_preparer.quote
    target = f"{quote(table.name)} ({', '.join(map(quote, columns))})"
    if dialect.name == "postgresql":
        return f"COPY {target} FROM STDIN"  # carried out by models_db.copying
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    return f"INSERT INTO {target} VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608  # names of our own


def _bound(connection: Connection, table: Table, columns: Sequence[str], rows: Rows) -> Rows:
    """The rows as the driver takes them."""
    types = (table.c[column].type.dialect_impl(connection.dialect) for column in columns)
    found = enumerate(type_.bind_processor(connection.dialect) for type_ in types)
    processors: list[tuple[int, Callable[[Any], Any]]] = [
        (place, lru_cache(_REMEMBERED)(processor)) for place, processor in found if processor is not None
    ]
    if not processors:
        return rows
    bound = []
    for row in rows:
        values = list(row)
        for place, processor in processors:
            values[place] = processor(values[place])
        bound.append(tuple(values))
    return bound
