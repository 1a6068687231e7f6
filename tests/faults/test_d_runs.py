"""Faults D1, D2, D4, D17, D25 and D26: runs that are killed, overlap, are read meanwhile, or find another schema."""

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
from tests.cli.conftest import Shell
from tests.support.api_address import emulator
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
from tests.support.database_contents import DAY_TABLES, RUN_TABLES, SEAL_TABLES, changed_tables, every_row, query_rows
from tests.support.rude_server import RudeServer, Script, response, says, silent
from tests.support.secrets_search import KEY
from tests.support.self_killing_program import DOOMED
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])


@pytest.mark.parametrize(
    ("number", "moment"), [(5, "after_cursor_execute"), (14, "after_cursor_execute"), (2, "commit")]
)
def test_d1_a_run_killed_at_a_statement_leaves_all_or_nothing(synced: SyncedDatabase, number: int, moment: str) -> None:
    before = synced.catalog()
    with RudeServer(image=RAISED, video=video()) as api:
        environ = synced.environment(BASE_URL=api.url)
        result = run_process(str(number), moment, "sync", program=("-c", DOOMED), environ=environ)

    assert result.code == -signal.SIGKILL
    # The run may have died before its row was inserted.
    assert synced.query(STATUS) in ([("success",)], [("success",), ("running",)])
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
        result = finished(process, within=10)
    assert "the fetch was interrupted: no response was stored" in error_line(result, code)
    assert result.out == ""
    runs = "SELECT status, error_type, finished_at IS NOT NULL FROM sync_runs"
    assert query_rows(sqlite_url, runs) == [("failed", "Interrupted", 1)]


# Runs the program, which gets this signal when it imports the module with this name.
INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell ignores SIGINT
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
    ("number", "code", "message"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "stopped by SIGTERM")]
)
@pytest.mark.parametrize("module", ["sync.cli.entry_point", "click", "sync.cli.commands", "sync.errors"])
def test_d2_a_signal_while_the_program_loads_is_one_line(
    synced_sqlite: SyncedDatabase, module: str, number: signal.Signals, code: int, message: str
) -> None:
    before = synced_sqlite.catalog()
    command = [sys.executable, "-c", INTERRUPTED, str(int(number)), module, "sync"]
    process = subprocess.run(
        command, cwd=ROOT, env=synced_sqlite.environment(), capture_output=True, text=True, check=False
    )
    assert message in error_line(CommandResult(process.returncode, process.stdout, process.stderr), code)
    synced_sqlite.require_unchanged(before)


def test_d2_a_signal_during_a_command_is_one_line(synced_sqlite: SyncedDatabase) -> None:
    """The signal arrives while ``verify`` reads the rows, before it prints its result."""
    before = synced_sqlite.catalog()
    command = [sys.executable, "-c", INTERRUPTED, str(int(signal.SIGTERM)), "sync.store.verify.read_models", "verify"]
    process = subprocess.run(
        command, cwd=ROOT, env=synced_sqlite.environment(), capture_output=True, text=True, check=False
    )
    assert "stopped by SIGTERM" in error_line(CommandResult(process.returncode, process.stdout, process.stderr), 143)
    synced_sqlite.require_unchanged(before)


