"""A short version of ``make ticks``: three schedules, one of which is killed, on each kind of database."""

from __future__ import annotations

from pathlib import Path

from tests.support.database_contents import query_rows
from tests.ticks.campaign import RUNS, run_campaign


def test_schedules_that_are_killed_store_one_sync_of_each_tick(migrated_url: str, tmp_path: Path) -> None:
    def is_enough() -> bool:
        return len([status for _, status in query_rows(migrated_url, RUNS) if status == "success"]) >= 2

    found = run_campaign([migrated_url], tmp_path, span=2, seed=1, is_enough=is_enough)

    assert list(found.problems()) == []
    assert found.killed
