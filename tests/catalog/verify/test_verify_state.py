"""The findings about the state of the modes and the calendar, from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sync.catalog.verify.runs import RunInMode
from sync.catalog.verify.state import ModeBounds, calendar_findings, state_findings

T = [datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in range(4)]
STATE = {
    "version": 2,
    "observed_at": T[2],
    "good_asked_at": T[2],
    "good_observed_at": T[2],
    "run_id": 2,
    "models_listed": 5,
    "base_url": "https://one",
}
RUN = RunInMode("success", "success", T[2], T[2], T[1], stamp=T[2], is_good=1, models_listed=5, base_url="https://one")
BOUNDS = ModeBounds(T[1], T[2], 2, RUN, listed=5)


def state_problems(**changed: Any) -> list[str]:
    rows = [{"mode": mode, **STATE} for mode in ("image", "video")]
    return [
        finding.problem
        for finding in state_findings([{**rows[0], **changed}, rows[1]], {"image": BOUNDS, "video": BOUNDS})
    ]


def test_a_state_that_follows_from_its_last_run_has_no_findings() -> None:
    assert state_problems() == []


def test_after_a_run_that_was_not_good_the_last_successful_sync_is_the_one_before() -> None:
    bounds = replace(BOUNDS, run=replace(RUN, status="partial", is_good=0, previous_asked_at=frozenset({T[1]})))
    row = {**STATE, "good_asked_at": T[1], "good_observed_at": T[1]}

    assert (
        list(state_findings([{"mode": "image", **row}, {"mode": "video", **STATE}], {"image": bounds, "video": BOUNDS}))
        == []
    )


@pytest.mark.parametrize(
    "changed",
    [
        *({"version": 1}, {"version": 0}, {"run_id": None}, {"observed_at": None}, {"observed_at": T[1]}),
        *({"models_listed": 4}, {"models_listed": None}, {"base_url": "https://two"}, {"base_url": None}),
        *({"good_asked_at": None}, {"good_asked_at": T[1]}, {"good_observed_at": T[1]}, {"good_observed_at": T[3]}),
    ],
)
def test_a_state_that_contradicts_its_history_is_named(changed: dict[str, Any]) -> None:
    assert state_problems(**changed) != []


def test_a_run_that_was_held_as_a_whole_leaves_good_times_and_base_url() -> None:
    held = replace(RUN, status="held", is_good=0, hold_reason="costs", base_url="https://two")
    held = replace(held, previous_asked_at=frozenset({T[1]}))
    row = {"mode": "image", **STATE, "good_asked_at": T[1], "good_observed_at": T[1]}

    def found(run: RunInMode) -> list[str]:
        bounds = {"image": replace(BOUNDS, run=run), "video": BOUNDS}
        return [each.problem for each in state_findings([row, {"mode": "video", **STATE}], bounds)]

    assert found(held) == []
    assert len(found(replace(held, hold_reason="removals"))) == 1  # removals held back move the base URL
    assert len(found(replace(held, is_good=1))) == 2


def day(number: int) -> dict[str, Any]:
    start = datetime(2026, 3, number, tzinfo=UTC)
    bounds = {"day": date(2026, 3, number), "day_start_at": start, "day_end_at": start + timedelta(days=1)}
    return {**bounds, "month": "2026-03", "is_month_end": 0}


@pytest.mark.parametrize(
    ("numbers", "problems"),
    [
        ([1, 2, 3], []),
        ([1, 3], ["the days between 2026-03-01 and 2026-03-03 are missing"]),
        ([2, 3], ["the day 2026-03-01 of the first change is missing"]),
        ([1, 2], ["the day 2026-03-03 of the last run is missing"]),
        ([1, 2, 3, 4], ["the day 2026-03-04 is later than the last run"]),
    ],
)
def test_the_calendar_goes_from_the_first_change_to_the_last_run(numbers: list[int], problems: list[str]) -> None:
    found = calendar_findings([day(number) for number in numbers], [ModeBounds(T[1], T[2])], [T[2] + timedelta(days=2)])

    assert [finding.problem for finding in found] == problems
