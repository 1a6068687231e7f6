"""The findings about the watched days, from values alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import asdict

from sync.catalog.verify.watch import watch_findings
from sync.catalog.watch import Success, WatchDay, days_of

DAY = date(2026, 3, 2)
T = [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in range(12)]
ROW: dict[str, Any] = {
    "mode": "image",
    "day": DAY,
    "successful_syncs": 2,
    "first_success_at": T[1],
    "last_success_at": T[3],
    "longest_gap_seconds": 7200,
}
RUNS = days_of("image", [Success(T[1], T[0]), Success(T[3], T[1])])


def problems(on_record: dict[date, WatchDay], last: object = T[3], **changed: Any) -> list[str]:
    runs = {("image", day): row for day, row in on_record.items()}
    return [finding.problem for finding in watch_findings([{**ROW, **changed}], runs, {"image": last})]


def test_a_day_is_made_of_the_successful_syncs_of_its_day() -> None:
    assert asdict(RUNS[DAY]) == ROW
    assert problems(RUNS) == []


def test_the_gap_before_the_first_sync_of_a_day_belongs_to_that_day() -> None:
    before = T[0] - timedelta(days=3)
    days = days_of("image", [Success(before, None), Success(T[1], before), Success(T[2], T[1])])

    assert [days[day].longest_gap_seconds for day in sorted(days)] == [None, 73 * 3600]


def test_a_day_of_which_runs_were_pruned_includes_those_on_record() -> None:
    one = days_of("image", [Success(T[2], T[1])])

    assert problems(one) == []
    assert problems({}) == []
    assert len(problems(one, first_success_at=T[3] - timedelta(minutes=1))) == 1
    assert len(problems(one, longest_gap_seconds=60)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        *({"successful_syncs": 1}, {"successful_syncs": 0}, {"first_success_at": T[2]}, {"last_success_at": T[2]}),
        *({"longest_gap_seconds": 7199}, {"longest_gap_seconds": None}, {"first_success_at": T[1] - timedelta(days=1)}),
    ],
)
def test_a_day_that_contradicts_its_runs_is_named(changed: dict[str, Any]) -> None:
    assert problems(RUNS, **changed) != []


def test_a_day_after_the_last_successful_sync_is_named() -> None:
    assert problems(RUNS, last=T[2]) == [
        "day 2026-03-02: last_success_at is 2026-03-02T03:00:00Z, later than good_observed_at 2026-03-02T02:00:00Z"
    ]
    assert len(problems(RUNS, last=None)) == 1


def test_a_day_that_is_missing_is_named() -> None:
    runs = {("image", day): row for day, row in RUNS.items()}
    assert [one.problem for one in watch_findings([], runs, {"image": T[3]})] == ["the day 2026-03-02 is missing"]
