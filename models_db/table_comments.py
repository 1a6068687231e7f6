"""Stores the comments of tables and columns in the database, for people who read the schema there.

Comments are documentation, not structure. Revisions have none: the comments of ``models_db.tables`` are
stored when the schema is at head, so that a better wording needs no revision. SQLite stores no comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Column, Connection, Dialect, Table, inspect
from sqlalchemy.schema import CreateColumn, SetColumnComment, SetTableComment

from models_db.tables.metadata import metadata


def update(connection: Connection) -> None:
    """Store the comments that differ from those in the database."""
    for table, columns in _outdated(connection):
        connection.exec_driver_sql(";\n".join(_statements(connection.dialect, table, columns)))


def are_current(connection: Connection) -> bool:
    """Whether ``update`` would change nothing."""
    return next(_outdated(connection), None) is None


def _outdated(connection: Connection) -> Iterator[tuple[Table, list[Column[object]]]]:
    """Yield each table with another comment than in the database, or with such columns, and these columns."""
    if connection.dialect.name == "sqlite":
        return
    inspector = inspect(connection)
    stored_columns = inspector.get_multi_columns(filter_names=list(metadata.tables))
    stored_tables = inspector.get_multi_table_comment(filter_names=list(metadata.tables))
    for table in metadata.sorted_tables:
        stored = {column["name"]: column["comment"] for column in stored_columns[None, table.name]}
        outdated = [column for column in table.columns if stored[column.name] != column.comment]
        if outdated or stored_tables[None, table.name]["text"] != table.comment:
            yield table, outdated


def offline_update(dialect: Dialect) -> Iterator[str]:
    """Yield the statements that store all comments, for a script."""
    if dialect.name != "sqlite":
        for table in metadata.sorted_tables:
            yield from _statements(dialect, table, table.columns)


def _statements(dialect: Dialect, table: Table, columns: Iterable[Column[object]]) -> Iterator[str]:
    table_comment = str(SetTableComment(table).compile(dialect=dialect))
    if dialect.name == "mariadb":
        # MariaDB changes the comment of a column together with its definition. It does not copy the rows for
        # that, except if the column is generated.
        changes = (f"MODIFY {CreateColumn(column).compile(dialect=dialect)}" for column in columns)
        yield ", ".join([table_comment, *changes])
        return
    yield table_comment
    for column in columns:
        yield str(SetColumnComment(column).compile(dialect=dialect))
