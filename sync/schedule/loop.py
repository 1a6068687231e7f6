"""Runs at the times of a timetable, whatever happens to the clock of the host meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from sync.errors import Interrupted, ScheduleNotice
from sync.schedule.clock import ClockWatch

if TYPE_CHECKING:
    from sync.schedule.timetable import Timetable

# A wait ends by a clock that nobody sets and that stops while the machine sleeps. After a step or a sleep a run is
# late by this at most.
WATCH_SECONDS = 15.0


class Tick(NamedTuple):
    """A time of a timetable at which a run is due."""

    time: datetime
    at_start: bool = False
    """Whether the time passed before the schedule began, so that a run may have been made for it."""


class _Due(NamedTuple):
    tick: Tick
    at: datetime
    """When the run starts: the time of the tick, and its delay."""


def run_forever(
    timetable: Timetable,
    run_once: Callable[[Tick], None],
    print_error: Callable[[BaseException], None],
    stop: threading.Event,
) -> None:
    """Calls ``run_once`` for each time until ``stop`` is set; its errors are passed to ``print_error``.

    The first call is at once, for the last time that passed. Of times missed while the machine sleeps only the last
    one is made up for. A time that comes while a run is active is skipped and reported to ``print_error``. So is a
    step of the clock; the next run is then at most ``WATCH_SECONDS`` late.
    """

    def guarded(tick: Tick) -> None:
        try:
            run_once(tick)
        except Interrupted:
            return  # a stop is not a failure
        except Exception as error:  # noqa: BLE001  # after any error the next run starts at its time
            print_error(error)

    watch, active, skipped = ClockWatch(), None, 0
    due = _first(timetable, datetime.now(UTC))
    # The active run sees the same event and ends soon; how long it may take is decided in process/signals.
    with ThreadPoolExecutor(1) as worker:
        while not stop.wait(min(WATCH_SECONDS, max(0.0, (due.at - datetime.now(UTC)).total_seconds()))):
            step, now = watch.step(), datetime.now(UTC)
            if step:
                due = _after_step(timetable, due, now)
                print_error(_stepped(step, max(due.at, now)))
            if now < due.at:
                continue
            if _is_active(active):
                skipped += 1
                print_error(_skipped(skipped))
            else:
                active = worker.submit(guarded, _last_passed(timetable, due, now))
            due = _after(timetable, now)


def _first(timetable: Timetable, now: datetime) -> _Due:
    passed = timetable.latest(now)
    return _after(timetable, now) if passed is None else _Due(Tick(passed, at_start=True), now)


def _after(timetable: Timetable, now: datetime) -> _Due:
    time = timetable.next_after(now)
    return _Due(Tick(time), time + timetable.delay(time, random.random()))  # noqa: S311  # jitter


def _after_step(timetable: Timetable, due: _Due, now: datetime) -> _Due:
    """The next run by the new time of the clock. A time that has passed stays due: its run may be delayed still."""
    return due if due.tick.time <= now else _after(timetable, now)


def _last_passed(timetable: Timetable, due: _Due, now: datetime) -> Tick:
    """The last time that has passed, of those that were missed, and of one that is due."""
    passed = timetable.latest(now)
    return due.tick if passed is None or passed <= due.tick.time else Tick(passed)


def _is_active(run: Future[None] | None) -> bool:
    return run is not None and not run.done()


def _stepped(step: float, due: datetime) -> ScheduleNotice:
    direction = "back" if step < 0 else "forward"
    return ScheduleNotice(
        f"the clock was set {direction} by {abs(step):.0f} s: the next run is due at"
        f" {due:%Y-%m-%dT%H:%M:%SZ}; keep the clock right with NTP"
    )


def _skipped(number: int) -> ScheduleNotice:
    return ScheduleNotice(
        f"a run was skipped: the one before it was still active ({number} skipped so far); schedule fewer runs"
    )
