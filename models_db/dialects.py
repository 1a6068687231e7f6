"""Statements that the databases spell differently. A dialect is imported only where it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Insert, Subquery, Table, func, insert, select

from models_db.tables import models

Rows: TypeAlias = Sequence[tuple[Any, ...]]


def insert_if_absent(connection: Connection, table: Table) -> Insert:
    """Return an insert that skips rows whose key exists, even if another transaction is inserting the key."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import mysql

    # INSERT IGNORE would hide other errors too, so the key is set to itself.
    key = next(iter(table.primary_key.columns))
    return mysql.insert(table).on_duplicate_key_update({key.name: key})


def insert_valid_if_absent(connection: Connection, table: Table) -> Insert:
    """Return an insert as that of ``insert_if_absent``, for values that the table takes for certain.

    The account needs no right to update: for ON DUPLICATE KEY MariaDB wants it on each column of the insert.
    """
    if connection.dialect.name != "mariadb":
        return insert_if_absent(connection, table)
    return insert(table).prefix_with("IGNORE")


def latest_interval_start(connection: Connection, interval: Table, moment: datetime) -> Subquery:
    """Return ``model_pk`` and ``valid_from`` of each model's latest interval that started by ``moment``.

    The query reads one entry of the primary key per model, however many intervals the model has. On
    PostgreSQL and SQLite a correlated MAX does that. MariaDB would read all intervals of the model for it,
    and jumps from model to model only for a GROUP BY on the key.
    """
    last = select(func.max(interval.c.valid_from).label("valid_from")).where(interval.c.valid_from <= moment)
    if connection.dialect.name == "mariadb":
        return last.add_columns(interval.c.model_pk).group_by(interval.c.model_pk).subquery()
    of_model = last.where(interval.c.model_pk == models.c.model_pk).scalar_subquery()
    return select(models.c.model_pk, of_model.label("valid_from")).subquery()


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """Insert many rows: with COPY on PostgreSQL, with one INSERT and many parameter sets elsewhere.

    A row has Python values in the order of ``columns``, which the column types convert as in any other
    statement. Defaults declared in Python are not applied.
    """
    if rows:
        statement = _bulk_insert(connection.dialect, table, columns)
        connection.exec_driver_sql(statement, _driver_rows(connection.dialect, table, columns, rows))


def _bulk_insert(dialect: Dialect, table: Table, columns: Sequence[str]) -> str:
    quote = dialect.identifier_preparer.quote
    target = f"{quote(table.name)} ({', '.join(map(quote, columns))})"
    if dialect.name == "postgresql":
        return f"COPY {target} FROM STDIN"  # CopyCursor in engine/postgresql.py runs it
    placeholder = "?" if dialect.paramstyle == "qmark" else "%s"
    return f"INSERT INTO {target} VALUES ({', '.join([placeholder] * len(columns))})"  # noqa: S608  # declared names


def _driver_rows(dialect: Dialect, table: Table, columns: Sequence[str], rows: Rows) -> Rows:
    """Return the rows with their values converted for the driver."""
    types = (table.c[column].type.dialect_impl(dialect) for column in columns)
    converters: list[tuple[int, Callable[[Any], Any]]] = [
        (index, converter)
        for index, converter in enumerate(type_.bind_processor(dialect) for type_ in types)
        if converter is not None
    ]
    if not converters:
        return rows
    converted = []
    for row in rows:
        values = list(row)
        for index, converter in converters:
            values[index] = converter(values[index])
        converted.append(tuple(values))
    return converted
