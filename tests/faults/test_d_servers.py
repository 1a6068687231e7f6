"""Faults D13 to D15 and D18 to D24: errors that a server raises, and settings of a server that change data."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from models_db.engine import open_engine, timeouts, write_transaction
from models_db.migrate import upgrade
from tests.cli.conftest import Shell
from tests.faults.conftest import on_mariadb, on_postgresql
from tests.support import database_servers
from tests.support.api_catalogs import model
from tests.support.commands import ROOT, error_line, output, run_process
from tests.support.own_database_server import Server
from tests.support.self_killing_program import DOOMED
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])


def execute(synced: SyncedDatabase, *statements: str) -> None:
    engine = open_engine(synced.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def raise_in_runs(synced: SyncedDatabase, error: str, times: int) -> None:
    """Makes the server raise an error in the first transactions that store a response."""
    execute(synced, "CREATE SEQUENCE raised")  # a rollback does not reset a sequence
    if synced.url.startswith("postgresql"):
        raising = f"IF nextval('raised') <= {times} THEN RAISE EXCEPTION 'as it says' USING ERRCODE = '{error}'; END IF"
        execute(
            synced,
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {raising}; RETURN NEW; END $$",
            "CREATE TRIGGER fail BEFORE UPDATE ON sync_state FOR EACH ROW EXECUTE FUNCTION fail()",
        )
        return
    signal = f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {error}, MESSAGE_TEXT = 'as it says'"
    execute(
        synced,
        f"CREATE TRIGGER fail BEFORE UPDATE ON sync_state FOR EACH ROW"
        f" IF NEXTVAL(raised) <= {times} THEN {signal}; END IF",
    )


@on_postgresql
@pytest.mark.parametrize("error", ["40001", "40P01"])
def test_d13_a_serialization_failure_or_deadlock_repeats_the_whole_transaction(
    synced_own_server: SyncedDatabase, error: str
) -> None:
    raise_in_runs(synced_own_server, error, times=3)
    output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.events() == ["increase"]
    assert synced_own_server.query(STATUS) == [("success",), ("success",)]
    synced_own_server.verify()


@on_postgresql
@pytest.mark.parametrize(
    ("error", "attempts"), [("40001", 4), ("40P01", 4), ("55P03", 1), ("57014", 1), ("25P03", 1), ("53100", 1)]
)
def test_d13_an_error_that_persists_is_exit_6_after_its_attempts(
    synced_own_server: SyncedDatabase, error: str, attempts: int
) -> None:
    before = synced_own_server.catalog()
    raise_in_runs(synced_own_server, error, times=99)
    line = error_line(synced_own_server.sync("--mode", "image", image=RAISED), 6)

    # The fourth attempt is the last: a transaction is repeated three times.
    assert "as it says; nothing of this step was stored" in line
    assert synced_own_server.query("SELECT last_value FROM raised") == [(attempts,)]
    assert synced_own_server.query(STATUS)[-1] == ("failed",)
    synced_own_server.require_unchanged(before)


@on_postgresql
def test_d13_a_lock_of_another_session_is_exit_6_after_the_timeout(synced_own_server: SyncedDatabase) -> None:
    before = synced_own_server.catalog()
    with write_lock(synced_own_server):
        line = error_line(synced_own_server.sync("--database-timeout", "2", image=RAISED), 6)

    assert "lock timeout" in line
    synced_own_server.require_unchanged(before)


@on_postgresql
def test_d13_a_short_idle_timeout_does_not_end_a_run_that_waits_for_the_api(synced_own_server: SyncedDatabase) -> None:
    name = make_url(synced_own_server.url).database
    execute(synced_own_server, f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '200ms'")

    def slowly(peer: object, stop: threading.Event) -> None:
        stop.wait(0.6)
        RAISED(peer, stop)  # type: ignore[arg-type] # the script takes a socket

    output(synced_own_server.sync(image=slowly))
    # The checks below pause longer than that on a busy machine.
    execute(synced_own_server, f"ALTER DATABASE {name} RESET idle_in_transaction_session_timeout")
    synced_own_server.verify()
    assert synced_own_server.events() == ["increase"]


@contextmanager
def write_lock(synced: SyncedDatabase) -> Iterator[None]:
    engine = open_engine(synced.url)
    with write_transaction(engine) as connection:
        connection.execute(text("SELECT * FROM sync_state FOR UPDATE"))
        yield
    engine.dispose()


@on_postgresql
def test_d14_no_state_of_a_session_is_used_that_a_transaction_pool_shares(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    """The log has no prepared statement, no session lock, and no SET but of the time zone and the date style."""
    own_server.execute("ALTER SYSTEM SET log_statement = 'all'", "ALTER SYSTEM SET log_connections = 'on'")
    own_server.execute("SELECT pg_reload_conf()")
    # Every server process reads the setting by then.
    time.sleep(0.3)
    log = own_server.folder / "output"
    before = log.stat().st_size
    synced_own_server.succeeds("--migrate", image=RAISED)
    own_server.execute("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
    logged = log.read_bytes()[before:].decode()

    assert "statement: BEGIN ISOLATION LEVEL READ COMMITTED" in logged or "BEGIN" in logged
    assert re.findall(r"execute [^<\s][^:]*:", logged) == []  # the name of a prepared statement
    assert "pg_advisory_lock" not in logged
    assert re.findall(r"(?i)statement: SET (?!LOCAL|TIME ZONE|DateStyle)[^\n]*", logged) == []


@pytest.mark.parametrize("number", [12, 25])
def test_d18_a_migration_killed_half_way_can_be_run_again(
    shell: Shell, database_url: str, tmp_path: Path, number: int
) -> None:
    synced = SyncedDatabase(shell, database_url, tmp_path, is_synced=True)
    arguments = (str(number), "after_cursor_execute", "migrate")
    result = run_process(*arguments, program=("-c", DOOMED), environ=synced.environment())
    assert result.code == -signal.SIGKILL
    assert "run catalog-sync migrate" in error_line(shell("sync", "--base-url", "http://127.0.0.1:9"), 2)

    output(shell("migrate"))
    synced.succeeds()


@on_mariadb
def test_d19_an_empty_sql_mode_of_the_server_is_made_strict(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    modes = own_server.engine().connect().exec_driver_sql("SELECT @@GLOBAL.sql_mode").scalar_one()
    own_server.execute("SET GLOBAL sql_mode = ''")
    try:
        engine = open_engine(synced_own_server.url)
        for statement in ("UPDATE models SET mode = REPEAT('x', 999)", "UPDATE credits SET default_cost = 1e30"):
            with pytest.raises(DBAPIError), write_transaction(engine) as connection:
                connection.execute(text(statement))
        engine.dispose()
        synced_own_server.succeeds(image=RAISED)
    finally:
        own_server.execute(f"SET GLOBAL sql_mode = '{modes}'")


@on_mariadb
@pytest.mark.parametrize("collation", ["latin1_swedish_ci", "utf8mb4_general_ci", "utf8mb4_bin"])
def test_d20_ids_are_compared_byte_by_byte_with_any_collation_of_the_database(
    shell: Shell, own_server: Server, tmp_path: Path, collation: str
) -> None:
    with database_servers.new_database(own_server.url) as url:
        own_server.execute(f"ALTER DATABASE {url.database} COLLATE {collation}")
        upgrade(url)
        synced = SyncedDatabase(shell, url.render_as_string(hide_password=False), tmp_path)
        similar = [model(name, number) for number, name in enumerate(("Foo", "foo", "foo ", "föo", "日本", "𝄞"))]
        synced.succeeds(image=image([*LISTED, *similar]))
        assert len(synced.costs()) == 10
        assert synced.costs()["foo "] == "2"


@on_mariadb
@pytest.mark.parametrize("error", ["1213", "1205", "1020"])
def test_d21_a_deadlock_or_lock_wait_repeats_the_whole_transaction(
    synced_own_server: SyncedDatabase, error: str
) -> None:
    raise_in_runs(synced_own_server, error, times=3)
    output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.events() == ["increase"]
    assert synced_own_server.query(STATUS) == [("success",), ("success",)]
    synced_own_server.verify()


@on_mariadb
def test_d21_a_lock_of_another_session_is_exit_6_after_the_timeout(synced_own_server: SyncedDatabase) -> None:
    before = synced_own_server.catalog()
    with write_lock(synced_own_server):
        line = error_line(synced_own_server.sync("--database-timeout", "2", image=RAISED), 6)

    assert "Lock wait timeout exceeded" in line
    synced_own_server.require_unchanged(before)


@on_mariadb
@pytest.mark.parametrize("error", ["1047", "1180", "1213"])
def test_d22_an_error_of_a_galera_node_repeats_the_whole_transaction(
    synced_own_server: SyncedDatabase, error: str
) -> None:
    """A single server raises the error numbers of Galera; docs/reliability.md describes what a cluster did."""
    raise_in_runs(synced_own_server, error, times=2)
    output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.events() == ["increase"]
    synced_own_server.verify()


@on_mariadb
def test_d22_the_next_host_is_used_when_a_node_is_unreachable(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    url = make_url(synced_own_server.url)
    synced_own_server.shell.set(DATABASE_URL=f"mariadb://root@127.0.0.1:9,127.0.0.1:{own_server.port}/{url.database}")

    synced_own_server.succeeds(image=RAISED)


@on_mariadb
def test_d23_the_result_of_two_runs_does_not_depend_on_a_lock_of_the_server(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    """Two nodes of Galera grant the same lock at once. A row that both check and set makes the COMMIT of one fail."""
    own_server.execute("SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1")
    synced_own_server.succeeds(image=RAISED)
    own_server.execute("SET GLOBAL general_log = 0")
    with own_server.engine().connect() as connection:
        statements = (
            connection.exec_driver_sql("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log").scalars().all()
        )

    assert any("UPDATE sync_state SET version=(sync_state.version +" in statement for statement in statements)
    assert not any("GET_LOCK" in statement for statement in statements)


@on_mariadb
def test_d24_a_reader_of_a_cluster_can_wait_for_committed_runs(synced_own_server: SyncedDatabase) -> None:
    """A single server accepts the setting that makes a reader at another node of Galera wait."""
    execute(synced_own_server, "SET SESSION wsrep_sync_wait = 1")

    assert "wsrep_sync_wait" in (ROOT / "docs/reliability.md").read_text()


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_d15_a_port_that_accepts_and_sends_nothing_does_not_block_a_command(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A migration has no read timeout once it is connected, but the login has one."""
    monkeypatch.setattr(timeouts, "CONNECT_SECONDS", 2)  # the minimum of the driver for PostgreSQL
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shell.set(DATABASE_URL=f"{scheme}://me@127.0.0.1:{silent.getsockname()[1]}/catalog")
        for command in ("migrate", "models"):
            began = time.monotonic()
            error_line(shell(command, "--database-timeout", "3"), 6)
            assert time.monotonic() - began < 3 * 3
