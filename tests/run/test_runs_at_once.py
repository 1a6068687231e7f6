"""Runs at the same time: one of them is applied in each mode, and responses of different runs are never mixed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from models_db.engine import open_engine
from tests.support.made_responses import model
from tests.support.run_driver import Host, column
from tests.support.stored_rows_checker import assert_consistent

RUNS = 6


@pytest.mark.parametrize("same_response", [True, False])
def test_of_runs_that_fetch_at_the_same_time_one_is_applied(
    engine: Engine, migrated_url: str, *, same_response: bool
) -> None:
    barrier = Barrier(RUNS, timeout=30)

    def sync(number: int) -> str:
        own = open_engine(migrated_url)
        host = Host(own, meanwhile=barrier.wait)
        cost = 1 if same_response else number
        try:
            return host.sync([model("a", cost=cost), model(f"b{cost}")], [model("v", cost=cost)]).status
        finally:
            own.dispose()

    with ThreadPoolExecutor(RUNS) as pool:
        statuses = sorted(pool.map(sync, range(RUNS)))

    assert statuses == ["success", *["superseded"] * (RUNS - 1)]
    assert sorted(column(engine, "sync_runs.status")) == statuses
    assert column(engine, "sync_state.version") == [1, 1]
    assert column(engine, "catalog_changes.change_kind") == ["added"] * 3
    assert_consistent(engine)


def test_runs_of_different_modes_are_both_applied(engine: Engine, migrated_url: str) -> None:
    barrier = Barrier(2, timeout=30)

    def sync(mode: str) -> str:
        own = open_engine(migrated_url)
        try:
            return Host(own, meanwhile=barrier.wait).sync([model("a")], [model("b")], modes=[mode]).status
        finally:
            own.dispose()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(sync, ["image", "video"])) == ["success", "success"]
    assert column(engine, "models.model_id", where={"removed_at": None}) in (["a", "b"], ["b", "a"])
    assert len(column(engine, "calendar_days.day")) == 1
    assert_consistent(engine)
