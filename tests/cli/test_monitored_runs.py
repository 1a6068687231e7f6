"""Runs that report to a file with metrics, to pings, and to scrapes."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from sync.metrics import ping
from tests.cli.conftest import Shell
from tests.support.commands import environment, error_line, eventually, finished, output, started
from tests.support.database_contents import query_rows
from tests.support.monitored_runs import OK, SECRET, UNREACHABLE, ping_url, pinged, samples, synced
from tests.support.rude_server import RudeServer, Script, drips, response, says, silent
from tests.support.secrets_search import KEY


def test_the_file_is_written_after_success_and_failure_and_not_by_a_dry_run(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "m.prom"
    with synced(shell, sqlite_url, METRICS_FILE=str(file)):
        shell("sync", "--dry-run")
        assert not file.exists()
        output(shell("sync", "--quiet"))
        assert samples(file.read_text())['catalog_sync_runs_last_day{outcome="done"}'] == 1
        assert samples(file.read_text())['catalog_sync_models{mode="image",state="listed"}'] == 2
    (tmp_path / "empty.jsonl").touch()
    error_line(shell("sync", "--base-url", UNREACHABLE, "--accept-base-url"), 4)
    assert samples(file.read_text())['catalog_sync_runs_last_day{outcome="unreachable"}'] == 1
    shell.set(API_KEY=None)
    file.unlink()
    error_line(shell("sync"), 2)
    assert file.exists()
    file.unlink()
    output(shell("import", str(tmp_path / "empty.jsonl")))
    assert file.exists()


def test_a_file_that_cannot_be_written_is_one_line_and_changes_no_exit_code(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    with synced(shell, sqlite_url):
        ended = shell("sync", "--quiet", "--metrics-file", str(tmp_path / "no" / "m.prom"))
        assert (ended.code, ended.out, ended.err.count("\n")) == (0, "", 1)
        assert "m.prom could not be written: No such file or directory" in ended.err
        ended = shell("sync", "--quiet", "--metrics-file", str(tmp_path / "catalog.db"))
        assert "another file with this name" in ended.err
        assert ended.code == 0
        output(shell("sync"))  # the database is still one
        line = error_line(shell("sync", "--metrics-file", str(tmp_path), "--base-url", UNREACHABLE), 2)
        assert "; also: " in line


def test_without_a_database_the_file_keeps_what_it_had(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "m.prom"
    with synced(shell, sqlite_url, METRICS_FILE=str(file)):
        output(shell("sync"))
        before = file.read_text()
        shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'missing.db'}")
        line = error_line(shell("sync"), 2)
    assert line.endswith(f"; also: {file} was not written, and keeps what it had")
    assert file.read_text() == before


def test_without_the_library_the_line_names_the_extra(
    shell: Shell, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    with synced(shell, sqlite_url):
        ended = shell("sync", "--quiet", "--metrics-file", str(tmp_path / "m.prom"))
        assert ended.code == 0
        assert "install the extra metrics: " in ended.err
        line = error_line(shell("schedule", "--every", "1h", "--listen", "127.0.0.1:1"), 2)
    assert "install the extra metrics: " in line


def test_a_run_pings_its_begin_and_its_end_with_its_line_and_checkpoint(shell: Shell, sqlite_url: str) -> None:
    with RudeServer(OK) as check, synced(shell, sqlite_url, PING_URL=ping_url(check)):
        printed = output(shell("sync"))
        checkpoint = output(shell("checkpoint"))
        assert pinged(check) == [f"/{SECRET}/start", f"/{SECRET}/0"]
        assert output(shell("sync", "--dry-run"))
        shell("sync", "--base-url", UNREACHABLE)
        shell.set(API_KEY="in two parts")
        shell("sync")
    assert pinged(check)[2:] == [f"/{SECRET}/start", f"/{SECRET}/2", f"/{SECRET}/2"]
    assert printed.startswith("run 1 success: ")
    bodies = [request.partition("\r\n\r\n")[2] for request in check.requests]
    assert bodies[0] == ""
    assert bodies[1] in {"", f"{printed}\n{checkpoint}"}  # the server reads the head, and perhaps the rest


def test_a_setting_of_the_database_that_is_wrong_is_pinged_also_with_a_metrics_file(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    with RudeServer(OK) as check, synced(shell, sqlite_url, PING_URL=ping_url(check), CATALOG_ID="none"):
        line = error_line(shell("sync", "--metrics-file", str(tmp_path / "m.prom")), 2)
    assert line.startswith("catalog-sync: CATALOG_SYNC_CATALOG_ID is not ")
    assert pinged(check) == [f"/{SECRET}/2"]


FAILING: dict[str, tuple[Script, str]] = {
    "an error": (says(response("500 Oops")), "HTTP status 500"),
    "a redirect": (says(response("302 Found", b"", "Location: http://127.0.0.1:9/")), "a redirect (HTTP status 302)"),
    "an unknown check": (says(response("200 OK", b"OK (not found)")), "the response is 'OK (not found)'"),
    "silence": (silent, "no response within 0.4 s"),
    "drops": (drips(b"HTTP/1.1 200 OK\r\nX: "), "no response within 0.4 s"),
}


ANSWERING = [script for script, reason in FAILING.values() if "no response" not in reason]


@pytest.mark.parametrize(("name", "debug"), [*((name, []) for name in FAILING), ("an error", ["--debug"])])
def test_a_ping_that_fails_is_one_line_without_the_url(
    shell: Shell, sqlite_url: str, name: str, debug: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, reason = FAILING[name]
    if script not in ANSWERING:
        monkeypatch.setattr(ping, "SECONDS", 0.4)
    with RudeServer(script) as check, synced(shell, sqlite_url, DEADLINE="20"):
        ended = shell(*debug, "sync", "--quiet", "--ping-url", ping_url(check))
        server = f"127.0.0.1:{check.port}"
    assert (ended.code, ended.out) == (0, "")
    (line,) = [line for line in ended.err.splitlines() if line.startswith("catalog-sync: ")]
    assert f"to {server} failed: {reason}" in line
    assert SECRET not in ended.err
    assert query_rows(sqlite_url, "SELECT status FROM sync_runs") == [("success",)]


def test_a_ping_url_that_is_none_is_refused_and_not_printed(shell: Shell, sqlite_url: str) -> None:
    with synced(shell, sqlite_url, PING_URL=f"hc-ping.com/{SECRET}"):
        assert SECRET not in error_line(shell("sync"), 2)
        line = error_line(shell("sync", "--ping-url", f"https://me:{SECRET}@hc-ping.com/x"), 2)
        assert "process list" in line
        assert SECRET not in line
    assert query_rows(sqlite_url, "SELECT status FROM sync_runs") == []


def test_pings_go_through_the_proxy_of_the_environment(
    shell: Shell, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RudeServer(OK) as proxy, synced(shell, sqlite_url, PING_URL=f"http://hc.example/{SECRET}"):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        output(shell("sync"))
    assert pinged(proxy) == [f"http://hc.example/{SECRET}/start", f"http://hc.example/{SECRET}/0"]


def test_a_run_whose_tick_is_taken_pings_nothing_and_writes_the_file(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "m.prom"
    with RudeServer(OK) as check, synced(shell, sqlite_url, PING_URL=ping_url(check), METRICS_FILE=str(file)):
        output(shell("sync", "--tick", "1d"))
        file.unlink()
        assert output(shell("sync", "--tick", "1d")) == ""
        assert samples(file.read_text())['catalog_sync_runs_last_day{outcome="done"}'] == 1
    assert len(check.requests) == 2


def test_a_ping_that_is_not_answered_delays_a_stop_by_five_seconds_at_most(sqlite_url: str, tmp_path: Path) -> None:
    with RudeServer(silent) as api, RudeServer(silent) as check:
        settings = {"DATABASE_URL": sqlite_url, "BASE_URL": api.url, "API_KEY": KEY, "PING_URL": ping_url(check)}
        with started("sync", environ=environment(tmp_path, **settings)) as process:
            eventually(lambda: len(api.requests) == 2 and check.requests)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            ended = finished(process, within=20)
    assert time.monotonic() - began < ping.SECONDS + 2
    assert "both pings to" in error_line(ended, 143)
    assert pinged(check) == [f"/{SECRET}/start", f"/{SECRET}/143"]
