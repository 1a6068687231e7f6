"""A database as the first release left it, with history: ``tests/data/history-0001.json``."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Date, DateTime, MetaData, Numeric, Table, text

from models_db import migrate
from models_db.engine import migration_engine, write_transaction

_KEPT = json.loads((Path(__file__).parents[1] / "data/history-0001.json").read_text())
FIRST: str = _KEPT["revision"]
COLUMNS: dict[str, list[str]] = {name: table["columns"] for name, table in _KEPT["tables"].items()}
_COUNTED = {"models": "model_pk", "sync_runs": "run_id", "catalog_changes": "change_id"}

Rows = dict[str, list[tuple[Any, ...]]]


def revisions() -> list[str]:
    """Every revision, the first one first."""
    scripts = ScriptDirectory(str(migrate.migrations_dir())).walk_revisions()
    return [script.revision for script in scripts][::-1]


def release(url: str) -> None:
    """Makes the database of the first release, and fills it with the history that its program wrote."""
    migrate.upgrade(url, FIRST)
    with write_transaction(migration_engine(url)) as connection:
        connection.execute(text("DELETE FROM sync_state"))
        for name, columns in COLUMNS.items():
            _fill(connection, Table(name, MetaData(), autoload_with=connection), columns)
        if connection.dialect.name == "postgresql":
            for name, column in _COUNTED.items():
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), MAX({column})) FROM {name}")
                )


def kept(url: str) -> Rows:
    """Every row that the first release wrote, in the columns that it knew."""
    with migration_engine(url).connect() as connection:
        return {name: _rows(connection, name, columns) for name, columns in COLUMNS.items()}


def _rows(connection: Connection, name: str, columns: list[str]) -> list[tuple[Any, ...]]:
    found = connection.execute(text(f"SELECT {', '.join(columns)} FROM {name}"))
    return sorted((tuple(row) for row in found), key=repr)


def _fill(connection: Connection, table: Table, columns: list[str]) -> None:
    rows = [
        {name: _value(table, name, value) for name, value in zip(columns, row, strict=True)}
        for row in _KEPT["tables"][table.name]["rows"]
    ]
    connection.execute(table.insert(), rows)


def _value(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type
    if value is None:
        return None
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)  # without a zone: every session is in UTC
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return Decimal(repr(value)) if isinstance(kind, Numeric) else value
