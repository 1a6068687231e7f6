"""When to run: the options of ``schedule`` as times, with the meaning that they have to cron."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.errors import UsageError

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

# In the order of cron: the index is the number that cron gives the day.
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_CRON_FIELDS = 5
# APScheduler adds durations to dates, which end in the year 9999; a longer one is a typing error.
_MAX_DURATION = timedelta(days=366)


@dataclass(frozen=True)
class Timetable:
    """When to run."""

    trigger: BaseTrigger
    every: timedelta | None
    """The longest time between two runs; None for the times of a crontab line."""

    @property
    def starts_now(self) -> bool:
        """Whether the first run starts at once, before the first time of the trigger."""
        return self.every is not None

    def next_after(self, now: datetime, planned: datetime) -> datetime:
        """The next time after the clock was set back; ``planned`` is as far ahead as the time was before.

        A crontab line is about the clock, an interval is not.
        """
        if self.every is not None:
            return min(planned, now + self.every)
        due: datetime | None = self.trigger.get_next_fire_time(None, now)
        return due or planned


def make_timetable(every: timedelta | None, cron: str | None, timezone: str, jitter: timedelta) -> Timetable:
    """The timetable for the options of ``schedule``.

    Each time is later by a random duration up to ``jitter``. Raises ``UsageError`` unless exactly one
    of ``every``, of at least a second, and ``cron``, the five fields of a crontab line, is given.
    """
    if (every is None) == (cron is None):
        raise UsageError("schedule needs either --every or --cron; give --every 15m or --cron '*/15 * * * *'")
    if max(every or jitter, jitter) > _MAX_DURATION:
        raise UsageError("--every or --jitter is longer than a year; give a shorter duration, such as 15m")
    zone = _zone(timezone)
    seconds = int(jitter.total_seconds()) or None
    if every is not None:
        return Timetable(_interval(every, seconds), every + jitter)
    trigger = _cron((cron or "").split(), zone, seconds)
    if trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise UsageError(f"--cron {cron!r} never starts a run: it names a day that does not exist; correct the line")
    return Timetable(trigger, None)


def weekdays(field: str) -> str:
    """The weekday field of a crontab line as names, since cron counts from Sunday and APScheduler from Monday."""
    return ",".join(name for item in field.split(",") for name in _weekday_item(item))


def _weekday_item(item: str) -> Iterator[str]:
    days, _, step = item.partition("/")
    if days == "*":
        first, last = 0, 6
    else:
        start, dash, end = days.partition("-")
        first = _weekday_number(start)
        last = _weekday_number(end) if dash else (6 if step else first)
    if last < first:
        last += 7  # a range over Sunday, such as fri-mon
    for number in range(first, last + 1, _step(step)):
        yield _DAYS[number % 7]


def _weekday_number(text: str) -> int:
    for names in (_DAYS, _DAY_NAMES):
        if text.lower() in names:
            return names.index(text.lower())
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise UsageError(f"{text!r} is not a weekday; write 0 to 7 (0 and 7 are Sunday) or sun to sat")


def _step(text: str) -> int:
    if not text:
        return 1
    if text.isdecimal() and int(text):
        return int(text)
    raise UsageError(f"{text!r} is not a step; write a number from 1, such as the 2 in */2")


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # needs no zone data
    try:
        return ZoneInfo(name)
    # ZoneInfo opens a file of that name: paths are a ValueError, directories an OSError.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is not a time zone; write UTC or a name such as Europe/Berlin") from None


def _interval(every: timedelta, jitter: int | None) -> BaseTrigger:
    from sync.schedule.triggers import IntervalTimes

    if every < timedelta(seconds=1):
        raise UsageError("--every is shorter than a second; give a longer duration, such as 15m")
    return IntervalTimes(seconds=int(every.total_seconds()), timezone=UTC, jitter=jitter)


def _cron(fields: list[str], zone: tzinfo, jitter: int | None) -> BaseTrigger:
    from apscheduler.triggers.combining import OrTrigger

    from sync.schedule.triggers import CronTimes

    if len(fields) != _CRON_FIELDS:
        raise UsageError("--cron does not have five fields; write a crontab line in quotes, such as '*/15 * * * *'")
    minute, hour, day, month, weekday = fields
    shared = {"minute": minute, "hour": hour, "month": month, "timezone": zone, "jitter": jitter}
    # Names, since APScheduler reads the number 0 as Monday.
    named = "*" if weekday == "*" else weekdays(weekday)
    try:
        if day.startswith("*") or weekday.startswith("*"):
            return CronTimes(day=day, day_of_week=named, **shared)
        # As in cron: when day and weekday are both restricted, a day that matches either of them counts.
        return OrTrigger([CronTimes(day=day, **shared), CronTimes(day_of_week=named, **shared)])
    except ValueError as error:
        raise UsageError(f"--cron {' '.join(fields)!r} is not a crontab line: {error}; correct it") from error
