"""Faults D1, D2, D4, D17, D25 and D26: runs that die, meet, are read meanwhile, or meet another schema."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from models_db.engine import open_engine
from models_db.migrate import HEAD
from sync.source.emulator.server import Emulator
from tests.cli.conftest import Shell
from tests.support.api_catalogs import Model, catalog, envelope, model, numbered_models
from tests.support.commands import (
    ROOT,
    CommandResult,
    environment,
    error_line,
    eventually,
    finished,
    output,
    run_process,
    started,
)
from tests.support.database_contents import RUN_TABLES, changed_tables, every_row, query_rows
from tests.support.rude_server import RudeServer, Script, response, says, silent
from tests.support.secrets_search import KEY
from tests.support.self_killing_program import DOOMED
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])


@pytest.mark.parametrize(
    ("number", "moment"), [(5, "after_cursor_execute"), (14, "after_cursor_execute"), (2, "commit")]
)
def test_d1_a_run_that_kills_itself_leaves_all_or_nothing(synced: SyncedDatabase, number: int, moment: str) -> None:
    before = synced.catalog()
    with RudeServer(image=RAISED, video=video()) as api:
        environ = synced.environment(BASE_URL=api.url)
        died = run_process(str(number), moment, "sync", program=("-c", DOOMED), environ=environ)

    assert died.code == -signal.SIGKILL
    assert synced.query(STATUS) in ([("success",)], [("success",), ("running",)])  # it may not have begun
    synced.require_unchanged(before)
    synced.succeeds(image=RAISED)
    assert synced.query(STATUS)[1:] in ([("success",)], [("abandoned",), ("success",)])
    assert synced.events() == ["increase"]


def settings(url: str, base_url: str, home: Path) -> dict[str, str]:
    return environment(home, DATABASE_URL=url, BASE_URL=base_url, API_KEY=KEY)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_d2_a_signal_ends_a_run_that_waits_for_the_api(
    sqlite_url: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with RudeServer(silent) as api, started("sync", environ=settings(sqlite_url, api.url, tmp_path)) as process:
        eventually(lambda: len(api.requests) == 2)
        process.send_signal(number)
        ended = finished(process, within=10)
    assert "the fetch was interrupted: no response was stored" in error_line(ended, code)
    assert ended.out == ""
    runs = "SELECT status, error_type, finished_at IS NOT NULL FROM sync_runs"
    assert query_rows(sqlite_url, runs) == [("failed", "Interrupted", 1)]


# Runs the program, which gets this signal as it loads a module of this name.
INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would be deaf to it
number, name = int(sys.argv.pop(1)), sys.argv.pop(1)
class Interrupting:
    def find_spec(self, module, *_):
        if module == name:
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Interrupting())
from sync.cli import main
main()
"""


@pytest.mark.parametrize(
    ("number", "code", "words"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "stopped by SIGTERM")]
)
@pytest.mark.parametrize("module", ["sync.cli.entry_point", "click", "sync.cli.commands", "sync.errors"])
def test_d2_a_signal_while_the_program_loads_is_one_line_too(
    synced_sqlite: SyncedDatabase, module: str, number: signal.Signals, code: int, words: str
) -> None:
    before = synced_sqlite.catalog()
    command = [sys.executable, "-c", INTERRUPTED, str(int(number)), module, "sync"]
    died = subprocess.run(
        command, cwd=ROOT, env=synced_sqlite.environment(), capture_output=True, text=True, check=False
    )
    assert words in error_line(CommandResult(died.returncode, died.stdout, died.stderr), code)
    synced_sqlite.require_unchanged(before)


def test_d2_a_command_that_is_told_to_stop_says_so_in_one_line(synced_sqlite: SyncedDatabase) -> None:
    """As it reads what it checks, before its last word."""
    before = synced_sqlite.catalog()
    command = [sys.executable, "-c", INTERRUPTED, str(int(signal.SIGTERM)), "sync.store.verify.read_models", "verify"]
    died = subprocess.run(
        command, cwd=ROOT, env=synced_sqlite.environment(), capture_output=True, text=True, check=False
    )
    assert "stopped by SIGTERM" in error_line(CommandResult(died.returncode, died.stdout, died.stderr), 143)
    synced_sqlite.require_unchanged(before)


