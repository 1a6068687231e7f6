"""Triggers of APScheduler that make one time of all that were missed.

APScheduler lists every missed time before it makes one run of them. After a clock without a battery
was set from 1970 to today, the times of a minute are millions.
"""

from __future__ import annotations

from datetime import datetime

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger


class CronTimes(CronTrigger):  # type: ignore[misc] # APScheduler ships no types
    """The times of a crontab line; after one that is due, the next one is in the future."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        due: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        if due is not None and previous_fire_time is not None and due <= now:
            due = super().get_next_fire_time(now, now)
        return due


class IntervalTimes(IntervalTrigger):  # type: ignore[misc] # as above
    """Times at an equal distance; after one that is due, the next one is in the future."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        if previous_fire_time is not None and now > previous_fire_time:
            previous_fire_time += (now - previous_fire_time) // self.interval * self.interval
        due: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        return due
