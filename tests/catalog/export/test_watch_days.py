"""The watched days of an export without some runs, where other runs were pruned."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from msgspec.structs import asdict

from sync.catalog.export.lines import ExportedMode, WatchedDay, time_text
from sync.catalog.export.watch_days import WatchDaysWithoutRuns
from sync.catalog.verify.watch import watch_findings
from sync.catalog.watch import Success, WatchDay, days_of

HOUR = timedelta(hours=1)
T = [datetime(2026, 3, 1, 6, tzinfo=UTC) + number * 6 * HOUR for number in range(9)]
SUCCESSES = [Success(at, T[number - 1] if number else None) for number, at in enumerate(T)]


def mode(success: Success, previous: datetime | None = None) -> ExportedMode:
    before = previous or success.previous
    row: dict[str, str | int | None] = {"mode": "image", "status": "success", "is_good": 1}
    row |= {"stamp": time_text(success.stamp), "previous_success_at": None if before is None else time_text(before)}
    return ExportedMode(row)


def rows(left_out: int, on_record: Collection[int]) -> list[WatchDay]:
    """The rows without one run, of a history of which only these runs are on record."""
    days = WatchDaysWithoutRuns()
    for number in on_record:
        if number == left_out:
            days.leave_out(mode(SUCCESSES[number]))
        elif number == left_out + 1:
            days.keep(mode(SUCCESSES[number]), mode(SUCCESSES[number], SUCCESSES[left_out].previous))
        else:
            days.keep(mode(SUCCESSES[number]), mode(SUCCESSES[number]))
    return list(days.rows(days_of("image", SUCCESSES).values()))


@pytest.mark.parametrize("left_out", range(1, 9))
def test_days_whose_runs_are_on_record_are_those_of_the_other_runs(left_out: int) -> None:
    kept = [one for number, one in enumerate(SUCCESSES) if number != left_out]
    kept = [Success(one.stamp, kept[number - 1].stamp if number else None) for number, one in enumerate(kept)]

    assert rows(left_out, range(9)) == list(days_of("image", kept).values())


def test_a_day_of_which_runs_were_pruned_is_reckoned_from_its_row() -> None:
    before, after = [*days_of("image", SUCCESSES).values()], rows(5, range(5, 9))

    assert [row.successful_syncs for row in after] == [3, 3, 2]
    assert after[0] == before[0]
    assert after[1].first_success_at == T[3]
    assert after[1].longest_gap_seconds == 12 * 3600
    assert after[2] == before[2]


def test_the_last_sync_that_remains_is_the_one_before_the_run_left_out() -> None:
    second = rows(6, range(6, 9))[1]

    assert (second.successful_syncs, second.first_success_at, second.last_success_at) == (3, T[3], T[5])


@pytest.mark.parametrize("left_out", range(1, 9))
def test_verify_finds_nothing_in_the_rows_whatever_was_pruned(left_out: int) -> None:
    others = [number for number in range(9) if number != left_out]
    for size in range(len(others) + 1):
        for kept in combinations(others, size):
            found = rows(left_out, sorted((*kept, left_out)))
            on_record = [_without(number, left_out) for number in kept]
            days = {("image", day): row for day, row in days_of("image", on_record).items()}
            stored = [asdict(row) for row in found]

            assert [*watch_findings(stored, days, {"image": T[others[-1]]})] == [], kept
            assert sum(row.successful_syncs for row in found) == 8


def _without(number: int, left_out: int) -> Success:
    previous = SUCCESSES[left_out].previous if number == left_out + 1 else SUCCESSES[number].previous
    return Success(T[number], previous)


def test_a_row_is_the_same_after_its_line() -> None:
    for row in days_of("image", SUCCESSES).values():
        assert WatchedDay.of(row).watch_day() == row
