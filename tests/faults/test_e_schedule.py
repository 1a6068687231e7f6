"""Runs that are stopped, killed or suspended, as real processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from models_db.engine import open_engine, write_transaction
from models_db.tables import sync_state
from sync.source.emulator.server import Emulator
from tests.cli.conftest import Shell
from tests.support.api_catalogs import catalog, envelope, numbered_models
from tests.support.commands import environment, eventually, finished, output, run_process, started
from tests.support.database_contents import query_rows
from tests.support.rude_server import RudeServer, response, says, silent
from tests.support.secrets_search import KEY

STATUS = "SELECT status FROM sync_runs ORDER BY run_id"


@contextmanager
def write_lock(url: str) -> Iterator[None]:
    """Somebody else who keeps every writer waiting."""
    engine = open_engine(url)
    try:
        with write_transaction(engine) as connection:
            connection.execute(select(sync_state).with_for_update())
            yield
    finally:
        engine.dispose()


def settings(url: str, base_url: str, home: Path, **more: str) -> dict[str, str]:
    return environment(home, DATABASE_URL=url, BASE_URL=base_url, API_KEY=KEY, **more)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_e8_a_signal_ends_a_schedule_well_even_while_the_api_is_silent(
    migrated_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with RudeServer(silent) as api:
        environ = settings(migrated_url, api.url, tmp_path)
        with started("schedule", "--every", "1h", environ=environ) as process:
            eventually(lambda: len(api.requests) == 2)
            process.send_signal(number)
            assert output(finished(process, within=10)) == ""
    assert query_rows(migrated_url, STATUS) == [("failed",)]


def test_e8_a_signal_ends_a_schedule_well_between_two_runs(sqlite_url: str, tmp_path: Path) -> None:
    with Emulator([catalog(*numbered_models(2))]) as api:
        environ = settings(sqlite_url, api.base_url, tmp_path)
        with started("schedule", "--every", "1h", environ=environ) as process:
            eventually(lambda: query_rows(sqlite_url, STATUS) == [("success",)])
            process.send_signal(signal.SIGTERM)
            assert output(finished(process, within=10)).startswith("run 1 success: ")
    assert query_rows(sqlite_url, "SELECT trigger_kind FROM sync_runs") == [("schedule",)]


def test_e8_a_signal_ends_a_schedule_that_waits_for_a_lock_of_the_database(migrated_url: str, tmp_path: Path) -> None:
    gate = threading.Event()

    def after_the_lock(peer: object, stop: threading.Event) -> None:
        gate.wait(30)
        says(response("200 OK", envelope([])))(peer, stop)  # type: ignore[arg-type] # a socket

    with RudeServer(after_the_lock) as api:
        environ = settings(migrated_url, api.url, tmp_path)
        with started("schedule", "--every", "1h", "--mode", "image", environ=environ) as process:
            eventually(lambda: api.requests)
            with write_lock(migrated_url):
                gate.set()
                time.sleep(1)
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                ended = finished(process, within=10)
                assert time.monotonic() - began < 10
    assert ended.code == 0
    assert ended.out == ""
    assert query_rows(migrated_url, STATUS) == [("running",)]
    require_abandoned_by_the_next(migrated_url, tmp_path)


def require_abandoned_by_the_next(url: str, home: Path) -> None:
    with Emulator([catalog(*numbered_models(2))]) as api:
        output(run_process("sync", environ=settings(url, api.base_url, home)))
    assert query_rows(url, STATUS) == [("abandoned",), ("success",)]


def test_e6_a_schedule_runs_again_and_again_and_tells_what_fails(sqlite_url: str, tmp_path: Path) -> None:
    good, bad = says(response("200 OK", envelope(numbered_models(1)))), says(response("403 Forbidden"))
    with RudeServer(good, bad, good) as api:
        environ = settings(sqlite_url, api.url, tmp_path)
        with started("schedule", "--every", "1s", "--mode", "image", environ=environ) as process:
            eventually(
                lambda: query_rows(sqlite_url, STATUS)[:4] == [("success",), ("failed",), ("success",), ("success",)]
            )
            process.send_signal(signal.SIGTERM)
            ended = finished(process, within=10)
    assert ended.code == 0
    assert ended.out.splitlines()[:3] == [
        "run 1 success: image 1 model: 1 added",
        "run 2 failed: image failed",
        "run 3 success: image 1 model: nothing changed",
    ]
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("catalog-sync: http://127.0.0.1")
    assert "403" in ended.err


def test_e6_a_schedule_goes_on_when_the_database_was_away(sqlite_url: str, tmp_path: Path) -> None:
    file = Path(make_url(sqlite_url).database or "")
    with Emulator([catalog(*numbered_models(1))]) as api:
        environ = settings(sqlite_url, api.base_url, tmp_path)
        with started("schedule", "--every", "1s", "--quiet", environ=environ) as process:
            eventually(lambda: query_rows(sqlite_url, STATUS))
            for part in ("", "-wal", "-shm"):
                if file.with_name(file.name + part).exists():
                    file.with_name(file.name + part).rename(tmp_path / f"away.db{part}")
            time.sleep(1.5)
            for part in ("", "-wal", "-shm"):
                if (tmp_path / f"away.db{part}").exists():
                    (tmp_path / f"away.db{part}").rename(file.with_name(file.name + part))
            before = len(query_rows(sqlite_url, STATUS))
            eventually(lambda: len(query_rows(sqlite_url, STATUS)) > before)
            process.send_signal(signal.SIGTERM)
            ended = finished(process, within=10)
    assert (ended.code, ended.out) == (0, "")
    assert f"there is no database at {file}" in ended.err


def test_e5_a_suspended_schedule_makes_up_with_one_run(sqlite_url: str, tmp_path: Path) -> None:
    with Emulator([catalog(*numbered_models(1))]) as api:
        environ = settings(sqlite_url, api.base_url, tmp_path)
        with started("schedule", "--every", "1s", environ=environ) as process:
            eventually(lambda: query_rows(sqlite_url, STATUS) == [("success",)] * 2)
            time.sleep(0.2)  # between two runs
            process.send_signal(signal.SIGSTOP)
            before = len(query_rows(sqlite_url, STATUS))
            time.sleep(4)
            process.send_signal(signal.SIGCONT)
            eventually(lambda: len(query_rows(sqlite_url, STATUS)) > before)
            time.sleep(1.5)
            process.send_signal(signal.SIGTERM)
            ended = finished(process, within=10)
    assert (ended.code, ended.err) == (0, "")
    assert 2 <= len(query_rows(sqlite_url, STATUS)) - before <= 3


def test_e6_what_a_run_raises_is_told_without_its_secret_and_the_next_one_comes(
    shell: Shell, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"with {KEY} inside")

    monkeypatch.setattr("sync.run.run_sync", fail)
    shell.set(DATABASE_URL=sqlite_url)
    end = threading.Timer(1.7, os.kill, [os.getpid(), signal.SIGTERM])
    end.start()
    ended = shell("schedule", "--every", "1s", "--base-url", "http://127.0.0.1:9")
    end.join()

    assert ended.code == 0
    lines = ended.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("catalog-sync: unexpected error: RuntimeError: with [hidden] inside;") for line in lines)


def test_e6_a_lock_that_is_given_up_is_one_line_and_leaves_no_run_at_work_for_ever(
    migrated_url: str, database_kind: str, tmp_path: Path
) -> None:
    gate = threading.Event()

    def after_the_lock(peer: object, stop: threading.Event) -> None:
        gate.wait(30)
        says(response("200 OK", envelope([])))(peer, stop)  # type: ignore[arg-type] # a socket

    with RudeServer(after_the_lock) as api:
        environ = settings(migrated_url, api.url, tmp_path, DATABASE_TIMEOUT="2")
        with started("schedule", "--every", "1h", "--mode", "image", environ=environ) as process:
            eventually(lambda: api.requests)
            with write_lock(migrated_url):
                gate.set()
                told = process.stderr.readline() if process.stderr else ""
            process.send_signal(signal.SIGTERM)
            ended = finished(process, within=10)

    assert told.startswith("catalog-sync: the database failed: ")
    assert "lock" in told.lower()
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    # On SQLite the same lock keeps the failure from being written; then the next run that applies says so.
    assert query_rows(migrated_url, STATUS) == [("running",) if database_kind == "sqlite" else ("failed",)]
    with Emulator([catalog(*numbered_models(2))]) as good:
        output(run_process("sync", environ=settings(migrated_url, good.base_url, tmp_path)))
    assert "running" not in {status for (status,) in query_rows(migrated_url, STATUS)}
