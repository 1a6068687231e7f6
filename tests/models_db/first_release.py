"""A database of the first release, with history: ``tests/data/history-0001.json``."""

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

_RELEASE = json.loads((Path(__file__).parents[1] / "data/history-0001.json").read_text())
FIRST_REVISION: str = _RELEASE["revision"]
FIRST_RELEASE_COLUMNS: dict[str, list[str]] = {name: table["columns"] for name, table in _RELEASE["tables"].items()}
_GENERATED_IDS = {"models": "model_pk", "sync_runs": "run_id", "catalog_changes": "change_id"}

Rows = dict[str, list[tuple[Any, ...]]]


def revisions() -> list[str]:
    """All revisions, from the first to the last."""
    scripts = ScriptDirectory(str(migrate.migrations_dir())).walk_revisions()
    return [script.revision for script in scripts][::-1]


def create_first_release(url: str) -> None:
    """Creates the schema of the first release and inserts the rows that its program wrote."""
    migrate.upgrade(url, FIRST_REVISION)
    with write_transaction(migration_engine(url)) as connection:
        connection.execute(text("DELETE FROM sync_state"))
        for name, columns in FIRST_RELEASE_COLUMNS.items():
            _fill(connection, Table(name, MetaData(), autoload_with=connection), columns)
        if connection.dialect.name == "postgresql":
            for name, column in _GENERATED_IDS.items():
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), MAX({column})) FROM {name}")
                )


def first_release_rows(url: str) -> Rows:
    """The rows of every table of the first release, with the columns of the first release."""
    with migration_engine(url).connect() as connection:
        return {name: _rows(connection, name, columns) for name, columns in FIRST_RELEASE_COLUMNS.items()}


def _rows(connection: Connection, name: str, columns: list[str]) -> list[tuple[Any, ...]]:
    rows = connection.execute(text(f"SELECT {', '.join(columns)} FROM {name}"))
    return sorted((tuple(row) for row in rows), key=repr)


def _fill(connection: Connection, table: Table, columns: list[str]) -> None:
    rows = [
        {name: _value(table, name, value) for name, value in zip(columns, row, strict=True)}
        for row in _RELEASE["tables"][table.name]["rows"]
    ]
    connection.execute(table.insert(), rows)


def _value(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type
    if value is None:
        return None
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)  # without a time zone: every session is in UTC
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return Decimal(repr(value)) if isinstance(kind, Numeric) else value
