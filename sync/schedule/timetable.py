"""When to run: the options of ``schedule`` as times, with the meaning that they have to cron."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.catalog.ticks import LONGEST_SPAN, last_multiple, require_span
from sync.errors import UsageError
from sync.schedule.triggers import CronTimes

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

# In the order of cron: the index is the number that cron gives the day.
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_CRON_FIELDS = 5
# Processes that start a run at the same moment would leave the choice of the one that makes it to their speed: always
# the same one, even when only that one has a wrong setting. And the API would get the requests of everybody at once.
LONGEST_USUAL_DELAY = timedelta(seconds=30)


@dataclass(frozen=True)
class Timetable:
    """The times at which to run, the same in every process with the same options, and how late a run may start."""

    latest: Callable[[datetime], datetime | None]
    """The last time at or before a moment."""
    next_after: Callable[[datetime], datetime]
    """The first time after a moment."""
    jitter: timedelta | None = None
    """The longest delay of a run; None for a tenth of the time to the next one, at most ``LONGEST_USUAL_DELAY``."""

    def delay(self, time: datetime, chance: float) -> timedelta:
        """The delay of the run of a time, for a number from 0 to 1. It never reaches the next time."""
        gap = self.next_after(time) - time
        usual = min(gap / 10, LONGEST_USUAL_DELAY)
        return chance * (usual if self.jitter is None else min(self.jitter, gap))


def make_timetable(
    every: timedelta | None, cron: str | None, timezone: str, jitter: timedelta | None = None
) -> Timetable:
    """The timetable for the options of ``schedule``.

    Raises ``UsageError`` unless exactly one of ``every``, of a second to a day, and ``cron``, the five fields of a
    crontab line, is given, and for a ``jitter`` that reaches the next time of ``every``, or is longer than a day.
    """
    if (every is None) == (cron is None):
        raise UsageError("schedule needs either --every or --cron; give --every 15m or --cron '*/15 * * * *'")
    if every is not None:
        return _grid(every, jitter)
    if jitter is not None and jitter > LONGEST_SPAN:
        raise UsageError("--jitter is longer than a day; give a shorter duration, such as 30s")
    trigger = _cron((cron or "").split(), _zone(timezone))
    if trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise UsageError(f"--cron {cron!r} never starts a run: it names a day that does not exist; correct the line")
    times = CronTimes(trigger)
    return Timetable(times.latest, times.next_after, jitter)


def _grid(every: timedelta, jitter: timedelta | None) -> Timetable:
    span = require_span("--every", every)
    if jitter is not None and jitter >= span:
        raise UsageError("--jitter is not shorter than --every; give a shorter duration, such as 30s")
    return Timetable(
        lambda moment: last_multiple(moment, span), lambda moment: last_multiple(moment, span) + span, jitter
    )


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


def _cron(fields: list[str], zone: tzinfo) -> BaseTrigger:
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    if len(fields) != _CRON_FIELDS:
        raise UsageError("--cron does not have five fields; write a crontab line in quotes, such as '*/15 * * * *'")
    minute, hour, day, month, weekday = fields
    shared = {"minute": minute, "hour": hour, "month": month, "timezone": zone}
    # Names, since APScheduler reads the number 0 as Monday.
    named = "*" if weekday == "*" else weekdays(weekday)
    try:
        if day.startswith("*") or weekday.startswith("*"):
            return CronTrigger(day=day, day_of_week=named, **shared)
        # As in cron: when day and weekday are both restricted, a day that matches either of them counts.
        return OrTrigger([CronTrigger(day=day, **shared), CronTrigger(day_of_week=named, **shared)])
    except ValueError as error:
        raise UsageError(f"--cron {' '.join(fields)!r} is not a crontab line: {error}; correct it") from error
