"""Runs that are stopped, killed or suspended, as real processes."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from models_db.engine import open_engine, write_transaction
from models_db.tables import sync_state
from sync.source.emulator import Emulator
from tests.cli.catalogs import Model, catalog, envelope, model, some
from tests.cli.commands import complaint, environment, eventually, finished, output, run_process, started
from tests.cli.conftest import Shell
from tests.cli.hidden import KEY
from tests.cli.stored import RUN_TABLES, ask, changed_tables, every_row
from tests.source.rude_server import RudeServer, answer, says, silent

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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_that_waits_for_the_api(
    sqlite_url: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with RudeServer(silent) as api, started("sync", environ=settings(sqlite_url, api.url, tmp_path)) as process:
        eventually(lambda: len(api.requests) == 2)
        process.send_signal(number)
        ended = finished(process, within=10)
    assert "stopped while asking the API" in complaint(ended, code)
    assert ended.out == ""
    runs = "SELECT status, error_type, finished_at IS NOT NULL FROM sync_runs"
    assert ask(sqlite_url, runs) == [("failed", "Interrupted", 1)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_schedule_well_even_while_the_api_is_silent(
    migrated_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with RudeServer(silent) as api:
        environ = settings(migrated_url, api.url, tmp_path)
        with started("schedule", "--every", "1h", environ=environ) as process:
            eventually(lambda: len(api.requests) == 2)
            process.send_signal(number)
            assert output(finished(process, within=10)) == ""
    assert ask(migrated_url, STATUS) == [("failed",)]


def test_a_signal_ends_a_schedule_well_between_two_runs(sqlite_url: str, tmp_path: Path) -> None:
    with Emulator([catalog(*some(2))]) as api:
        environ = settings(sqlite_url, api.base_url, tmp_path)
        with started("schedule", "--every", "1h", environ=environ) as process:
            eventually(lambda: ask(sqlite_url, STATUS) == [("success",)])
            process.send_signal(signal.SIGTERM)
            assert output(finished(process, within=10)).startswith("run 1 success: ")
    assert ask(sqlite_url, "SELECT trigger_kind FROM sync_runs") == [("schedule",)]


def test_a_signal_ends_a_schedule_that_waits_for_a_lock_of_the_database(migrated_url: str, tmp_path: Path) -> None:
    gate = threading.Event()

    def after_the_lock(peer: object, stop: threading.Event) -> None:
        gate.wait(30)
        says(answer("200 OK", envelope([])))(peer, stop)  # type: ignore[arg-type] # a socket

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
    assert ask(migrated_url, STATUS) == [("running",)]
    require_abandoned_by_the_next(migrated_url, tmp_path)


def require_abandoned_by_the_next(url: str, home: Path) -> None:
    with Emulator([catalog(*some(2))]) as api:
        output(run_process("sync", environ=settings(url, api.base_url, home)))
    assert ask(url, STATUS) == [("abandoned",), ("success",)]


def test_a_run_killed_while_it_asks_is_called_abandoned_by_the_next(migrated_url: str, tmp_path: Path) -> None:
    before = every_row(migrated_url)
    with RudeServer(silent) as api, started("sync", environ=settings(migrated_url, api.url, tmp_path)) as process:
        eventually(lambda: len(api.requests) == 2)
        process.kill()
        assert finished(process).code == -signal.SIGKILL
    assert changed_tables(before, every_row(migrated_url)) == {"sync_runs"}
    assert ask(migrated_url, STATUS) == [("running",)]
    require_abandoned_by_the_next(migrated_url, tmp_path)


def test_a_run_killed_while_it_stores_leaves_all_or_nothing(shell: Shell, migrated_url: str, tmp_path: Path) -> None:
    """At whatever moment: what is there is the catalog before or the one after, and the next run goes on."""
    old, new = some(300), [model(f"acme/image-{each}", each + 2) for each in range(5, 305)]
    shell.set(DATABASE_URL=migrated_url)
    with Emulator([catalog(*old), catalog(*new)], stepping="manual") as api:
        shell.set(BASE_URL=api.base_url)
        output(shell("sync"))
        before = catalog_rows(migrated_url)
        api.step_to(1)
        for delay in (0.02, 0.06, 0.12):
            kill_after(delay, migrated_url, new, tmp_path)
            rows = catalog_rows(migrated_url)
            assert rows == before or is_whole(migrated_url, len(new))
        output(shell("sync", "--accept-removals", "all"))
    assert is_whole(migrated_url, len(new))
    assert "running" not in {row[0] for row in ask(migrated_url, STATUS)}


def kill_after(delay: float, url: str, models: list[Model], home: Path) -> None:
    """Kills a run so long after it got its answers."""
    image = says(answer("200 OK", envelope(models)))
    video = says(answer("200 OK", envelope([], "video")))
    with (
        RudeServer(image=image, video=video) as api,
        started("sync", environ=settings(url, api.url, home)) as process,
    ):
        eventually(lambda: len(api.requests) == 2)
        time.sleep(delay)
        process.kill()
        process.wait(10)


def catalog_rows(url: str) -> dict[str, object]:
    rows = every_row(url)
    return {name: rows[name] for name in rows if name not in RUN_TABLES}


def is_whole(url: str, number: int) -> bool:
    """The new catalog and its history are there, each model once and at its new cost."""
    costs = "SELECT COUNT(*), SUM(credit_cost) FROM v_current_catalog"
    versions = "SELECT COUNT(*) FROM model_versions WHERE valid_to IS NULL"
    history = "SELECT COUNT(*), SUM(default_cost) FROM credit_history WHERE valid_to IS NULL"
    expected = (number, sum(each + 2 for each in range(5, 305)))
    return ask(url, costs) == ask(url, history) == [expected] and ask(url, versions) == [(number,)]


def test_a_schedule_runs_again_and_again_and_tells_what_fails(sqlite_url: str, tmp_path: Path) -> None:
    good, bad = says(answer("200 OK", envelope(some(1)))), says(answer("403 Forbidden"))
    with RudeServer(good, bad, good) as api:
        environ = settings(sqlite_url, api.url, tmp_path)
        with started("schedule", "--every", "1s", "--mode", "image", environ=environ) as process:
            eventually(lambda: ask(sqlite_url, STATUS)[:4] == [("success",), ("failed",), ("success",), ("success",)])
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


def test_a_schedule_goes_on_when_the_database_was_away(sqlite_url: str, tmp_path: Path) -> None:
    file = Path(make_url(sqlite_url).database or "")
    with Emulator([catalog(*some(1))]) as api:
        environ = settings(sqlite_url, api.base_url, tmp_path)
        with started("schedule", "--every", "1s", "--quiet", environ=environ) as process:
            eventually(lambda: ask(sqlite_url, STATUS))
            for part in ("", "-wal", "-shm"):
                if file.with_name(file.name + part).exists():
                    file.with_name(file.name + part).rename(tmp_path / f"away.db{part}")
            time.sleep(1.5)
            for part in ("", "-wal", "-shm"):
                if (tmp_path / f"away.db{part}").exists():
                    (tmp_path / f"away.db{part}").rename(file.with_name(file.name + part))
            before = len(ask(sqlite_url, STATUS))
            eventually(lambda: len(ask(sqlite_url, STATUS)) > before)
            process.send_signal(signal.SIGTERM)
            ended = finished(process, within=10)
    assert (ended.code, ended.out) == (0, "")
    assert f"there is no database at {file}" in ended.err


def test_a_suspended_schedule_makes_up_with_one_run(sqlite_url: str, tmp_path: Path) -> None:
    with Emulator([catalog(*some(1))]) as api:
        environ = settings(sqlite_url, api.base_url, tmp_path)
        with started("schedule", "--every", "1s", environ=environ) as process:
            eventually(lambda: ask(sqlite_url, STATUS) == [("success",)] * 2)
            time.sleep(0.2)  # between two runs
            process.send_signal(signal.SIGSTOP)
            before = len(ask(sqlite_url, STATUS))
            time.sleep(4)
            process.send_signal(signal.SIGCONT)
            eventually(lambda: len(ask(sqlite_url, STATUS)) > before)
            time.sleep(1.5)
            process.send_signal(signal.SIGTERM)
            ended = finished(process, within=10)
    assert (ended.code, ended.err) == (0, "")
    assert 2 <= len(ask(sqlite_url, STATUS)) - before <= 3


def test_a_run_waits_for_a_short_lock_and_then_stores(sqlite_url: str, tmp_path: Path) -> None:
    with Emulator([catalog(*some(2))]) as api:
        other = sqlite3.connect(make_url(sqlite_url).database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with started("sync", environ=settings(sqlite_url, api.base_url, tmp_path)) as process:
            time.sleep(1.5)
            other.execute("ROLLBACK")
            other.close()
            output(finished(process))
    assert ask(sqlite_url, STATUS) == [("success",)]