def test_d2_a_signal_ends_a_command_that_waits_for_a_lock(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        url = f"sqlite:///{file}"
        with started("migrate", environ=environment(tmp_path, DATABASE_URL=url)) as process:
            time.sleep(2)  # the command waits for the lock by then
            process.send_signal(signal.SIGTERM)
            assert "stopped by SIGTERM" in error_line(finished(process, within=10), 143)
    output(run_process("migrate", environ=environment(tmp_path, DATABASE_URL=url)))


def test_d1_a_run_killed_while_it_fetches_is_marked_abandoned_by_the_next(migrated_url: str, tmp_path: Path) -> None:
    before = every_row(migrated_url)
    with RudeServer(silent) as api, started("sync", environ=settings(migrated_url, api.url, tmp_path)) as process:
        eventually(lambda: len(api.requests) == 2)
        process.kill()
        assert finished(process).code == -signal.SIGKILL
    assert changed_tables(before, every_row(migrated_url)) == {"sync_runs"}
    assert query_rows(migrated_url, STATUS) == [("running",)]
    with emulator([catalog(*numbered_models(2))]) as good:
        output(run_process("sync", environ=settings(migrated_url, good.base_url, tmp_path)))
    assert query_rows(migrated_url, STATUS) == [("abandoned",), ("success",)]


def test_d1_a_run_killed_while_it_stores_leaves_all_or_nothing(shell: Shell, migrated_url: str, tmp_path: Path) -> None:
    """Whenever it is killed, the database has the old or the new catalog, and the next run succeeds."""
    old, new = numbered_models(300), [model(f"acme/image-{each}", each + 2) for each in range(5, 305)]
    shell.set(DATABASE_URL=migrated_url)
    with emulator([catalog(*old), catalog(*new)], stepping="manual") as api:
        shell.set(BASE_URL=api.base_url)
        output(shell("sync"))
        before = catalog_rows(migrated_url)
        api.step_to(1)
        # The kills come at different steps of storing the catalog.
        for delay in (0.02, 0.06, 0.12):
            kill_after(delay, migrated_url, new, tmp_path)
            rows = catalog_rows(migrated_url)
            assert rows == before or has_new_catalog(migrated_url, len(new))
        output(shell("sync", "--accept-removals", "all", "--accept-base-url"))
    assert has_new_catalog(migrated_url, len(new))
    assert "running" not in {row[0] for row in query_rows(migrated_url, STATUS)}


def kill_after(delay: float, url: str, models: list[Model], home: Path) -> None:
    """Kills a run ``delay`` seconds after it sent its requests."""
    image = says(response("200 OK", envelope(models)))
    video = says(response("200 OK", envelope([], "video")))
    with (
        RudeServer(image=image, video=video) as api,
        started("sync", "--accept-base-url", environ=settings(url, api.url, home)) as process,
    ):
        eventually(lambda: len(api.requests) == 2)
        time.sleep(delay)
        process.kill()
        process.wait(10)


def catalog_rows(url: str) -> dict[str, object]:
    rows = every_row(url)
    return {name: rows[name] for name in rows if name not in {*RUN_TABLES, *DAY_TABLES, *SEAL_TABLES}}


def has_new_catalog(url: str, number: int) -> bool:
    """Whether the new catalog and its history are stored, each model once with its new cost."""
    costs = "SELECT COUNT(*), SUM(credit_cost) FROM v_current_catalog"
    versions = "SELECT COUNT(*) FROM model_versions WHERE valid_to IS NULL"
    history = "SELECT COUNT(*), SUM(default_cost) FROM credit_history WHERE valid_to IS NULL"
    expected = (number, sum(each + 2 for each in range(5, 305)))
    return query_rows(url, costs) == query_rows(url, history) == [expected] and query_rows(url, versions) == [(number,)]


def after(gate: threading.Event, script: Script) -> Script:
    """Runs the script when the gate is open."""

    def run(peer: socket.socket, stop: threading.Event) -> None:
        gate.wait(30)
        script(peer, stop)

    return run


def test_d4_of_two_runs_at_once_one_is_stored_and_the_other_is_exit_8(synced: SyncedDatabase) -> None:
    gate = threading.Event()
    slow_image, slow_video = after(gate, RAISED), after(gate, video())
    with RudeServer(image=slow_image, video=slow_video) as api, synced.process("sync", api=api) as process:
        eventually(lambda: len(api.requests) == 2)
        # The server of the slow run has the address of the last sync.
        synced.succeeds("--accept-base-url", image=image([model("acme/image-0", 50), *LISTED[1:]]))
        before = synced.catalog()
        gate.set()
        line = error_line(finished(process), 8)

    assert "another run stored a response" in line
    assert synced.costs()["acme/image-0"] == "50"
    assert synced.query(STATUS) == [("success",), ("superseded",), ("success",)]
    synced.require_unchanged(before)


def test_d17_a_reader_during_a_run_sees_nothing_of_it(synced: SyncedDatabase) -> None:
    query = "SELECT model_id, credit_cost_exact FROM v_current_catalog ORDER BY mode, model_id"
    before, seen = query_rows(synced.url, query), []
    reader = open_engine(synced.url)

    def read(connection: Connection, *_: object) -> None:
        # The reader's own queries would call this function again.
        if connection.engine is not reader:
            with reader.connect() as other:
                seen.append([tuple(row) for row in other.exec_driver_sql(query)])

    event.listen(Engine, "after_cursor_execute", read)
    try:
        output(synced.sync(image=RAISED))
    finally:
        event.remove(Engine, "after_cursor_execute", read)
        reader.dispose()

    assert len(seen) > 10
    assert all(rows == before for rows in seen)
    assert query_rows(synced.url, query) != before
    synced.verify()


@pytest.mark.parametrize(("revision", "remedy"), [("0000", "run catalog-sync migrate"), ("9999", "install a newer")])
def test_d25_another_schema_is_exit_2_with_both_revisions_named_and_nothing_changes(
    synced: SyncedDatabase, revision: str, remedy: str
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
        assert remedy in line
    with engine.begin() as connection:
        connection.exec_driver_sql(change.format(HEAD))
    engine.dispose()
    assert every_row(synced.url) == before


def test_d26_no_session_weakens_the_durability_of_the_database(synced: SyncedDatabase) -> None:
    """A test cannot cause a power loss. It checks that no session changes the settings that protect against it."""
    is_changed = "SELECT source IN ('session', 'client') FROM pg_settings WHERE name = 'synchronous_commit'"
    queries = {
        "sqlite": ("PRAGMA synchronous", 2),  # FULL
        "postgresql": (is_changed, False),
        "mariadb": ("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit = @@innodb_flush_log_at_trx_commit", 1),
    }
    engine = open_engine(synced.url)
    with engine.connect() as connection:
        query, expected = queries[engine.dialect.name]
        assert connection.exec_driver_sql(query).scalar_one() == expected
    engine.dispose()
