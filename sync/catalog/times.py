"""When a response shows the catalog, and what a copy from a cache may say beside what is stored. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

EARLIEST_YEAR = 2000
"""The API is younger. An earlier time is a mistake, and would add a row per day to the calendar."""

# Two hosts that sync the same catalog, and a cache that counts whole seconds, differ by less.
_TOLERANCE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
_HOURS_UNIT = 360_000  # microseconds in a ten-thousandth of an hour


def seen_from(asked_at: datetime, age: int | None) -> datetime:
    """What a response shows was so at this time or later: when it was requested, less its age in a cache."""
    try:
        return asked_at - timedelta(seconds=age or 0)
    except OverflowError:  # an age that somebody stored
        return datetime.min.replace(tzinfo=UTC)


def is_older_copy(asked_at: datetime, age: int | None, last: datetime | None) -> bool:
    """Whether a cache sent a copy that is older than the mode's last good observation.

    ``last`` is the ``good_asked_at`` of the mode. What such a copy has different may be a change undone long ago.
    A request that only seems earlier, because the clock was set back, is none.
    """
    if last is None or age is None or age <= _TOLERANCE.total_seconds():
        return False
    return seen_from(asked_at, age) < last - _TOLERANCE


def good_start(asked_at: datetime, age: int | None, last: datetime | None) -> datetime:
    """The ``good_asked_at`` that a good run leaves, where it was ``last`` before.

    An older copy takes nothing back of what is known. A clock that was set back does: the time before was wrong.
    """
    start = seen_from(asked_at, age)
    return last if last is not None and start < last <= asked_at else start


def unsure_hours(not_before: datetime | None, changed_at: datetime) -> Decimal | None:
    """The hours in which a change may have happened, rounded to 4 decimals; None if its earliest time is not known."""
    if not_before is None:
        return None
    # Half up, as the revision that added the column does on each database.
    units = ((changed_at - not_before) // _MICROSECOND + _HOURS_UNIT // 2) // _HOURS_UNIT
    return Decimal(units).scaleb(-4)


def month_of(day: date) -> str:
    """The month of a day, such as 2026-03."""
    return day.isoformat()[:7]


def is_month_end(day: date) -> bool:
    return day == date.max or (day + timedelta(days=1)).day == 1
