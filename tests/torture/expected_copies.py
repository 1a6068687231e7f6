"""Decides in plain Python what a copy from a cache leaves, and whether it is older than what is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def is_stale(age: int | None) -> bool:
    return age is not None and timedelta(seconds=age) > _HOUR


def is_older(last: datetime | None, asked_at: datetime, age: int | None) -> bool:
    """Whether a copy shows the catalog from before the last good observation, beyond what clocks differ by."""
    in_cache = timedelta(seconds=age or 0)
    return last is not None and in_cache > _MINUTE and last - (asked_at - in_cache) > _MINUTE


def good_start(last: datetime | None, asked_at: datetime, age: int | None) -> datetime:
    """From when on the catalog is known to be as a good response shows it."""
    start = asked_at - timedelta(seconds=age or 0)
    # A time after the request was by a clock that has been set back.
    return start if last is None or last > asked_at else max(last, start)
