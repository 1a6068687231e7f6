"""Faults G13 and G14: the clock is set under a schedule, and a system without time zones."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from sync.schedule import Timetable, loop, make_timetable, run_forever
from sync.schedule.clock import ClockWatch
from tests.cli.conftest import Shell
from tests.faults.conftest import lines_without_skipped
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import environment, error_line, eventually, finished, run_process, started
from tests.support.database_contents import query_rows
from tests.support.secrets_search import KEY

HOUR = 3600.0
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Clock:
    """The clock of the host, which a test may set."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def time(self) -> float:
        return time.time() + self.ahead

    def now(self, zone: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(self.time(), zone)


@contextmanager
def schedule(timetable: Timetable, runs: list[float]) -> Iterator[list[str]]:
    """A running schedule that records its runs in ``runs``; gives the lines that it prints."""
    lines: list[str] = []
    stop = threading.Event()
    arguments = (timetable, lambda _: runs.append(time.monotonic()), lambda error: lines.append(str(error)), stop)
    thread = threading.Thread(target=run_forever, args=arguments)
    thread.start()
    try:
        yield lines
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the schedule sees; it is compared twenty times a second."""
    clock = Clock()
    monkeypatch.setattr("sync.schedule.loop.datetime", clock)
    monkeypatch.setattr("sync.schedule.loop.ClockWatch", lambda: ClockWatch(wall=clock.time))
    monkeypatch.setattr("sync.schedule.loop.WATCH_SECONDS", 0.05)
    return clock


def more_than(runs: list[float], number: int) -> Callable[[], bool]:
    return lambda: len(runs) > number


@pytest.mark.parametrize("step", [-60.0, -HOUR, -24 * HOUR, -50 * 365 * 24 * HOUR])
def test_g13_an_interval_goes_on_when_the_clock_is_set_back(set_clock: Clock, step: float) -> None:
    runs: list[float] = []
    with schedule(make_timetable(timedelta(seconds=1), None, "UTC", timedelta(0)), runs) as lines:
        eventually(more_than(runs, 1))
        set_clock.ahead += step
        eventually(more_than(runs, len(runs) + 2), within=10)
    (line,) = [line for line in lines if "skipped" not in line]
    assert re.fullmatch(
        rf"the clock was set back by {-step:.0f} s: the next run is due at {TIME}; keep the clock right with NTP", line
    )


@pytest.mark.parametrize("step", [HOUR, 24 * HOUR])
def test_g13_a_run_that_became_due_by_a_step_forward_starts_once(set_clock: Clock, step: float) -> None:
    runs: list[float] = []
    with schedule(make_timetable(timedelta(minutes=15), None, "UTC", timedelta(0)), runs) as lines:
        eventually(more_than(runs, 0))
        set_clock.ahead += step
        eventually(more_than(runs, 1), within=10)
        time.sleep(0.5)
    assert len(runs) == 2
    (line,) = lines
    assert line.startswith(f"the clock was set forward by {step:.0f} s: the next run is due at ")


@pytest.mark.parametrize("timetable", [(timedelta(seconds=1), None), (None, "* * * * *")], ids=["every", "cron"])
def test_g13_a_clock_without_a_battery_is_set_after_the_start(
    set_clock: Clock, timetable: tuple[timedelta | None, str | None]
) -> None:
    """The times between 1970 and today are millions, and one run makes up for them."""
    set_clock.ahead = -time.time() + 3600
    runs: list[float] = []
    with schedule(make_timetable(*timetable, "UTC", timedelta(0)), runs):
        time.sleep(1.2)
        before, set_clock.ahead = len(runs), 0.0
        eventually(more_than(runs, before), within=5)


def test_g13_a_crontab_line_follows_the_clock_when_it_is_set_back(set_clock: Clock) -> None:
    to_half_a_minute = 30 - time.time() % 60
    set_clock.ahead = to_half_a_minute - 24 * HOUR
    runs: list[float] = []
    with schedule(make_timetable(None, "* * * * *", "UTC", timedelta(0)), runs) as lines:
        time.sleep(0.3)
        assert len(runs) == 1  # for the time that passed before the start
        set_clock.ahead = 58 - time.time() % 60 - 48 * HOUR
        eventually(more_than(runs, 1), within=10)
    assert len([line for line in lines if "was set back" in line]) == 1


@pytest.mark.parametrize(
    ("line", "now", "due"),
    [
        ("*/15 * * * *", "2026-03-01T10:10:00Z", "2026-03-01T10:15:00Z"),
        ("0 3 * * *", "2026-02-28T02:59:59Z", "2026-02-28T03:00:00Z"),
        ("0 3 1 * 0", "2026-02-28T12:00:00Z", "2026-03-01T03:00:00Z"),
    ],
)
def test_g13_the_next_time_of_a_crontab_line_is_reckoned_from_the_new_time(line: str, now: str, due: str) -> None:
    assert make_timetable(None, line, "UTC").next_after(datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_g13_the_clock_is_compared_every_30_seconds_at_least() -> None:
    assert loop.WATCH_SECONDS <= 30


def test_g13_steps_are_told_from_time_that_passes_and_small_ones_add_up() -> None:
    wall, steady = 1000.0, 0.0
    watch = ClockWatch(lambda: wall, lambda: steady)
    wall, steady = wall + HOUR, steady + HOUR
    assert watch.step() == 0
    wall -= 4
    assert watch.step() == 0
    wall -= 4
    assert watch.step() == -8
    assert watch.step() == 0
    wall += HOUR
    assert watch.step() == HOUR


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_g14_a_schedule_works_on_a_system_without_zone_data(sqlite_url: str, tmp_path: Path, zone: str) -> None:
    environ = environment(tmp_path, DATABASE_URL=sqlite_url, API_KEY=KEY, BASE_URL="http://127.0.0.1:9/api")
    environ |= {"PYTHONTZPATH": ""}  # as on a slim image: Python looks in no folder of the system
    arguments = ("schedule", "--cron", "0 0 1 1 *", "--timezone", zone)
    with started(*arguments, environ=environ, new_interpreter=True) as process:
        tasks = Path(f"/proc/{process.pid}/task")
        # The main thread, the one that waits for SIGTERM, and the one of the work.
        eventually(lambda: len([*tasks.iterdir()]) > 2)
        time.sleep(1)  # for what the work, in its own thread, does before it waits
        process.send_signal(signal.SIGTERM)
        result = finished(process, within=10)
    assert result == type(result)(0, "", "")


def test_g14_utc_needs_no_zone_data_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_zone(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("sync.schedule.timetable.ZoneInfo", no_zone)
    make_timetable(None, "0 0 * * *", "UTC")


def test_g14_a_zone_that_does_not_exist_is_named(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    line = error_line(shell("schedule", "--cron", "0 0 * * *", "--timezone", "Mars/Olympus"), 2)
    assert re.match(rf"catalog-sync: {TIME} 'Mars/Olympus' is not a time zone", line)


def test_g13_each_line_that_a_schedule_prints_has_a_time(sqlite_url: str, tmp_path: Path) -> None:
    with emulator([catalog(*numbered_models(2))]) as api:
        environ = environment(tmp_path, DATABASE_URL=sqlite_url, API_KEY=KEY, BASE_URL=api.base_url)
        with started("schedule", "--every", "1s", environ=environ) as process:
            eventually(lambda: query_rows(sqlite_url, "SELECT COUNT(*) FROM sync_runs WHERE status = 'success'")[0][0])
            api.close()
            eventually(lambda: query_rows(sqlite_url, "SELECT COUNT(*) FROM sync_runs WHERE status = 'failed'")[0][0])
            process.send_signal(signal.SIGTERM)
            result = finished(process, within=10)
    printed = result.out.splitlines()
    assert re.match(rf"{TIME} run 1 success: ", printed[0])
    assert all(re.match(rf"{TIME} ", line) for line in printed)
    failures = lines_without_skipped(result.err)
    assert failures
    assert all(re.match(rf"catalog-sync: {TIME} ", line) for line in failures)


def test_g13_an_error_that_ends_a_schedule_has_a_time(tmp_path: Path) -> None:
    environ = environment(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/none.db", API_KEY=KEY)
    line = error_line(run_process("schedule", "--every", "1h", environ=environ), 2)
    assert re.match(rf"catalog-sync: {TIME} there is no database at ", line)
