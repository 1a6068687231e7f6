"""What a copy from a cache may say beside what is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.catalog.times import good_start, is_older_copy, seen_from

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.mark.parametrize("age", [None, 0])
def test_without_an_age_a_response_shows_the_catalog_from_its_request_on(age: int | None) -> None:
    assert seen_from(NOON, age) == NOON


def test_an_age_is_subtracted_from_the_request() -> None:
    assert seen_from(NOON, 90) == NOON - 90 * SECOND


@pytest.mark.parametrize(
    ("asked_at", "age", "is_older"),
    [
        (NOON + 9 * MINUTE, 600, False),
        (NOON + 9 * MINUTE, 601, True),
        (NOON + 9 * MINUTE, 3600, True),
        (NOON + 60 * MINUTE, 3600, False),
        # Clocks that differ, or one that was set back.
        (NOON - MINUTE, 60, False),
        (NOON - MINUTE, 61, True),
        (NOON - 30 * MINUTE, None, False),
        (NOON - 30 * MINUTE, 0, False),
    ],
)
def test_a_copy_is_older_if_it_is_more_than_a_minute_before_the_last_observation(
    asked_at: datetime,
    age: int | None,
    is_older: bool,  # noqa: FBT001
) -> None:
    assert is_older_copy(asked_at, age, NOON) == is_older


def test_no_copy_is_older_than_nothing() -> None:
    assert not is_older_copy(NOON, 3600, None)


@pytest.mark.parametrize(
    ("asked_at", "age", "expected"),
    [
        (NOON + 10 * MINUTE, None, NOON + 10 * MINUTE),
        (NOON + 10 * MINUTE, 300, NOON + 5 * MINUTE),
        (NOON + 10 * MINUTE, 601, NOON),
        (NOON, 1, NOON),
        (NOON - SECOND, 1, NOON - 2 * SECOND),
        (NOON - SECOND, None, NOON - SECOND),
    ],
)
def test_an_older_copy_takes_nothing_back_and_a_clock_that_was_set_back_does(
    asked_at: datetime, age: int | None, expected: datetime
) -> None:
    assert good_start(asked_at, age, NOON) == expected


def test_the_first_observation_is_its_own() -> None:
    assert good_start(NOON, 30, None) == NOON - 30 * SECOND
