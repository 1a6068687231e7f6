"""The rows of a database written out for the floor, which writes the very same rows again."""

from __future__ import annotations

import marshal
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, func, select

from models_db import tables
from models_db.engine import migration_engine

# The rows of the other two are made by the migration.
_TABLES = [
    table for table in tables.models.metadata.sorted_tables if table not in (tables.sync_state, tables.installed_views)
]
_BLOCK = 1 << 20


def dump_rows(url: str, folder: Path) -> None:
    """Write one file for each table that has rows, in the order in which they can be inserted."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    engine = migration_engine(url)
    with closing(engine.raw_connection()) as pooled:
        for number, table in enumerate(_TABLES):
            dumped = _dumped(engine, pooled.driver_connection, table)
            (folder / f"{number:02}-{table.name}").write_bytes(marshal.dumps(dumped))
    engine.dispose()


def counted_rows(url: str) -> dict[str, int]:
    """How many rows stand in each of the tables that are dumped."""
    engine = migration_engine(url)
    with engine.connect() as connection:
        counted = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar() or 0 for table in _TABLES
        }
    engine.dispose()
    return counted


def _dumped(engine: Engine, driver: Any, table: Table) -> tuple[str, list[Any]]:
    columns = ", ".join(column.name for column in table.columns if column.computed is None)
    if engine.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY (SELECT {columns} FROM {table.name}) TO STDOUT") as copy:
            return f"COPY {table.name} ({columns}) FROM STDIN", list(_blocks(copy))
    cursor = driver.cursor()
    cursor.execute(f"SELECT {columns} FROM {table.name}")
    rows = [tuple(map(_plain, row)) for row in cursor.fetchall()]
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(cursor.description))
    return f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", rows


def _blocks(copy: Iterable[Any]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for data in copy:
        gathered.append(bytes(data))
        size += len(data)
        if size >= _BLOCK:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join(gathered)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, (Decimal, datetime, date)) else value
