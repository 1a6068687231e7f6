"""Faults D6, D13, D14 and D18 to D24 on servers: errors of their own, raised by them, and settings that bend data."""

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
    """Makes the database itself raise an error in so many transactions that store an answer."""
    execute(synced, "CREATE SEQUENCE raised")  # counts on when a transaction is rolled back
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


def raised(synced: SyncedDatabase) -> int:
    """How many times it was tried."""
    return int(synced.query("SELECT next_not_cached_value FROM raised")[0][0]) - 1


@on_postgresql
@pytest.mark.parametrize("error", ["40001", "40P01"])
def test_d13_a_serialization_failure_or_deadlock_runs_the_whole_again(
    synced_own_server: SyncedDatabase, error: str
) -> None:
    raise_in_runs(synced_own_server, error, times=3)
    output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.events() == ["increase"]
    assert synced_own_server.query(STATUS) == [("success",), ("success",)]
    synced_own_server.verify()


@on_postgresql
@pytest.mark.parametrize(
    ("error", "tries"), [("40001", 4), ("40P01", 4), ("55P03", 1), ("57014", 1), ("25P03", 1), ("53100", 1)]
)
def test_d13_an_error_that_stays_is_exit_6_after_its_tries(
    synced_own_server: SyncedDatabase, error: str, tries: int
) -> None:
    before = synced_own_server.catalog()
    raise_in_runs(synced_own_server, error, times=99)
    line = error_line(synced_own_server.sync("--mode", "image", image=RAISED), 6)

    assert "as it says; nothing of this step was stored" in line
    assert synced_own_server.query("SELECT last_value FROM raised") == [(tries,)]
    assert synced_own_server.query(STATUS)[-1] == ("failed",)
    synced_own_server.require_unchanged(before)


@on_postgresql
def test_d13_a_lock_held_by_somebody_else_is_exit_6_after_its_time(synced_own_server: SyncedDatabase) -> None:
    before = synced_own_server.catalog()
    with write_lock(synced_own_server):
        line = error_line(synced_own_server.sync("--database-timeout", "2", image=RAISED), 6)

    assert "lock timeout" in line
    synced_own_server.require_unchanged(before)


