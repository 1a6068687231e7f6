"""The times of ``schedule``: crontab lines mean what they mean to cron, and one run is active at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sync.cli.param_types import parse_duration
from sync.errors import Interrupted, UsageError
from sync.schedule import Tick, Timetable, make_timetable, run_forever, weekdays
from tests.cli.conftest import Shell
from tests.support.commands import error_line

SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)


def cron(line: str, zone: str = "UTC") -> Timetable:
    return make_timetable(None, line, zone)


def times(timetable: Timetable, after: datetime = SUNDAY) -> Iterator[datetime]:
    while True:
        after = timetable.next_after(after)
        yield after


def days(line: str, number: int = 7) -> str:
    """The weekdays of the times in the week from a Sunday on."""
    soon = times(cron(line))
    return " ".join(each.strftime("%a") for each in (next(soon) for _ in range(number)) if each < SUNDAY + timedelta(7))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("0", "sun"),
        ("7", "sun"),
        ("1", "mon"),
        ("6", "sat"),
        ("1-5", "mon,tue,wed,thu,fri"),
        ("5-7", "fri,sat,sun"),
        ("0-6", "sun,mon,tue,wed,thu,fri,sat"),
        ("sun", "sun"),
        ("SUN", "sun"),
        ("Monday", "mon"),
        ("mon-fri", "mon,tue,wed,thu,fri"),
        ("fri-mon", "fri,sat,sun,mon"),
        ("sat-1", "sat,sun,mon"),
        ("*/2", "sun,tue,thu,sat"),
        ("1-5/2", "mon,wed,fri"),
        ("1,3", "mon,wed"),
        ("sun,sat", "sun,sat"),
    ],
)
def test_weekdays_are_those_of_cron(field: str, expected: str) -> None:
    assert weekdays(field) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 12 * * 0", "Sun"),
        ("0 12 * * 7", "Sun"),
        ("0 12 * * sun", "Sun"),
        ("0 12 * * 1-5", "Mon Tue Wed Thu Fri"),
        ("0 12 * * fri-mon", "Sun Mon Fri Sat"),
        ("0 12 * * */2", "Sun Tue Thu Sat"),
        ("0 12 * * *", "Sun Mon Tue Wed Thu Fri Sat"),
        ("0 12 3 * 4", "Tue Thu"),  # the 3rd is a Tuesday: either is enough, as in cron
        ("0 12 3 * *", "Tue"),
        ("0 12 */2 * 1-2", "Tue"),  # but with a star in either field both must hold: Tuesday the 3rd
    ],
)
def test_a_crontab_line_means_what_cron_means(line: str, expected: str) -> None:
    assert days(line) == expected


def test_a_line_is_in_utc_unless_a_zone_is_named() -> None:
    assert next(times(cron("30 7 * * *"))).hour == 7
    assert next(times(cron("30 7 * * *", "America/New_York"))).hour == 12


def test_times_come_every_quarter_of_an_hour() -> None:
    soon = times(cron("*/15 * * * *"), SUNDAY + timedelta(minutes=1))
    assert [next(soon).minute for _ in range(5)] == [15, 30, 45, 0, 15]


@pytest.mark.parametrize(
    ("jitter", "longest"),
    [(None, 30), (timedelta(0), 0), (timedelta(seconds=45), 45), (timedelta(hours=1), 900)],
)
def test_the_delay_of_a_run_never_reaches_the_next_time(jitter: timedelta | None, longest: int) -> None:
    for line in ("*/15 * * * *", "*/15 * 1 * 1-5"):
        timetable = make_timetable(None, line, "UTC", jitter)
        assert timetable.delay(SUNDAY, 0.0) == timedelta(0)
        assert timetable.delay(SUNDAY, 1.0) == timedelta(seconds=longest)


def test_the_usual_delay_is_a_tenth_of_a_short_span() -> None:
    assert every("1m").delay(SUNDAY, 0.5) == timedelta(seconds=3)
    assert every("1d").delay(SUNDAY, 1.0) == timedelta(seconds=30)


def every(span: str) -> Timetable:
    return make_timetable(parse_duration(span), None, "UTC")


MOMENT = datetime(2026, 3, 5, 12, 20, 3, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("span", "passed", "coming"),
    [
        ("15m", "05 12:15:00", "05 12:30:00"),
        ("1d", "05 00:00:00", "06 00:00:00"),
        ("1s", "05 12:20:03", "05 12:20:04"),
        # These do not divide a day, so their times differ from day to day.
        ("7h", "05 07:00:00", "05 14:00:00"),
        ("50m", "05 12:00:00", "05 12:50:00"),
    ],
)
def test_the_times_of_a_span_are_its_multiples_since_1970(span: str, passed: str, coming: str) -> None:
    timetable, epoch = every(span), datetime(1970, 1, 1, tzinfo=UTC)
    latest = timetable.latest(MOMENT)
    assert latest is not None
    assert (latest - epoch) % parse_duration(span) == timedelta(0)
    assert f"{latest:%d %H:%M:%S}" == passed
    assert f"{timetable.next_after(MOMENT):%d %H:%M:%S}" == coming
    assert timetable.latest(latest) == latest
    assert timetable.next_after(latest) == timetable.next_after(MOMENT)


@pytest.mark.parametrize(
    ("line", "passed"),
    [
        ("*/15 * * * *", "2026-03-05T12:15"),
        ("20 12 * * *", "2026-03-05T12:20"),
        ("21 12 * * *", "2026-03-04T12:21"),
        ("* 9 * * 1-3", "2026-03-04T09:59"),
        ("0 12 3 * 4", "2026-03-05T12:00"),
        ("0 12 3 * 5", "2026-03-03T12:00"),
        ("* * * 1 *", "2026-01-31T23:59"),
        ("0 0 29 2 *", "2024-02-29T00:00"),
    ],
)
def test_the_last_time_of_a_crontab_line_is_found(line: str, passed: str) -> None:
    latest = cron(line).latest(MOMENT)
    assert latest == datetime.fromisoformat(f"{passed}Z")
    assert cron(line).latest(latest) == latest


@pytest.mark.parametrize("line", ["*/30 * * * *", "30 2 * * *", "*/7 2-3 * * *"])
@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)])
def test_the_last_time_agrees_with_the_next_one_when_clocks_change(line: str, day: datetime) -> None:
    timetable = cron(line, "Europe/Berlin")
    for minutes in range(0, 360, 7):
        moment = day + timedelta(minutes=minutes)
        latest = timetable.latest(moment)
        assert latest is not None
        assert latest <= moment < timetable.next_after(latest)


BAD_SCHEDULES = {
    "nothing": [],
    "both": ["--every", "1h", "--cron", "* * * * *"],
    "six fields": ["--cron", "0 * * * * *"],
    "four fields": ["--cron", "* * * *"],
    "a word": ["--cron", "@daily"],
    "minute 60": ["--cron", "60 * * * *"],
    "hour 24": ["--cron", "0 24 * * *"],
    "day 0": ["--cron", "0 0 0 * *"],
    "month 13": ["--cron", "0 0 * 13 *"],
    "weekday 8": ["--cron", "0 0 * * 8"],
    "an unknown weekday": ["--cron", "0 0 * * foo"],
    "half a range": ["--cron", "0 0 * * 1-"],
    "a step of 0": ["--cron", "0 0 * * */0"],
    "a range backward": ["--cron", "30-10 * * * *"],
    "the 31st of February": ["--cron", "0 0 31 2 *"],
    "an unknown zone": ["--cron", "0 0 * * *", "--timezone", "Mars/Olympus"],
    "a zone with a path": ["--cron", "0 0 * * *", "--timezone", "../etc/passwd"],
    "an empty zone": ["--cron", "0 0 * * *", "--timezone", ""],
    "a duration of 0": ["--every", "0s"],
    "a negative duration": ["--every", "-15m"],
    "a duration of more than a day": ["--every", "25h"],
    "a duration of a week": ["--every", "1w"],
    "an invalid duration": ["--every", "often"],
    "a duration beyond all times": ["--every", "999999w"],
    "jitter beyond all times": ["--every", "1h", "--jitter", "999999w"],
    "jitter as long as the duration": ["--every", "1h", "--jitter", "60m"],
    "jitter of more than a day": ["--cron", "0 0 * * *", "--jitter", "25h"],
}


@pytest.mark.parametrize("name", BAD_SCHEDULES)
def test_an_invalid_schedule_is_exit_2(shell: Shell, sqlite_url: str, name: str) -> None:
    shell.set(DATABASE_URL=sqlite_url, BASE_URL="http://127.0.0.1:9")
    error_line(shell("schedule", *BAD_SCHEDULES[name]), 2)


def test_an_unknown_weekday_is_named() -> None:
    with pytest.raises(UsageError, match="'8' is not a weekday"):
        weekdays("1,8")


class Runs:
    """Counts runs that take some time, and records whether two were active at once."""

    def __init__(self, takes: float = 0.0, error: Exception | None = None, last: int | None = None) -> None:
        self._takes, self._error, self._last = takes, error, last
        self.began: list[float] = []
        self.overlapped = False
        self.ticks: list[Tick] = []
        self.active = threading.Lock()

    def run(self, tick: Tick, stop: threading.Event) -> None:
        self.began.append(time.monotonic())
        self.ticks.append(tick)
        if len(self.began) == self._last:
            stop.set()
        if not self.active.acquire(blocking=False):
            self.overlapped = True
            return
        with_stop = stop.wait(self._takes)
        self.active.release()
        if with_stop:
            raise Interrupted("stopped")
        if self._error:
            raise self._error


def run_for(seconds: float, runs: Runs) -> list[str]:
    """The errors reported until the last run of ``runs`` begins or the time is over, with a run due in each second."""
    errors: list[str] = []
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    run_forever(every("1s"), lambda tick: runs.run(tick, stop), lambda error: errors.append(str(error)), stop)
    timer.cancel()
    return errors


def test_a_run_starts_at_once_and_then_each_second() -> None:
    runs = Runs(last=3)
    assert run_for(30, runs) == []
    assert len(runs.began) == 3
    first, second, third = runs.ticks
    assert (first.at_start, second.at_start, third.at_start) == (True, False, False)
    assert first.time + timedelta(seconds=1) <= second.time < third.time
    assert runs.began[2] - runs.began[0] > 0.9  # from the second time to the third, at least


def test_a_failed_run_is_reported_and_the_next_one_starts() -> None:
    runs = Runs(error=RuntimeError("it broke"), last=3)
    assert run_for(30, runs) == ["it broke", "it broke"]


def test_a_run_that_takes_longer_than_the_interval_skips_the_next_and_is_reported() -> None:
    runs = Runs(takes=1.6, last=2)
    errors = run_for(30, runs)
    assert not runs.overlapped
    assert runs.began[1] - runs.began[0] >= 1.6
    assert "the one before it was still active (1 skipped so far); schedule fewer runs" in errors[0]


def test_a_stop_ends_the_active_run_and_is_not_a_failure() -> None:
    began = time.monotonic()
    assert run_for(0.5, Runs(takes=60)) == []
    assert time.monotonic() - began < 2
