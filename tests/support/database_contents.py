"""The rows of a database, to be compared or searched."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from models_db.engine import open_engine
from models_db.tables.metadata import metadata

Rows = list[tuple[Any, ...]]
RUN_TABLES = {"sync_runs", "sync_run_modes"}
DAY_TABLES = {"calendar_days", "watch_days"}
SEAL_TABLES = {"seals", "catalog_identity"}


def every_row(url: str) -> dict[str, Rows]:
    """All rows of each table, in a fixed order."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return {
                table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for table in metadata.sorted_tables
            }
    finally:
        engine.dispose()


def query_rows(url: str, query: str) -> Rows:
    """The rows of a query."""
    engine = open_engine(url, reads_only=True)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


def counts_of_changes(before: dict[str, Rows], after: dict[str, Rows]) -> dict[str, tuple[int, int]]:
    """The numbers of rows that disappeared and appeared, by table; a changed row counts as one of each."""
    changes = {name: (_missing(before[name], after[name]), _missing(after[name], before[name])) for name in before}
    return {name: change for name, change in changes.items() if change != (0, 0)}


def changed_tables(before: dict[str, Rows], after: dict[str, Rows]) -> set[str]:
    return set(counts_of_changes(before, after))


def _missing(rows: Rows, others: Rows) -> int:
    return sum(row not in others for row in rows)
