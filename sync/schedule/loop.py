"""Runs at the times of a timetable, whatever happens to the clock of the host meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from sync.errors import CatalogSyncError, Interrupted
from sync.schedule.clock import ClockWatch

if TYPE_CHECKING:
    from apscheduler.job import Job

    from sync.schedule.timetable import Timetable

# APScheduler waits for a time by a clock that nobody sets and that stops while the machine sleeps. After a step or a
# sleep a run is late by this at most.
WATCH_SECONDS = 15.0


def run_forever(
    timetable: Timetable,
    run_once: Callable[[], None],
    print_error: Callable[[BaseException], None],
    stop: threading.Event,
) -> None:
    """Calls ``run_once`` at the set times until ``stop`` is set; its errors are passed to ``print_error``.

    Times missed while the machine sleeps are made up for by a single run. A time that comes while a
    run is active is skipped and reported to ``print_error``. So is a step of the clock; the next run
    is then at most ``WATCH_SECONDS`` late.
    """
    from apscheduler.events import EVENT_JOB_MAX_INSTANCES
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    skipped = count(1)

    def guarded() -> None:
        try:
            run_once()
        except Interrupted:
            return  # a stop is not a failure
        except Exception as error:  # noqa: BLE001  # after any error the next run starts at its time
            print_error(error)

    watch = ClockWatch()
    # Jobs are kept in memory. Schedulers on several hosts do not know each other; sync_state decides which
    # of their runs is stored.
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone=UTC)
    scheduler.add_listener(lambda _: print_error(_skipped(next(skipped))), EVENT_JOB_MAX_INSTANCES)
    first = {"next_run_time": datetime.now(UTC)} if timetable.starts_now else {}
    # Without misfire_grace_time=None APScheduler drops a run that starts more than a second late; coalesce makes
    # one run of all that were missed.
    job = scheduler.add_job(
        guarded, timetable.trigger, coalesce=True, max_instances=1, misfire_grace_time=None, **first
    )
    scheduler.start()
    while not stop.wait(WATCH_SECONDS):
        if step := watch.step():
            print_error(_follow_clock(job, timetable, step))
        scheduler.wakeup()  # compares its times with the clock
    # The active run sees the same event and ends soon; how long it may take is decided in process/signals.
    scheduler.shutdown(wait=True)


def _follow_clock(job: Job, timetable: Timetable, step: float) -> CatalogSyncError:
    """Reckons the next time of the job by the new time of the clock; the error says what happened."""
    now = datetime.now(UTC)
    due: datetime = job.next_run_time
    # After a step forward, a time that has passed is due at once, and one that has not is still right.
    if step < 0:
        due = timetable.next_after(now, due + timedelta(seconds=step))
        job.modify(next_run_time=due)
    direction = "back" if step < 0 else "forward"
    return CatalogSyncError(
        f"the clock was set {direction} by {abs(step):.0f} s: the next run is due at"
        f" {max(due.astimezone(UTC), now):%Y-%m-%dT%H:%M:%SZ}; keep the clock right with NTP"
    )


def _skipped(number: int) -> CatalogSyncError:
    return CatalogSyncError(
        f"a run was skipped: the one before it was still active ({number} skipped so far); schedule fewer runs"
    )
