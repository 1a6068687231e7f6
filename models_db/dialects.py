"""Statements that the databases spell differently. A dialect is imported only where it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Insert, Subquery, Table, func, select

from models_db.tables import models

Rows: TypeAlias = Sequence[tuple[Any, ...]]

_REMEMBERED = 64  # a time or a cost stands in many rows


def insert_absent(connection: Connection, table: Table) -> Insert:
    """An insert that passes over rows whose key is there already, one being committed just now too."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import mysql

    key = next(iter(table.primary_key.columns))
    return mysql.insert(table).on_duplicate_key_update({key.name: key})


def latest_interval_start(connection: Connection, interval: Table, moment: datetime) -> Subquery:
    """``model_pk`` and ``valid_from`` of the last row of each model that began at or before a moment.

    One step down the primary key for each model, however many intervals it has. PostgreSQL and SQLite
    take it for a largest value that hangs on the model's row; MariaDB would read all of the model's
    intervals then, and skips along its key only when it groups by it.
    """
    last = select(func.max(interval.c.valid_from).label("valid_from")).where(interval.c.valid_from <= moment)
    if connection.dialect.name == "mariadb":
        return last.add_columns(interval.c.model_pk).group_by(interval.c.model_pk).subquery()
    of_model = last.where(interval.c.model_pk == models.c.model_pk).scalar_subquery()
    return select(models.c.model_pk, of_model.label("valid_from")).subquery()


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
