"""Metrics, pings and logs of a schedule that runs as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import threading
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

from sync.cli.monitor_options import parse_address
from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import environment, error_line, eventually, finished, output, started, without_time
from tests.support.database_contents import query_rows
from tests.support.monitored_runs import OK, SECRET, ping_url, pinged, samples, synced
from tests.support.rude_server import RudeServer, response, says
from tests.support.secrets_search import KEY


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}{path}", timeout=20) as found:
            return found.status, found.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_schedule_serves_metrics_and_logs_json(sqlite_url: str, tmp_path: Path) -> None:
    port = free_port()
    with emulator([catalog(*numbered_models(2))]) as api, RudeServer(OK) as check:
        settings = {"DATABASE_URL": sqlite_url, "BASE_URL": api.base_url, "API_KEY": KEY, "PING_URL": ping_url(check)}
        arguments = ("schedule", "--every", "1d", "--log-format", "json", "--listen", f"127.0.0.1:{port}")
        with started(*arguments, environ=environment(tmp_path, **settings)) as process:
            eventually(lambda: len(check.requests) == 2)
            pages: list[tuple[int, str]] = []
            scrapes = [threading.Thread(target=lambda: pages.append(get(port, "/metrics"))) for _ in range(4)]
            for each in scrapes:
                each.start()
            for each in scrapes:
                each.join()
            assert [status for status, _ in pages] == [200] * 4
            assert samples(pages[0][1])["catalog_sync_seal_tree_size"] == 1
            (tmp_path / "catalog.db").rename(tmp_path / "moved.db")
            status, text = get(port, "/metrics")
            assert (status, text.startswith("no metrics: there is no database at")) == (503, True)
            (tmp_path / "moved.db").rename(tmp_path / "catalog.db")
            assert get(port, "/health") == (200, "ok\n")
            assert get(port, "/")[0] == 404
            process.send_signal(signal.SIGTERM)
            printed = output(finished(process, within=10))
    (line,) = [json.loads(line) for line in printed.splitlines()]
    assert line.pop("tick").endswith("T00:00:00Z image,video")
    assert line.pop("message").startswith("run 1 success: image 2 models: 2 added")
    assert line.pop("time").endswith("Z")
    assert line.pop("checkpoint").keys() == {"catalog_id", "tree_size", "root"}
    assert line == {
        "level": "info",
        "event": "run",
        "run_id": 1,
        "status": "success",
        "outcome": "done",
        "exit_code": 0,
        "error": None,
    }
    assert pinged(check) == [f"/{SECRET}/start", f"/{SECRET}/0"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_address_that_cannot_be_used_ends_a_schedule_before_its_first_run(
    shell: Shell, sqlite_url: str, log_format: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, synced(shell, sqlite_url):
        port = listener.getsockname()[1]
        for address, reason in {
            f"127.0.0.1:{port}": "Address already in use",
            "192.0.2.1:9108": "Cannot assign requested address",
            "no.such.invalid:9108": "",
        }.items():
            ended = shell("schedule", "--every", "1h", "--listen", address, "--log-format", log_format)
            assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
            message = json.loads(ended.err)["message"] if log_format == "json" else without_time(ended.err)
            assert f"cannot listen at {address}: {reason}" in message
    assert query_rows(sqlite_url, "SELECT status FROM sync_runs") == []


@pytest.mark.parametrize(
    "address", ["9108", ":9108", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "h:65536", "h:-1", "h:x", "::1:9108", "h:٣"]
)
def test_a_malformed_address_is_refused(shell: Shell, sqlite_url: str, address: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    assert "--listen" in error_line(shell("schedule", "--every", "1h", "--listen", address), 2)


def test_an_ipv6_address_has_brackets() -> None:
    assert parse_address(" [::1]:9108 ") == ("::1", 9108)
    assert str(parse_address("[::1]:9108")) == "[::1]:9108"
    assert parse_address("localhost:65535") == ("localhost", 65535)


def test_a_failed_run_is_one_json_object_on_stderr(sqlite_url: str, tmp_path: Path) -> None:
    with RudeServer(says(response("403 Forbidden", b'{"ok": false, "code": 403, "message": "no"}'))) as api:
        settings = {"DATABASE_URL": sqlite_url, "BASE_URL": api.url, "API_KEY": KEY, "LOG_FORMAT": "json"}
        with started("schedule", "--every", "1d", environ=environment(tmp_path, **settings)) as process:
            eventually(lambda: query_rows(sqlite_url, "SELECT status FROM sync_runs") == [("failed",)])
            line = json.loads(process.stderr.readline() if process.stderr else "")
            process.send_signal(signal.SIGTERM)
            assert finished(process, within=10).out == ""
    found = [line[key] for key in ("level", "event", "run_id", "status", "outcome", "exit_code", "checkpoint")]
    assert found == ["error", "run", 1, "failed", "refused", 3, None]
    assert "403" in line["error"]
