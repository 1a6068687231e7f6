"""Runs at the same time: one of them is applied in each mode, and responses of different runs are never mixed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlalchemy import Connection, Engine

from models_db.engine import open_engine
from sync.store import sealed_rows
from sync.store.sealed_rows import read_listed_root
from tests.faults.conftest import on_servers
from tests.support.made_responses import model
from tests.support.run_driver import Host, column
from tests.support.seal_checker import assert_sealed
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


@on_servers  # SQLite has one writer
def test_a_run_of_a_mode_does_not_wait_for_the_work_of_the_other_and_seals_do_not_cross(
    engine: Engine, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_committed = Event()

    def listed_root(connection: Connection, mode: str) -> str:
        # The models of the image run are written, and its transaction is open.
        assert mode == "video" or video_committed.wait(30)
        return read_listed_root(connection, mode)

    monkeypatch.setattr(sealed_rows, "read_listed_root", listed_root)
    barrier, video_began = Barrier(2, timeout=30), Event()

    def meanwhile() -> None:
        video_began.set()  # first: on MariaDB a run waits to mark one that began earlier as abandoned
        barrier.wait()

    def sync(mode: str) -> str:
        assert mode == "video" or video_began.wait(30)
        own = open_engine(migrated_url)
        try:
            status = Host(own, meanwhile=meanwhile).sync([model("a")], [model("b")], modes=[mode]).status
            if mode == "video":
                video_committed.set()
            return status
        finally:
            own.dispose()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(sync, ["image", "video"])) == ["success", "success"]
    assert assert_sealed(engine) == ["changed", "changed"]
    assert_consistent(engine)


def test_many_runs_of_both_modes_at_once_are_sealed_in_one_order(engine: Engine, migrated_url: str) -> None:
    rounds = 8

    def sync(mode: str) -> list[str]:
        own = open_engine(migrated_url)
        try:
            host = Host(own)
            costs = range(rounds)
            return [host.sync([model("a", cost=c)], [model("b", cost=c)], modes=[mode]).status for c in costs]
        finally:
            own.dispose()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(sync, ["image", "video"])) == [["success"] * rounds] * 2
    assert assert_sealed(engine) == ["changed"] * 2 * rounds
    assert_consistent(engine)
