"""Faults E3, E4 and E7 to E13: timetables, cron, two schedulers, and schedules that do not run."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.schedule import make_timetable
from tests.faults.conftest import lines_without_skipped
from tests.support.api_catalogs import model
from tests.support.commands import ROOT, error_line, eventually, finished, output, run_process
from tests.support.rude_server import RudeServer, Script, says
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video

# Without PYTHONUTF8=0 Python would use UTF-8 in the C locale.
PLAIN_ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SUMMER_ENDS = datetime(
    2026, 10, 24, 12, tzinfo=UTC
)  # in Berlin at 3:00 the next morning, when the hour from 2:00 occurs twice
SUMMER_BEGINS = datetime(2026, 3, 28, 12, tzinfo=UTC)


def times(cron: str, zone: str, after: datetime, number: int = 3) -> list[str]:
    """The next times of a crontab line, in UTC."""
    timetable, formatted = make_timetable(None, cron, zone), []
    for _ in range(number):
        after = timetable.next_after(after)
        formatted.append(f"{after:%d %H:%M}")
    return formatted


def test_e3_a_timetable_in_utc_has_no_daylight_saving_time() -> None:
    assert times("30 2 * * *", "UTC", SUMMER_ENDS) == ["25 02:30", "26 02:30", "27 02:30"]
    assert times("30 2 * * *", "UTC", SUMMER_BEGINS) == ["29 02:30", "30 02:30", "31 02:30"]


def test_e3_a_timetable_in_another_zone_has_its_daylight_saving_time_as_documented() -> None:
    assert times("30 2 * * *", "Europe/Berlin", SUMMER_ENDS) == ["25 00:30", "25 01:30", "26 01:30"]
    assert times("30 2 * * *", "Europe/Berlin", SUMMER_BEGINS) == ["29 01:30", "30 00:30", "31 00:30"]
    page = (ROOT / "docs/commands.md").read_text()
    assert "summer time" in page


@pytest.mark.parametrize(
    ("field", "day"), [("0", "Sun"), ("7", "Sun"), ("1", "Mon"), ("6", "Sat"), ("sun", "Sun"), ("MON", "Mon")]
)
def test_e4_weekdays_are_those_of_cron(field: str, day: str) -> None:
    assert f"{make_timetable(None, f'0 12 * * {field}', 'UTC').next_after(SUMMER_BEGINS):%a}" == day


def slowly(script: Script, seconds: float) -> Script:
    def run(peer: socket.socket, stop: threading.Event) -> None:
        stop.wait(seconds)
        script(peer, stop)

    return run


def test_e7_the_next_run_is_skipped_and_reported_when_a_run_is_longer_than_the_interval(
    synced_sqlite: SyncedDatabase,
) -> None:
    with (
        RudeServer(image=slowly(image(), 2.5), video=video()) as api,
        synced_sqlite.process("schedule", "--every", "1s", api=api) as process,
    ):
        eventually(lambda: synced_sqlite.query(STATUS)[1:2] == [("success",)])
        process.send_signal(signal.SIGTERM)
        result = finished(process, within=10)

    assert result.code == 0
    assert "the one before it was still active (1 skipped so far); schedule fewer runs" in result.err
    # A skipped run never starts, so it cannot be superseded.
    assert synced_sqlite.query("SELECT COUNT(*) FROM sync_runs WHERE status = 'superseded'") == [(0,)]
    synced_sqlite.verify()


def test_e9_two_schedulers_on_one_database_store_each_observation_once(synced: SyncedDatabase) -> None:
    raised = image([model("acme/image-0", 77), *LISTED[1:]])
    with (
        RudeServer(image=raised, video=video()) as api,
        synced.process("schedule", "--every", "1s", "--quiet", api=api) as one,
        synced.process("schedule", "--every", "1s", "--quiet", api=api) as two,
    ):
        eventually(lambda: len(synced.query(STATUS)) >= 6)
        for process in (one, two):
            process.send_signal(signal.SIGTERM)
        results = [finished(process, within=10) for process in (one, two)]

    assert [each.code for each in results] == [0, 0]
    lines = [line for each in results for line in lines_without_skipped(each.err)]
    # On a slow machine the run of a tick may be active when another process makes that of the next tick.
    assert all("another run stored a response" in line for line in lines)
    assert synced.events() == ["increase"]
    ticks = [tick for (tick,) in synced.query("SELECT tick FROM sync_runs WHERE trigger_kind = 'schedule'")]
    assert all(tick.endswith("Z image,video") for tick in ticks)
    assert len(ticks) == len(set(ticks))
    applied = synced.query("SELECT COUNT(*) FROM sync_run_modes WHERE mode = 'image' AND status = 'success'")
    # The version counts the applied runs: none was applied twice.
    assert synced.query("SELECT version FROM sync_state WHERE mode = 'image'") == applied
    synced.verify()


def test_e10_a_run_that_cron_starts_during_another_run_needs_no_lock_file(synced: SyncedDatabase) -> None:
    gate = threading.Event()

    def waiting(script: Script) -> Script:
        def run(peer: socket.socket, stop: threading.Event) -> None:
            gate.wait(30)
            script(peer, stop)

        return run

    with RudeServer(image=waiting(image()), video=waiting(video())) as api, synced.process("sync", api=api) as first:
        eventually(lambda: len(api.requests) == 2)
        synced.succeeds("--quiet", "--accept-base-url")  # its server has another port
        gate.set()
        error_line(finished(first), 8)
    assert synced.query(STATUS) == [("success",), ("superseded",), ("success",)]


def test_e11_no_variable_of_a_login_is_needed(synced_sqlite: SyncedDatabase, tmp_path: Path) -> None:
    key = tmp_path / "api_key"
    key.write_text("gva_live_of_cron.0123456789\n")
    key.chmod(0o600)
    bare = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    named = model("acme/image-0", 5, name="Größe 日本")
    with RudeServer(image=image([named, *LISTED[1:]]), video=video()) as api:
        settings = {"API_KEY_FILE": str(key), "DATABASE_URL": synced_sqlite.url, "BASE_URL": api.url}
        environ = bare | {f"CATALOG_SYNC_{name}": value for name, value in settings.items()}
        output(run_process("sync", environ=environ))
        latin = environ | {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
        for command in (["models"], ["changes"], ["models", "--csv"], ["show", "acme/image-0"]):
            output(run_process(*command, environ=environ))
            output(run_process(*command, environ=latin, encoding="latin-1"))


@pytest.mark.parametrize("locale", [PLAIN_ASCII, {"LC_ALL": "C.UTF-8"}], ids=["ascii", "utf-8"])
def test_e11_an_id_outside_ascii_is_found_in_any_locale(synced_sqlite: SyncedDatabase, locale: dict[str, str]) -> None:
    synced_sqlite.succeeds(image=image([model("acme/\u00e9", 5), *LISTED]))
    environ = synced_sqlite.environment() | locale
    assert json.loads(output(run_process("show", "acme/\u00e9", "--json", environ=environ)))[0]["credit_cost"] == "5"
    for command in (["show"], ["costs"], ["models", "--provider"], ["changes", "--model"]):
        result = run_process(*command, os.fsdecode(b"\xff"), environ=environ)
        assert "it is not UTF-8" in error_line(result, 2)


def test_e11_the_crontab_lines_of_the_docs_need_no_path_and_have_no_key() -> None:
    for page, number in {"README.md": 3, "deploy/crontab.example": 2}.items():
        text = (ROOT / page).read_text()
        lines = [line for line in text.splitlines() if re.match(r"[*\d][^|]*catalog-sync \w", line)]
        assert len(lines) == number
        for line in lines:
            assert re.search(r"\s/\S*/catalog-sync ", line)
            assert "%" not in line
            assert "KEY" not in line
        assert "CATALOG_SYNC_API_KEY_FILE=/" in text
    assert "`\\%`" in (ROOT / "README.md").read_text()


def test_e12_a_successful_run_under_cron_sends_no_mail(synced: SyncedDatabase) -> None:
    with RudeServer(image=image(), video=video()) as api:
        environ = synced.environment(BASE_URL=api.url)
        assert output(run_process("sync", "--migrate", "--quiet", environ=environ)) == ""
        assert output(run_process("sync", environ=environ)).count("\n") == 1
    synced.verify()


def test_e13_no_successful_sync_for_too_long_is_exit_9(synced: SyncedDatabase) -> None:
    assert output(synced.shell("status", "--max-age", "1h"))
    time.sleep(1.1)
    assert "no successful sync of mode image within 1s" in error_after_output(synced, "status", "--max-age", "1s")
    synced.fails_in_both_modes(4, says())
    assert "within 1s" in error_after_output(synced, "status", "--max-age", "1s")
    synced.succeeds()
    output(synced.shell("status", "--max-age", "1m"))


def error_after_output(synced: SyncedDatabase, *arguments: str) -> str:
    """The error line of a command that also prints its result."""
    result = synced.shell(*arguments)
    assert result.out
    return error_line(result, 9)
