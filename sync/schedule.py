"""Runs at set times, one at a time, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.errors import CatalogSyncError, Interrupted, UsageError

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_CRON_FIELDS = 5
_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Timetable:
    """When to run."""

    trigger: BaseTrigger
    starts_now: bool
    """Whether the first run comes at once, and not only at the trigger's first time."""


def make_timetable(every: timedelta | None, cron: str | None, timezone: str, jitter: timedelta) -> Timetable:
    """A timetable from what a user gave.

    Each time comes later by up to ``jitter``, by chance. Raises ``UsageError`` unless exactly one
    of ``every`` and ``cron`` is given, and is a span of a second or more, or a crontab line.
    """
    if (every is None) == (cron is None):
        raise UsageError("say when to run: either --every 15m or --cron '*/15 * * * *'")
    if max(every or jitter, jitter) > _LONGEST:
        raise UsageError("--every and --jitter must be a year at most, such as 15m")
    zone = _zone(timezone)
    seconds = int(jitter.total_seconds()) or None
    if every is not None:
        return Timetable(_interval(every, seconds), starts_now=True)
    trigger = _cron((cron or "").split(), zone, seconds)
    if trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise UsageError(f"--cron {cron!r} names a time that never comes, such as the 31st of February")
    return Timetable(trigger, starts_now=False)


def run_forever(
    timetable: Timetable,
    once: Callable[[], None],
    print_error: Callable[[BaseException], None],
    stop: threading.Event,
) -> None:
    """Calls ``once`` at the set times until ``stop`` is set; what it raises goes to ``print_error``.

    Times that pass while the machine sleeps are made up for by a single run; one that comes while
    a run is at work is passed over, and told.
    """
    from apscheduler.events import EVENT_JOB_MAX_INSTANCES
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    skipped = count(1)

    def guarded() -> None:
        try:
            once()
        except Interrupted:
            return  # stopping is no failure
        except Exception as error:  # noqa: BLE001  # whatever it was, the next run comes at its time
            print_error(error)

    # Jobs are kept in memory: a second scheduler is unknown to this one, and the database decides
    # between their runs.
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC")
    scheduler.add_listener(lambda _: print_error(_still_at_work(next(skipped))), EVENT_JOB_MAX_INSTANCES)
    first = {"next_run_time": datetime.now(UTC)} if timetable.starts_now else {}
    scheduler.add_job(guarded, timetable.trigger, coalesce=True, max_instances=1, misfire_grace_time=None, **first)
    scheduler.start()
    stop.wait()
    scheduler.shutdown(wait=True)


def _still_at_work(number: int) -> CatalogSyncError:
    return CatalogSyncError(
        f"a run was still at work when the next was due: that one was passed over ({number} so far); run less often"
    )


def weekdays(field: str) -> str:
    """The weekday field of a crontab line in names: there 0 and 7 are Sunday, in APScheduler Monday is 0."""
    return ",".join(name for item in field.split(",") for name in _weekday_item(item))


def _weekday_item(item: str) -> Iterator[str]:
    span, _, step = item.partition("/")
    if span == "*":
        first, last = 0, 6
    else:
        start, dash, end = span.partition("-")
        first = _weekday_number(start)
        last = _weekday_number(end) if dash else (6 if step else first)
    if last < first:
        last += 7  # fri-mon
    for number in range(first, last + 1, _step(step)):
        yield _DAYS[number % 7]


def _weekday_number(text: str) -> int:
    for names in (_DAYS, _DAY_NAMES):
        if text.lower() in names:
            return names.index(text.lower())
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise UsageError(f"{text!r} is no weekday: write 0 to 7 (0 and 7 are Sunday) or sun to sat")


def _step(text: str) -> int:
    if not text:
        return 1
    if text.isdecimal() and int(text):
        return int(text)
    raise UsageError(f"{text!r} is no step: write a number such as the 2 in */2")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is no time zone: write UTC or a name such as Europe/Berlin") from None


def _interval(every: timedelta, jitter: int | None) -> BaseTrigger:
    from apscheduler.triggers.interval import IntervalTrigger

    if every < timedelta(seconds=1):
        raise UsageError("--every must be a second at least, such as 15m")
    return IntervalTrigger(seconds=int(every.total_seconds()), timezone="UTC", jitter=jitter)


def _cron(fields: list[str], zone: ZoneInfo, jitter: int | None) -> BaseTrigger:
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    if len(fields) != _CRON_FIELDS:
        raise UsageError("--cron takes the five fields of a crontab line in quotes, such as '*/15 * * * *'")
    minute, hour, day, month, weekday = fields
    shared = {"minute": minute, "hour": hour, "month": month, "timezone": zone, "jitter": jitter}
    named = "*" if weekday == "*" else weekdays(weekday)
    try:
        if day.startswith("*") or weekday.startswith("*"):
            return CronTrigger(day=day, day_of_week=named, **shared)
        # As in cron: when both are given, either is enough.
        return OrTrigger([CronTrigger(day=day, **shared), CronTrigger(day_of_week=named, **shared)])
    except ValueError as error:
        raise UsageError(f"--cron {' '.join(fields)!r} is no crontab line: {error}") from error
