"""Saves the rows that a sync stored, for the baseline to insert them again."""

from __future__ import annotations

import marshal
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from benchmarks.databases import administrator
from models_db import tables

# Their rows are in a new database already.
_MADE_BY_MIGRATION = {"sync_state", "installed_views"}


def save_rows(url: str, folder: Path) -> None:
    """Write one file for each table, named so that their order is that in which they can be inserted."""
    folder.mkdir()
    with administrator(url) as connection:
        cursor = connection.connection.cursor()
        for number, table in enumerate(tables.models.metadata.sorted_tables):
            if table.name not in _MADE_BY_MIGRATION:
                saved = _saved(cursor, connection.dialect.name, table)
                (folder / f"{number:02}-{table.name}").write_bytes(marshal.dumps(saved))


def _saved(cursor: Any, kind: str, table: Table) -> tuple[str, list[Any]]:
    """A statement and what to send with it: blocks of a COPY, or rows."""
    columns = ", ".join(column.name for column in table.columns if column.computed is None)
    if kind == "postgresql":
        with cursor.copy(f"COPY (SELECT {columns} FROM {table.name}) TO STDOUT") as copy:
            text = b"".join(map(bytes, copy))
        blocks = [text[start : start + 2**20] for start in range(0, len(text), 2**20)]
        return f"COPY {table.name} ({columns}) FROM STDIN", blocks
    cursor.execute(f"SELECT {columns} FROM {table.name}")
    rows = [tuple(map(_plain, row)) for row in cursor.fetchall()]
    marks = ", ".join(["?" if kind == "sqlite" else "%s"] * len(cursor.description))
    return f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", rows


def _plain(value: object) -> object:
    return str(value) if isinstance(value, (Decimal, datetime, date)) else value
