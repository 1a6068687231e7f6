"""The rows of a whole database as values, and a way to store other rows in their place.

The rows are written without the program: as by somebody who may write to the database. Foreign keys are not
enforced meanwhile; all other constraints are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, NullPool, Table, and_, create_engine, make_url, select

from models_db.tables.metadata import metadata

Contents = dict[str, list[dict[str, Any]]]
"""The rows of each table, without computed columns."""

_NOT_DATA = {"installed_views"}
_WITHOUT_FOREIGN_KEYS = {
    "sqlite": "PRAGMA foreign_keys = OFF",
    "postgresql": "SET session_replication_role = replica",
    "mariadb": "SET foreign_key_checks = 0",
}


def read_contents(url: str) -> Contents:
    """All rows of all tables."""
    with _connect(url) as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(*_columns(table))).mappings()]
            for table in _tables()
        }


def write_contents(url: str, before: Contents, after: Contents) -> None:
    """Makes a database that contains ``before`` contain ``after``, in one transaction."""
    with _connect(url) as connection:
        connection.exec_driver_sql(_WITHOUT_FOREIGN_KEYS[connection.dialect.name])
        differing = [(table, *_difference(table, before, after)) for table in _tables()]
        for table, deleted, _ in differing:
            for key in deleted:
                matches = [column == value for column, value in zip(table.primary_key.columns, key, strict=True)]
                connection.execute(table.delete().where(and_(*matches)))
        for table, _, inserted in differing:
            if inserted:
                connection.execute(table.insert(), inserted)
        connection.commit()


def copy_of(contents: Contents) -> Contents:
    return {name: [copy.copy(row) for row in rows] for name, rows in contents.items()}


def _difference(table: Table, before: Contents, after: Contents) -> tuple[list[Any], list[dict[str, Any]]]:
    """The keys of the rows to delete, and the rows to insert; a changed row is both."""
    names = [column.name for column in table.primary_key.columns]
    old = {tuple(row[name] for name in names): row for row in before[table.name]}
    new = {tuple(row[name] for name in names): row for row in after[table.name]}
    if len(new) < len(after[table.name]):
        raise ValueError(f"two rows of {table.name} have the same key")
    changed = [key for key, row in old.items() if new.get(key) != row]
    return changed, [row for key, row in new.items() if old.get(key) != row]


def _tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in _NOT_DATA]


def _columns(table: Table) -> list[Any]:
    return [column for column in table.columns if column.computed is None]


@contextmanager
def _connect(url: str) -> Iterator[Connection]:
    # Without a pool no connection stays open that could lock a row or keep its settings.
    engine = create_engine(make_url(url), poolclass=NullPool, connect_args=_arguments(url))
    with engine.connect() as connection:
        yield connection


def _arguments(url: str) -> dict[str, str]:
    # Times of other zones would be equal, but not the same text.
    return {"options": "-c timezone=UTC"} if url.startswith("postgresql") else {}
