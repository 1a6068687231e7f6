"""Runs at set times, one at a time, until a stop is requested."""

from __future__ import annotations

from sync.schedule.loop import Tick, run_forever
from sync.schedule.timetable import Timetable, make_timetable, weekdays

__all__ = ["Tick", "Timetable", "make_timetable", "run_forever", "weekdays"]
