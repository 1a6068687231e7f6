"""The marks of a time axis: whole minutes, hours, days, months or years, as many as there is room for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sync.catalog.history.report_data import Period
from sync.show.report.scales import TimeScale, number

_MOST_MARKS = 5
_DAY = 86400
_STEPS = (
    ("minutes", 60, (1, 5, 15, 30)),
    ("minutes", 60, (60, 180, 360, 720)),
    ("days", _DAY, (1, 2, 7, 14)),
    ("months", 31 * _DAY, (1, 2, 3, 6)),
    ("months", 31 * _DAY, (12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 24000)),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on the axis. ``text`` is empty where it would not fit beside the end of the axis."""

    x: str
    text: str


def marks(period: Period, width: float, room: float = 16.0) -> list[Mark]:
    """The marks of an axis for the period. A text less than ``room`` from an end of the axis is left out."""
    times = TimeScale(period, width)
    unit, step = _step(period.seconds)
    found = []
    for moment in _moments(period, unit, step):
        x = times.x(moment)
        found.append(Mark(number(x), _text(moment, unit) if room <= x <= width - room else ""))
    return found


def _step(seconds: float) -> tuple[str, int]:
    """The shortest step with which there are not too many marks."""
    for unit, length, steps in _STEPS:
        for step in steps:
            if seconds / (length * step) <= _MOST_MARKS:
                return unit, step
    return "months", 24000


def _moments(period: Period, unit: str, step: int) -> Iterator[datetime]:
    moment = _first(period.since.astimezone(UTC), unit, step)
    while moment < period.until:
        if moment >= period.since:
            yield moment
        try:
            moment = _later(moment, unit, step)
        except (OverflowError, ValueError):
            return  # beyond the year 9999


def _first(since: datetime, unit: str, step: int) -> datetime:
    """A moment of the grid at or before the start of the period."""
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "minutes":
        return day
    if unit == "days":
        return day.replace(day=1)
    years = max(step // 12, 1)
    return day.replace(year=max(since.year - since.year % years, 1), month=1, day=1)


def _later(moment: datetime, unit: str, step: int) -> datetime:
    if unit != "months":
        return moment + timedelta(**{unit: step})
    months = moment.month - 1 + step
    return moment.replace(year=moment.year + months // 12, month=months % 12 + 1)


def _text(moment: datetime, unit: str) -> str:
    """A time of day, a day, or a month; a year for its first month."""
    if unit == "minutes":
        return f"{moment:%H:%M}"
    if unit == "days":
        return f"{moment.day} {moment:%b}"
    return f"{moment.year}" if moment.month == 1 else f"{moment:%b}"
