"""What a database tells, without the numbers that say only how often somebody tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, select

from models_db.tables import models, sync_runs
from models_db.tables.metadata import metadata

Story: TypeAlias = dict[str, list[dict[str, Any]]]

_RUNS = {"run_id", "opened_run_id", "closed_run_id"}
_LEFT_OUT = {"change_id", "open_model_pk"}


def story(engine: Engine) -> Story:
    """Every row but those of abandoned runs; a run is named by when it began, a model by mode and id."""
    with engine.connect() as connection:
        runs = dict(connection.execute(select(sync_runs.c.run_id, sync_runs.c.started_at)).tuples().all())
        found = connection.execute(select(models.c.model_pk, models.c.mode, models.c.model_id))
        names = {pk: (mode, model_id) for pk, mode, model_id in found}
        return {
            table.name: _rows(connection, table.name, runs, names)
            for table in metadata.sorted_tables
            if table.name != "installed_views"
        }


def differences(one: Story, other: Story) -> list[str]:
    """Where two stories differ, by table and row."""
    return [
        f"{table} row {number}: {mine} against {theirs}"
        for table, rows in one.items()
        for number, (mine, theirs) in enumerate(_side_by_side(rows, other[table]))
        if mine != theirs
    ]


def _rows(connection: Connection, name: str, runs: Mapping[Any, Any], names: Mapping[Any, Any]) -> list[dict[str, Any]]:
    table = metadata.tables[name]
    found = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
    rows = [_named(dict(row), runs, names) for row in found if row.get("status") != "abandoned"]
    # Events come in the order in which they were written; the order of the others has no meaning.
    return rows if name == "catalog_changes" else sorted(rows, key=repr)


def _named(row: dict[str, Any], runs: Mapping[Any, Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    for column in _RUNS & row.keys():
        row[column] = runs.get(row[column])
    if "model_pk" in row:
        row["model_pk"] = names[row["model_pk"]]
    return {column: value for column, value in row.items() if column not in _LEFT_OUT}


def _side_by_side(
    mine: list[dict[str, Any]], theirs: list[dict[str, Any]]
) -> list[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    length = max(len(mine), len(theirs))
    return [
        (mine[number] if number < len(mine) else None, theirs[number] if number < len(theirs) else None)
        for number in range(length)
    ]
