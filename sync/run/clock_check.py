"""Compares the host's clock with the API's. Pure: the times are arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sync.catalog.text import one_line
from sync.catalog.times import EARLIEST_YEAR
from sync.errors import UsageError
from sync.source.http.response_time import MAX_AGE, NOTED_AGE, stale_copy_error
from sync.source.http.results import Fetched

# Time zones and daylight saving are no part of either clock, and a host with NTP is exact to a fraction of a second.
MAX_DIFFERENCE = timedelta(hours=1)
_TIME = "%Y-%m-%d %H:%M:%S"


def require_clocks_agree(responses: Iterable[Fetched]) -> None:
    """Raises ``UsageError`` if this host's clock differs from the API's by more than an hour or cannot be right.

    The time of a run cannot be corrected later, and a mode's timestamps only move forward: one from a clock that is
    ahead would push all later ones ahead too, and one from a clock that is behind would date changes too early.
    """
    for response in responses:
        if response.server_date is not None:
            _require_agrees(response, response.server_date)
        _require_possible(response)


def require_fresh(response: Fetched) -> None:
    """Raises ``ApiUnreachable`` for a copy that a cache kept for too long."""
    if response.age is not None and response.age > MAX_AGE:
        raise stale_copy_error(response.mode, response.age)


def time_notes(response: Fetched) -> Iterator[str]:
    """What a person should know about the age of a response and about headers that could not be used."""
    if response.age is not None and response.age > NOTED_AGE:
        yield f"the response for mode {response.mode} comes from a cache and is {response.age} s old"
    if response.problems:
        yield one_line(f"of the response for mode {response.mode}, {' and '.join(response.problems)}")


def _require_possible(response: Fetched) -> None:
    """A proxy may strip the Date, and then there is no other clock."""
    host = response.headers_at or response.arrived_at
    if host.year < EARLIEST_YEAR:
        raise UsageError(
            f"the sync was not stored: this host's clock says {host:{_TIME}} UTC, which is before the year"
            f" {EARLIEST_YEAR}; correct this host's clock and run again"
        )


def _require_agrees(response: Fetched, date: datetime) -> None:
    age = timedelta(seconds=response.age or 0)
    # Not when the body had arrived: a slow one may take as long as the deadline allows.
    host = response.headers_at or response.arrived_at
    # A difference of times cannot overflow, as a sum can.
    if abs(host - date - age) <= MAX_DIFFERENCE:
        return
    cached = f" (a Date of {date:{_TIME}} and an Age of {response.age} s)" if response.age else ""
    raise UsageError(
        f"the sync was not stored: this host's clock says {host:{_TIME}} UTC, the API's clock"
        f" {_api_time(date, age):{_TIME}} UTC{cached}; correct this host's clock and run again, or find the cache"
        " or proxy that sends another time in place of the API"
    )


def _api_time(date: datetime, age: timedelta) -> datetime:
    try:
        return date + age
    except OverflowError:  # a date in the year 9999
        return date
