"""Compares the whole database with what the model in Python expects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, Table, select

from models_db.tables import credit_history, model_versions, models, rejected_models, sync_runs, sync_state
from models_db.views.loader import VIEWS
from sync.catalog.modes import MODES
from tests.support.history_checker import plain_json
from tests.torture.database_under_test import engine_for, require, require_consistent_rows
from tests.torture.expected_database import ExpectedDatabase, ExpectedMode
from tests.torture.expected_history import ModelHistory

StoredIntervals = dict[tuple[str, str], list[tuple[Any, ...]]]
"""The intervals of each model, by mode and id, as beginning, end and value."""


def require_expected(url: str, expected: ExpectedDatabase) -> None:
    """The database is consistent and has the history, the state and the runs that are expected."""
    with engine_for(url) as engine:
        require_consistent_rows(engine)
        versions = _intervals(engine, model_versions, model_versions.c.raw)
        costs = _intervals(engine, credit_history, credit_history.c.default_cost_exact)
        states = {row.mode: _state(row) for row in read_rows(engine, select(sync_state))}
        rejections = _rejections(engine)
        statuses = {row.run_id: row.status for row in read_rows(engine, select(sync_runs))}
    for mode, expected_mode in expected.modes.items():
        _require_histories(mode, expected_mode, versions, costs)
        state = (
            *(expected_mode.version, expected_mode.stamp, expected_mode.run_id, expected_mode.good_stamp),
            *(expected_mode.good_asked_at, expected_mode.base_url),
            len(expected_mode.listed) if expected_mode.version else None,
        )
        rows = sorted((row.row for row in expected_mode.rejections.rows), key=repr)
        require(rejections[mode] == rows, f"the rejected models of {mode} are {rejections[mode]}, not {rows}")
        require(states[mode] == state, f"sync_state has {states[mode]} for {mode}, not {state}")
    expected_statuses = {run_id: run.status for run_id, run in expected.runs.items()}
    require(statuses == expected_statuses, f"the runs are {statuses}, not {expected_statuses}")


def _rejections(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {mode: [] for mode in MODES}
    for row in read_rows(engine, select(rejected_models)):
        extra = int(plain_json(row.raw)["params"]["x"])
        found[row.mode].append((row.model_id, extra, row.valid_from, row.valid_to, row.not_before))
    return {mode: sorted(rows, key=repr) for mode, rows in found.items()}


def _state(row: Any) -> tuple[Any, ...]:
    return (
        row.version,
        row.observed_at,
        row.run_id,
        row.good_observed_at,
        row.good_asked_at,
        row.base_url,
        row.models_listed,
    )


def read_rows(engine: Engine, query: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(query))


def read_views(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every view that ``prune`` must not change."""
    with engine.connect() as connection:
        return {
            view.name: sorted(
                (tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {view.name}")), key=repr
            )
            for view in VIEWS
            # Its rows are the runs themselves, which ``prune`` deletes.
            if view.name != "v_sync_runs"
        }


def _require_histories(mode: str, expected: ExpectedMode, versions: StoredIntervals, costs: StoredIntervals) -> None:
    for model_id in expected.histories.keys() | {
        stored_id for stored_mode, stored_id in versions if stored_mode == mode
    }:
        key = (mode, model_id)
        history = expected.histories.get(model_id, ModelHistory())
        contents = [(start, end, _content(raw)) for start, end, raw in versions.get(key, [])]
        require(contents == history.versions, f"{key} has the versions {contents}, not {history.versions}")
        # Numbers are compared, since the text of a cost is the spelling of the first response that had it.
        exact = [(start, end, None if cost is None else Decimal(cost)) for start, end, cost in costs.get(key, [])]
        require(exact == history.costs, f"{key} has the costs {exact}, not {history.costs}")


def _intervals(engine: Engine, table: Table, value: Any) -> StoredIntervals:
    query = select(models.c.mode, models.c.model_id, table.c.valid_from, table.c.valid_to, value)
    query = query.join(models, models.c.model_pk == table.c.model_pk).order_by(table.c.valid_from)
    intervals: StoredIntervals = {}
    for mode, model_id, *interval in read_rows(engine, query):
        intervals.setdefault((mode, model_id), []).append(tuple(interval))
    return intervals


def _content(raw: str) -> tuple[Decimal | None, int]:
    model = plain_json(raw)
    return model["credits"]["default_cost"], int(model["params"]["x"])
