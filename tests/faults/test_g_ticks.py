"""``sync --tick`` of crontabs on several hosts, and several schedules: one of them syncs, the others are silent."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.cli import options
from sync.store.ticks import is_missed
from tests.support.commands import error_line, output
from tests.support.synced_database import SyncedDatabase

NOON = datetime(2026, 3, 1, 12, 15, 3, tzinfo=UTC)
TICKS = "SELECT tick FROM sync_runs ORDER BY run_id"
BAD_SPANS = ("0s", "0m", "-15m", "25h", "2d", "1w", "999999w", "15", "often", "", "1.5h")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Sets the clock by which ``sync`` finds its tick to a time after noon."""

    def set_clock(after: timedelta) -> None:
        monkeypatch.setattr(options, "now", lambda: NOON + after)

    set_clock(timedelta(0))
    return set_clock


def test_the_second_crontab_prints_nothing_and_the_next_tick_is_another(
    synced_sqlite: SyncedDatabase, clock: Callable[[timedelta], None]
) -> None:
    assert synced_sqlite.sync("--tick", "15m").out.startswith("run 2 success")
    clock(timedelta(minutes=9))
    for flags in ((), ("--quiet",), ("--migrate",)):
        assert output(synced_sqlite.sync("--tick", "15m", *flags)) == ""
    skipped = json.loads(output(synced_sqlite.sync("--tick", "15m", "--json")))
    assert (skipped["run_id"], skipped["status"], skipped["exit_code"]) == (None, "skipped", 0)
    assert skipped.keys() == json.loads(output(synced_sqlite.sync("--json"))).keys()

    clock(timedelta(minutes=15))
    assert synced_sqlite.sync("--tick", "15m", "--mode", "image").code == 0
    assert synced_sqlite.query(TICKS) == [
        (None,),
        ("2026-03-01T12:15:00Z image,video",),
        (None,),
        ("2026-03-01T12:30:00Z image",),
    ]


@pytest.mark.usefixtures("clock")
def test_a_dry_run_claims_nothing(synced_sqlite: SyncedDatabase) -> None:
    for _ in range(2):
        assert "dry run, nothing written" in output(synced_sqlite.sync("--tick", "15m", "--dry-run"))
    assert synced_sqlite.query(TICKS) == [(None,)]


@pytest.mark.parametrize("span", BAD_SPANS)
def test_a_span_that_is_none_is_exit_2_before_anything_else(synced_sqlite: SyncedDatabase, span: str) -> None:
    assert "tick" in error_line(synced_sqlite.shell("sync", f"--tick={span}", "--base-url", "http://127.0.0.1:9"), 2)
    assert synced_sqlite.query(TICKS) == [(None,)]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("span", "tick"), [("1d", "01T00:00:00"), ("7h", "01T12:00:00"), ("1s", "01T12:15:03")])
def test_a_span_from_a_second_to_a_day_is_a_grid_since_1970(
    synced_sqlite: SyncedDatabase, span: str, tick: str
) -> None:
    output(synced_sqlite.sync("--tick", span))
    assert synced_sqlite.query(TICKS)[-1] == (f"2026-03-{tick}Z image,video",)


def test_a_schedule_makes_up_at_its_start_for_a_tick_without_a_sync_after_it(
    synced_sqlite: SyncedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def seen(*arguments: Any) -> bool:
        found.append(is_missed(*arguments))
        os.kill(os.getpid(), signal.SIGTERM)
        return found[-1]

    monkeypatch.setattr("sync.run.ticks.is_missed", seen)
    assert output(synced_sqlite.shell("schedule", "--every", "1d", "--base-url", "http://127.0.0.1:9")) == ""
    assert found == [False]
    assert synced_sqlite.query(TICKS) == [(None,)]
