"""One run for each tick: of any number of processes one claims it, and the others do nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from models_db.engine import open_engine
from sync.catalog.guards import GuardSettings
from sync.catalog.modes import MODES
from sync.catalog.ticks import tick_text
from sync.errors import ApiUnreachable, CatalogSyncError, UsageError
from sync.run import RunResult
from sync.run.ticks import run_sync_of_tick
from sync.store.prune import delete_old_runs
from tests.support.made_responses import model
from tests.support.run_driver import HOUR, START, Host, column
from tests.support.stored_rows_checker import assert_consistent

A = model("a")
TICK, NEXT_TICK = tick_text(START, MODES), tick_text(START + HOUR, MODES)
PROCESSES = 6
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def sync(
    host: Host,
    tick: str | None = TICK,
    name: str = "one",
    sent: CatalogSyncError | None = None,
    *,
    dry_run: bool = False,
    missed: bool = False,
) -> RunResult | None:
    deps = host.dependencies({"image": sent or [A], "video": sent or []}, MODES, GuardSettings())
    deps = replace(deps, tick=tick, host=name)
    return run_sync_of_tick(host.engine, deps, dry_run=dry_run, missed_at=host.now if missed else None)


def test_the_text_of_a_tick_names_its_time_and_modes() -> None:
    assert TICK == "2026-03-01T10:00:00Z image,video"
    assert tick_text(START, ["video"]) == "2026-03-01T10:00:00Z video"


def test_of_processes_that_begin_at_the_same_moment_one_makes_the_run(engine: Engine, migrated_url: str) -> None:
    """All have the same host and time: neither says whose a claim is that was there before the first attempt."""
    barrier = Barrier(PROCESSES, timeout=30)

    def process(_: int) -> tuple[RunResult | None, list[str]]:
        own = open_engine(migrated_url)
        host = Host(own)
        with own.connect():  # connected before it is time
            barrier.wait()
        try:
            return sync(host), host.fetched
        finally:
            own.dispose()

    with ThreadPoolExecutor(PROCESSES) as pool:
        ended = [*pool.map(process, range(PROCESSES))]

    assert [result.status for result, _ in ended if result] == ["success"]
    assert sorted(modes for _, modes in ended) == [[]] * (PROCESSES - 1) + [["image", "video"]]
    assert column(engine, "sync_runs.tick") == [TICK]
    assert_consistent(engine)


def test_the_claim_of_a_run_that_died_stands_and_the_next_tick_is_anothers(host: Host) -> None:
    def die() -> None:
        raise SystemExit

    host.meanwhile = die
    with pytest.raises(SystemExit):
        sync(host)
    other = Host(host.engine, now=START + timedelta(minutes=1))
    assert sync(other, name="two") is None
    assert other.fetched == []
    assert sync(other, NEXT_TICK, name="two") is not None
    assert column(host.engine, "sync_runs.host", "tick") == [("one", TICK), ("two", NEXT_TICK)]


@on_sqlite
def test_a_run_whose_host_has_a_wrong_clock_gives_its_tick_back(host: Host) -> None:
    """Else a clock that is ahead for a day would keep the syncs of that day away when it comes."""
    wrong = Host(host.engine, now=START + 48 * HOUR, server_is_behind=48 * HOUR)
    with pytest.raises(UsageError):
        sync(wrong)
    assert column(host.engine, "sync_runs.status", "tick") == [("failed", None)]

    assert sync(host, name="two") is not None
    assert column(host.engine, "sync_runs.tick") == [None, TICK]


@on_sqlite
def test_a_run_that_failed_keeps_its_tick(host: Host) -> None:
    result = sync(host, sent=ApiUnreachable("no response"))

    assert result is not None
    assert (result.status, sync(host, name="two")) == ("failed", None)


@on_sqlite
def test_a_dry_run_claims_nothing_and_runs_whoever_has_the_tick(host: Host) -> None:
    for _ in range(2):
        result = sync(host, dry_run=True)
        assert result is not None
        assert result.run_id is None
    assert column(host.engine, "sync_runs.tick") == []
    sync(host)
    assert sync(host, dry_run=True) is not None


@on_sqlite
def test_runs_without_a_tick_and_of_other_modes_claim_nothing_of_it(host: Host) -> None:
    texts = [None, None, TICK, tick_text(START, ["image"]), tick_text(START, ["video"])]
    for text in texts:
        assert sync(host, text) is not None
    assert column(host.engine, "sync_runs.tick") == texts


@on_sqlite
def test_a_tick_that_passed_is_made_up_for_if_no_successful_sync_came_after_it(host: Host) -> None:
    assert sync(host, missed=True) is not None  # of an empty catalog
    host.now = START
    assert sync(host, NEXT_TICK, missed=True) is None
    assert column(host.engine, "sync_runs.tick") == [TICK]
    host.now = START + HOUR
    assert sync(host, NEXT_TICK, missed=True) is not None


@on_sqlite
def test_the_last_run_with_a_tick_is_not_pruned(host: Host) -> None:
    """A process with a slow clock that comes late would claim its tick again."""
    sync(host)
    host.now += HOUR
    sync(host, NEXT_TICK)
    list(delete_old_runs(host.engine, START + 9 * HOUR))
    assert sync(host, NEXT_TICK) is None
