"""Reads the schema of a migrated database, and runs plain alembic on it."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import inspect, text

from models_db import migrate
from models_db.engine import migration_engine, write_transaction
from models_db.tables.metadata import metadata
from models_db.views.loader import VIEWS
from tests.support.commands import CommandResult, run_process

TABLES_AND_VIEWS = {*metadata.tables, *(view.name for view in VIEWS)}


def tables_and_views(url: str) -> set[str]:
    """The tables and views of a database, without the version table."""
    inspector = inspect(migration_engine(url))
    return {*inspector.get_table_names(), *inspector.get_view_names()} - {migrate.VERSION_TABLE}


def execute(url: str, *statements: str) -> None:
    with write_transaction(migration_engine(url, create=True)) as connection:
        for statement in statements:
            connection.execute(text(statement))


def run_alembic(url: str, *arguments: str) -> CommandResult:
    environment = {"CATALOG_SYNC_DATABASE_URL": url}
    return run_process(*arguments, program=("-m", "alembic"), environ=environment)


def table_definitions(url: str) -> dict[str, list[str]]:
    """The definition of each table as the database reports it, comments and constraints included."""
    with migration_engine(url).connect() as connection:
        describe = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}[connection.dialect.name]
        tables = set(inspect(connection).get_table_names()) - {migrate.VERSION_TABLE}
        return {name: sorted(" ".join(str(line).split()) for line in describe(connection, name)) for name in tables}


def _sqlite(connection: Any, table: str) -> list[str]:
    rows = connection.exec_driver_sql(f"SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND sql IS NOT NULL")
    return [part for (sql,) in rows for part in _definitions_in(sql)]


def _definitions_in(sql: str) -> list[str]:
    """The parts between the outer parentheses of a CREATE. SQLite appends an added column to the last line."""
    head, _, inner = sql.rstrip().removesuffix(")").partition("(")
    parts, depth = [""], 0
    for letter in inner:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [head, *parts]


def _mariadb(connection: Any, table: str) -> list[str]:
    (_, sql) = connection.exec_driver_sql(f"SHOW CREATE TABLE {table}").one()
    return [re.sub(" AUTO_INCREMENT=[0-9]+", "", line.rstrip(",")) for line in sql.splitlines()]


def _postgresql(connection: Any, table: str) -> list[str]:
    queries = (
        f"""SELECT attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation, attgenerated,
            pg_get_expr(adbin, adrelid), col_description(attrelid, attnum) FROM pg_attribute
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = '{table}'::regclass AND attnum > 0""",
        f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{table}'::regclass",
        f"SELECT indexdef FROM pg_indexes WHERE tablename = '{table}'",
        f"SELECT obj_description('{table}'::regclass)",
    )
    return [row for query in queries for row in connection.exec_driver_sql(query)]
