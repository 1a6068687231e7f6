"""Finds steps of the host's clock: what an administrator, NTP or a virtual machine sets, not time that passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

# Smaller steps make no run noticeably late; they are reported once they add up to this.
SMALLEST_STEP_SECONDS = 5.0
# Between two readings a busy machine may suspend the process, which is no step.
_LONGEST_READING_SECONDS = 0.5
_MOST_READINGS = 10


def steady_time() -> float:
    """Seconds of a clock that nobody can set; where the system has one, it goes on while the machine sleeps."""
    with suppress(AttributeError, OSError):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class ClockWatch:
    """Compares the clock of the host with one that nobody can set."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady_time) -> None:
        self._wall, self._steady = wall, steady
        self._difference = self._read()

    def step(self) -> float:
        """The seconds by which the clock was set since the last step, negative when back; 0 without a step."""
        difference = self._read()
        step = difference - self._difference
        if abs(step) < SMALLEST_STEP_SECONDS:
            return 0.0
        self._difference = difference
        return step

    def _read(self) -> float:
        for _ in range(_MOST_READINGS):
            before = self._steady()
            difference = self._wall() - before
            if self._steady() - before < _LONGEST_READING_SECONDS:
                break
        return difference
