"""Reads everything that a database has stored, in a form that two databases with the same history share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, select

from models_db.tables import models, sync_runs
from models_db.tables.metadata import metadata

StoredHistory: TypeAlias = dict[str, list[dict[str, Any]]]
"""The rows of each table."""

# Keys count failed runs too, so they differ between databases with the same history.
_RUN_KEYS = {"run_id", "opened_run_id", "closed_run_id"}
# A seal hashes the number of its run; seals are compared with the rows of their own database elsewhere.
_OMITTED = {"change_id", "open_model_pk", "leaf_hash", "tree_root", "frontier"}


def read_history(engine: Engine) -> StoredHistory:
    """Every row but those of abandoned runs; a run is identified by its start, a model by mode and id."""
    with engine.connect() as connection:
        runs = dict(connection.execute(select(sync_runs.c.run_id, sync_runs.c.started_at)).tuples().all())
        keys = connection.execute(select(models.c.model_pk, models.c.mode, models.c.model_id))
        model_ids = {pk: (mode, model_id) for pk, mode, model_id in keys}
        return {
            table.name: _rows(connection, table.name, runs, model_ids)
            for table in metadata.sorted_tables
            if table.name != "installed_views"
        }


def differences(actual: StoredHistory, expected: StoredHistory) -> list[str]:
    """The rows that differ, by table and position."""
    return [
        f"{table} row {number}: {row} instead of {expected_row}"
        for table, rows in actual.items()
        for number, (row, expected_row) in enumerate(zip_longest(rows, expected[table]))
        if row != expected_row
    ]


def _rows(
    connection: Connection, name: str, runs: Mapping[Any, Any], model_ids: Mapping[Any, Any]
) -> list[dict[str, Any]]:
    table = metadata.tables[name]
    stored = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
    rows = [_without_keys(dict(row), runs, model_ids) for row in stored if row.get("status") != "abandoned"]
    # Events are in the order in which they were written; the order of other rows has no meaning.
    return rows if name == "catalog_changes" else sorted(rows, key=repr)


def _without_keys(row: dict[str, Any], runs: Mapping[Any, Any], model_ids: Mapping[Any, Any]) -> dict[str, Any]:
    for column in _RUN_KEYS & row.keys():
        row[column] = runs.get(row[column])
    if "model_pk" in row:
        row["model_pk"] = model_ids[row["model_pk"]]
    return {column: value for column, value in row.items() if column not in _OMITTED}
