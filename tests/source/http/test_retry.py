"""When a request is sent again."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from sync.source.http.retry import RetryPolicy, parse_http_date, parse_retry_after, wait_before

_NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


class MostWait(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return b


@pytest.mark.parametrize(("attempt", "longest"), [(2, 0.5), (3, 1), (4, 2), (5, 4), (9, 30), (10_000, 30)])
def test_the_wait_doubles_up_to_a_bound(attempt: int, longest: float) -> None:
    assert wait_before(attempt, None, RetryPolicy(), MostWait()) == longest


def test_the_wait_is_random_between_zero_and_the_bound() -> None:
    rng = random.Random(1)
    waits = [wait_before(4, None, RetryPolicy(), rng) for _ in range(1000)]
    assert 0 <= min(waits) < 0.1
    assert 1.9 < max(waits) <= 2


@pytest.mark.parametrize("retry_after", [0.0, 7.0, 86_400.0])
def test_a_wait_that_the_server_requires_is_exact(retry_after: float) -> None:
    assert wait_before(2, retry_after, RetryPolicy(), MostWait()) == retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("9" * 5000, 10**10),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
        ("Sun, 06 Nov 1994 09:49:37 +0100", 0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("\u0665", None),
        ("\xb2", None),
        ("", None),
        (None, None),
        ("Sun, 99 Nov 1994 08:50:07 GMT", None),
        ("Sun, 06 Nov 99999999999999999999 08:50:07 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, _NOW) == seconds


def test_a_date_without_a_zone_is_taken_as_utc() -> None:
    assert parse_http_date("Sun, 06 Nov 1994 08:49:37 -0000") == _NOW


@pytest.mark.parametrize("text", ["Fri, 31 Dec 9999 23:59:59 -2300", "()", ",,,"])
def test_a_date_outside_the_calendar_gives_none(text: str) -> None:
    assert parse_http_date(text) is None