@on_postgresql
def test_d13_a_short_idle_time_does_not_meet_a_run_that_waits_for_the_api(synced_own_server: SyncedDatabase) -> None:
    name = make_url(synced_own_server.url).database
    execute(synced_own_server, f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '200ms'")

    def slowly(peer: object, stop: threading.Event) -> None:
        stop.wait(0.6)
        RAISED(peer, stop)  # type: ignore[arg-type] # passed on

    synced_own_server.succeeds(image=slowly)
    assert synced_own_server.events() == ["increase"]


@contextmanager
def write_lock(synced: SyncedDatabase) -> Iterator[None]:
    engine = open_engine(synced.url)
    with write_transaction(engine) as connection:
        connection.execute(text("SELECT * FROM sync_state FOR UPDATE"))
        yield
    engine.dispose()


@on_postgresql
def test_d14_nothing_of_a_session_is_relied_on_that_a_transaction_pool_would_mix_up(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    """No statement is prepared, no lock is the session's, no option is sent at the login."""
    own_server.execute("ALTER SYSTEM SET log_statement = 'all'", "ALTER SYSTEM SET log_connections = 'on'")
    own_server.execute("SELECT pg_reload_conf()")
    time.sleep(0.3)
    log = own_server.folder / "output"
    before = log.stat().st_size
    synced_own_server.succeeds("--migrate", image=RAISED)
    own_server.execute("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
    told = log.read_bytes()[before:].decode()

    assert "statement: BEGIN ISOLATION LEVEL READ COMMITTED" in told or "BEGIN" in told
    assert re.findall(r"execute [^<\s][^:]*:", told) == []  # the name of a prepared statement
    assert "pg_advisory_lock" not in told
    assert re.findall(r"(?i)statement: SET (?!LOCAL|TIME ZONE|DateStyle)[^\n]*", told) == []


@pytest.mark.parametrize("number", [12, 25])
def test_d18_a_migration_killed_half_way_is_run_again(
    shell: Shell, database_url: str, tmp_path: Path, number: int
) -> None:
    synced = SyncedDatabase(shell, database_url, tmp_path, is_new=False)
    arguments = (str(number), "after_cursor_execute", "migrate")
    died = run_process(*arguments, program=("-c", DOOMED), environ=synced.environment())
    assert died.code == -signal.SIGKILL
    assert "run catalog-sync migrate" in error_line(shell("sync", "--base-url", "http://127.0.0.1:9"), 2)

    output(shell("migrate"))
    synced.succeeds()


@on_mariadb
def test_d19_a_server_that_would_bend_data_is_told_not_to(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    modes = own_server.engine().connect().exec_driver_sql("SELECT @@GLOBAL.sql_mode").scalar_one()
    own_server.execute("SET GLOBAL sql_mode = ''")
    try:
        engine = open_engine(synced_own_server.url)
        for fault in ("UPDATE models SET mode = REPEAT('x', 999)", "UPDATE credits SET default_cost = 1e30"):
            with pytest.raises(DBAPIError), write_transaction(engine) as connection:
                connection.execute(text(fault))
        engine.dispose()
        synced_own_server.succeeds(image=RAISED)
    finally:
        own_server.execute(f"SET GLOBAL sql_mode = '{modes}'")


@on_mariadb
@pytest.mark.parametrize("collation", ["latin1_swedish_ci", "utf8mb4_general_ci", "utf8mb4_bin"])
def test_d20_ids_compare_byte_by_byte_whatever_the_database_is_made_for(
    shell: Shell, own_server: Server, tmp_path: Path, collation: str
) -> None:
    with database_servers.new_database(own_server.url) as url:
        own_server.execute(f"ALTER DATABASE {url.database} COLLATE {collation}")
        upgrade(url)
        synced = SyncedDatabase(shell, url.render_as_string(hide_password=False), tmp_path)
        twins = [model(name, number) for number, name in enumerate(("Foo", "foo", "foo ", "föo", "日本", "𝄞"))]
        synced.succeeds(image=image([*LISTED, *twins]))
        assert len(synced.costs()) == 10
        assert synced.costs()["foo "] == "2"


@on_mariadb
@pytest.mark.parametrize("error", ["1213", "1205", "1020"])
def test_d21_a_deadlock_or_lock_wait_runs_the_whole_again(synced_own_server: SyncedDatabase, error: str) -> None:
    raise_in_runs(synced_own_server, error, times=3)
    output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.events() == ["increase"]
    assert synced_own_server.query(STATUS) == [("success",), ("success",)]
    synced_own_server.verify()


@on_mariadb
def test_d21_a_lock_held_by_somebody_else_is_waited_for_and_then_exit_6(synced_own_server: SyncedDatabase) -> None:
    before = synced_own_server.catalog()
    with write_lock(synced_own_server):
        line = error_line(synced_own_server.sync("--database-timeout", "2", image=RAISED), 6)

    assert "Lock wait timeout exceeded" in line
    synced_own_server.require_unchanged(before)


@on_mariadb
@pytest.mark.parametrize("error", ["1047", "1180", "1213"])
def test_d22_what_a_node_of_galera_says_runs_the_whole_again_on_another_connection(
    synced_own_server: SyncedDatabase, error: str
) -> None:
    """The numbers are Galera's, raised by a single server; docs/reliability.md says what was seen on a cluster."""
    raise_in_runs(synced_own_server, error, times=2)
    output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.events() == ["increase"]
    synced_own_server.verify()


@on_mariadb
def test_d22_a_node_that_is_gone_is_passed_over_for_the_next(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    url = make_url(synced_own_server.url)
    synced_own_server.shell.set(DATABASE_URL=f"mariadb://root@127.0.0.1:9,127.0.0.1:{own_server.port}/{url.database}")

    synced_own_server.succeeds(image=RAISED)


@on_mariadb
def test_d23_no_lock_of_the_server_decides_between_runs(synced_own_server: SyncedDatabase, own_server: Server) -> None:
    """On Galera two nodes give the same lock to two; a row that is set after a check is refused at one's COMMIT."""
    own_server.execute("SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1")
    synced_own_server.succeeds(image=RAISED)
    own_server.execute("SET GLOBAL general_log = 0")
    with own_server.engine().connect() as connection:
        said = (
            connection.exec_driver_sql("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log").scalars().all()
        )

    assert any("UPDATE sync_state SET version=(sync_state.version +" in statement for statement in said)
    assert not any("GET_LOCK" in statement for statement in said)


@on_mariadb
def test_d24_a_reader_of_a_cluster_can_ask_to_wait_for_what_is_committed(synced_own_server: SyncedDatabase) -> None:
    """That a reader at another node is late is Galera's own; the server takes the setting that ends it."""
    execute(synced_own_server, "SET SESSION wsrep_sync_wait = 1")

    assert "wsrep_sync_wait" in (ROOT / "docs/reliability.md").read_text()


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_d15_a_port_that_answers_and_says_nothing_holds_no_command_up(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Not even a migration, which waits for an answer as long as it takes."""
    monkeypatch.setattr(timeouts, "CONNECT_SECONDS", 2)  # the least that PostgreSQL's driver takes
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shell.set(DATABASE_URL=f"{scheme}://me@127.0.0.1:{silent.getsockname()[1]}/catalog")
        for command in ("migrate", "models"):
            began = time.monotonic()
            error_line(shell(command), 6)
            assert time.monotonic() - began < 10