def test_d2_a_command_that_waits_for_a_lock_is_left_in_time(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        url = f"sqlite:///{file}"
        with started("migrate", environ=environment(tmp_path, DATABASE_URL=url)) as process:
            time.sleep(2)  # it waits for the lock by then
            process.send_signal(signal.SIGTERM)
            assert "stopped by SIGTERM" in error_line(finished(process, within=10), 143)
    output(run_process("migrate", environ=environment(tmp_path, DATABASE_URL=url)))


def test_d1_a_run_killed_while_it_asks_is_called_abandoned_by_the_next(migrated_url: str, tmp_path: Path) -> None:
    before = every_row(migrated_url)
    with RudeServer(silent) as api, started("sync", environ=settings(migrated_url, api.url, tmp_path)) as process:
        eventually(lambda: len(api.requests) == 2)
        process.kill()
        assert finished(process).code == -signal.SIGKILL
    assert changed_tables(before, every_row(migrated_url)) == {"sync_runs"}
    assert query_rows(migrated_url, STATUS) == [("running",)]
    with Emulator([catalog(*numbered_models(2))]) as good:
        output(run_process("sync", environ=settings(migrated_url, good.base_url, tmp_path)))
    assert query_rows(migrated_url, STATUS) == [("abandoned",), ("success",)]


def test_d1_a_run_killed_while_it_stores_leaves_all_or_nothing(shell: Shell, migrated_url: str, tmp_path: Path) -> None:
    """At whatever moment: what is there is the catalog before or the one after, and the next run goes on."""
    old, new = numbered_models(300), [model(f"acme/image-{each}", each + 2) for each in range(5, 305)]
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
    assert "running" not in {row[0] for row in query_rows(migrated_url, STATUS)}


def kill_after(delay: float, url: str, models: list[Model], home: Path) -> None:
    """Kills a run so long after it got its answers."""
    image = says(response("200 OK", envelope(models)))
    video = says(response("200 OK", envelope([], "video")))
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
    return query_rows(url, costs) == query_rows(url, history) == [expected] and query_rows(url, versions) == [(number,)]


def after(gate: threading.Event, script: Script) -> Script:
    """The same, once the gate is open."""

    def run(peer: socket.socket, stop: threading.Event) -> None:
        gate.wait(30)
        script(peer, stop)

    return run


def test_d4_of_two_runs_at_once_one_is_stored_and_the_other_is_exit_8(synced: SyncedDatabase) -> None:
    gate = threading.Event()
    slow_image, slow_video = after(gate, RAISED), after(gate, video())
    with RudeServer(image=slow_image, video=slow_video) as api, synced.process("sync", api=api) as process:
        eventually(lambda: len(api.requests) == 2)
        synced.succeeds(image=image([model("acme/image-0", 50), *LISTED[1:]]))
        before = synced.catalog()
        gate.set()
        line = error_line(finished(process), 8)

    assert "another run stored a newer response" in line
    assert synced.costs()["acme/image-0"] == "50"
    assert synced.query(STATUS) == [("success",), ("superseded",), ("success",)]
    synced.require_unchanged(before)


def test_d17_a_reader_in_the_middle_of_a_run_sees_nothing_of_it(synced: SyncedDatabase) -> None:
    query = "SELECT model_id, credit_cost_exact FROM v_current_catalog ORDER BY mode, model_id"
    before, seen = query_rows(synced.url, query), []
    reader = open_engine(synced.url)

    def look(connection: Connection, *_: object) -> None:
        if connection.engine is not reader:
            with reader.connect() as other:
                seen.append([tuple(row) for row in other.exec_driver_sql(query)])

    event.listen(Engine, "after_cursor_execute", look)
    try:
        output(synced.sync(image=RAISED))
    finally:
        event.remove(Engine, "after_cursor_execute", look)
        reader.dispose()

    assert len(seen) > 10
    assert all(rows == before for rows in seen)
    assert query_rows(synced.url, query) != before
    synced.verify()


@pytest.mark.parametrize(("revision", "words"), [("0000", "run catalog-sync migrate"), ("9999", "install a newer")])
def test_d25_another_schema_is_exit_2_names_both_revisions_and_touches_nothing(
    synced: SyncedDatabase, revision: str, words: str
) -> None:
    before = every_row(synced.url)
    change = "UPDATE catalog_sync_version SET version_num = '{}'"
    engine = open_engine(synced.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(change.format(revision))
    for command in (["sync"], ["models"], ["verify"], ["sync", "--dry-run"]):
        line = error_line(synced.shell(*command), 2)
        assert revision in line
        assert HEAD in line
        assert words in line
    with engine.begin() as connection:
        connection.exec_driver_sql(change.format(HEAD))
    engine.dispose()
    assert every_row(synced.url) == before


def test_d26_a_session_asks_for_no_less_safety_than_the_database_gives(synced: SyncedDatabase) -> None:
    """Power loss itself cannot be tried here: what is checked is that nothing of ours weakens what guards from it."""
    weakened = "SELECT source IN ('session', 'client') FROM pg_settings WHERE name = 'synchronous_commit'"
    asked = {
        "sqlite": ("PRAGMA synchronous", 2),  # FULL
        "postgresql": (weakened, False),
        "mariadb": ("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit = @@innodb_flush_log_at_trx_commit", 1),
    }
    engine = open_engine(synced.url)
    with engine.connect() as connection:
        query, expected = asked[engine.dialect.name]
        assert connection.exec_driver_sql(query).scalar_one() == expected
    engine.dispose()
