"""The times of a crontab line, forward and back. APScheduler knows only the times after a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
# The 29th of February comes again after eight years at most.
_LONGEST_GAP = timedelta(days=9 * 366)


class CronTimes:
    """The times of a trigger of crontab lines, in UTC."""

    def __init__(self, trigger: BaseTrigger) -> None:
        self._trigger = trigger

    def next_after(self, moment: datetime) -> datetime:
        """The first time after a moment."""
        due: datetime | None = self._trigger.get_next_fire_time(None, moment + _MICROSECOND)
        return datetime.max.replace(tzinfo=UTC) if due is None else due.astimezone(UTC)

    def latest(self, moment: datetime) -> datetime | None:
        """The last time at or before a moment; None if there is none in the years before it."""
        before = self._some_time_before(moment)
        if before is None:
            return None
        after = moment
        while after - before > _MINUTE:
            middle = before + (after - before) / 2
            before, after = (middle, after) if self.next_after(middle) <= moment else (before, middle)
        time = self.next_after(before)
        while (later := self.next_after(time)) <= moment:
            time = later
        return time

    def _some_time_before(self, moment: datetime) -> datetime | None:
        """A moment that is followed by a time at or before the given one."""
        back = _MINUTE
        while back < 2 * _LONGEST_GAP:
            if self.next_after(moment - back) <= moment:
                return moment - back
            back *= 2
        return None
