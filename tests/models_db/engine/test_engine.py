"""The settings of every connection, and the guarantees of the two kinds of transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from models_db import tables
from models_db.engine import open_engine, read_transaction, write_transaction
from models_db.engine.error_classes import is_transient

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
on_mariadb = pytest.mark.parametrize("database_kind", ["mariadb"], indirect=True)
on_servers = pytest.mark.parametrize("database_kind", ["postgresql", "mariadb"], indirect=True)

ADD = text("INSERT INTO models (mode, model_id, first_seen_at) VALUES ('image', :model_id, '2026-03-03 10:00:00')")
COUNT = text("SELECT COUNT(*) FROM models")
SECRET = "secret value"


def add(connection: Connection, model_id: str = "a") -> None:
    connection.execute(ADD, {"model_id": model_id})


def scalar(connection: Connection, statement: str) -> object:
    return connection.exec_driver_sql(statement).scalar_one()


def test_a_transaction_is_committed_at_its_end(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        add(connection)
    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 1


def test_a_transaction_is_rolled_back_after_an_error(engine: Engine) -> None:
    def fail_after_writing() -> None:
        with write_transaction(engine) as connection:
            add(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 0


def test_a_reader_sees_one_snapshot(engine: Engine) -> None:
    with read_transaction(engine) as reader:
        before = reader.scalar(COUNT)
        with write_transaction(engine) as writer:
            add(writer)
        after = reader.scalar(COUNT)

    assert (before, after) == (0, 0)


def test_the_next_transaction_of_a_reader_gets_a_new_snapshot(engine: Engine) -> None:
    """The connection returns to the pool with its original settings."""
    for number in range(3):
        with read_transaction(engine) as reader:
            assert reader.scalar(COUNT) == number
        with write_transaction(engine) as writer:
            add(writer, str(number))


@on_servers
def test_a_reader_cannot_write(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)read.only"), read_transaction(engine) as reader:
        add(reader)


def test_a_database_error_does_not_print_parameter_values(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as failure, write_transaction(engine) as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": SECRET})

    assert SECRET not in str(failure.value)


@on_servers
def test_text_that_is_too_long_is_an_error_and_not_cut(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)too long"), write_transaction(engine) as connection:
        add(connection, "x" * 256)


@on_mariadb
def test_a_number_that_does_not_fit_is_an_error_and_not_clipped(engine: Engine) -> None:
    run = {"started_at": datetime(2026, 3, 3, tzinfo=UTC), "status": "success", "trigger_kind": "cli"}
    with pytest.raises(DBAPIError, match="Out of range"), write_transaction(engine) as connection:
        connection.execute(tables.sync_runs.insert(), run | {"run_id": 2**63, "app_version": "1"})


@on_servers
def test_the_session_uses_utc(engine: Engine) -> None:
    query = {"postgresql": "SHOW TIME ZONE", "mariadb": "SELECT @@time_zone"}[engine.dialect.name]
    with read_transaction(engine) as connection:
        assert scalar(connection, query) in {"UTC", "+00:00"}


@on_servers
def test_a_writer_reads_committed_rows_and_waits_up_to_30_seconds_for_a_lock(engine: Engine) -> None:
    query = {
        "postgresql": "SELECT current_setting('transaction_isolation') || ' ' || current_setting('lock_timeout')",
        "mariadb": "SELECT CONCAT(LOWER(REPLACE(@@tx_isolation, '-', ' ')), ' ', @@innodb_lock_wait_timeout, 's')",
    }[engine.dialect.name]
    with write_transaction(engine) as connection:
        assert scalar(connection, query) == "read committed 30s"


@on_sqlite
def test_sqlite_enforces_references_waits_for_locks_and_survives_power_loss(engine: Engine) -> None:
    pragmas = ("foreign_keys", "busy_timeout", "synchronous", "journal_mode")
    with read_transaction(engine) as connection:
        assert [scalar(connection, f"PRAGMA {pragma}") for pragma in pragmas] == [1, 30_000, 2, "wal"]


@on_sqlite
def test_a_write_transaction_takes_the_lock_when_it_begins(engine: Engine, migrated_url: str) -> None:
    """A transaction that takes the lock at its first write fails at once if another one has written since."""
    without_wait = create_engine(migrated_url, connect_args={"timeout": 0})
    with write_transaction(engine), pytest.raises(OperationalError, match="locked"), without_wait.begin() as other:
        add(other)
    without_wait.dispose()


@on_sqlite
def test_writers_that_read_first_run_one_after_the_other(engine: Engine) -> None:
    def read_then_write() -> None:
        with write_transaction(engine) as connection:
            add(connection, str(connection.scalar(COUNT)))

    run_concurrently(*[read_then_write] * 4)

    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 4


@on_sqlite
def test_other_engines_keep_their_settings(engine: Engine, tmp_path: Path) -> None:
    with engine.connect():
        pass
    other = create_engine(f"sqlite:///{tmp_path}/other.db")
    with other.connect() as connection:
        assert scalar(connection, "PRAGMA foreign_keys") == 0
    other.dispose()


@on_postgresql
def test_nothing_is_prepared_on_the_server(engine: Engine) -> None:
    """A transaction pooler may give the next statement to another session."""
    with read_transaction(engine) as connection:
        for _ in range(10):
            connection.scalar(COUNT)
        assert scalar(connection, "SELECT COUNT(*) FROM pg_prepared_statements") == 0


def run_concurrently(*functions: Callable[[], None]) -> list[BaseException]:
    """Runs the functions in threads and returns the database errors that they raise."""
    raised: list[BaseException] = []

    def catching(function: Callable[[], None]) -> None:
        try:
            function()
        except DBAPIError as error:
            raised.append(error)

    threads = [threading.Thread(target=catching, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


@on_servers
def test_a_deadlock_is_transient(engine: Engine) -> None:
    barrier = threading.Barrier(2)

    def lock(first: str, second: str) -> None:
        statement = text("UPDATE sync_state SET version = version + 1 WHERE mode = :mode")
        with write_transaction(engine) as connection:
            connection.execute(statement, {"mode": first})
            barrier.wait(timeout=30)
            connection.execute(statement, {"mode": second})

    raised = run_concurrently(lambda: lock("image", "video"), lambda: lock("video", "image"))

    assert [is_transient(error) for error in raised] == [True]


@on_servers
def test_a_broken_connection_is_transient(engine: Engine, migrated_url: str) -> None:
    session, kill = {
        "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
        "mariadb": ("SELECT CONNECTION_ID()", "KILL {}"),
    }[engine.dialect.name]
    killer = open_engine(migrated_url)

    def lose_connection() -> None:
        with write_transaction(engine) as connection:
            with killer.connect() as other:
                other.exec_driver_sql(kill.format(scalar(connection, session)))
            add(connection)

    raised = run_concurrently(lose_connection)
    killer.dispose()

    assert [is_transient(error) for error in raised] == [True]
    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 0


@on_postgresql
def test_a_lock_timeout_on_postgresql_is_not_transient(engine: Engine) -> None:
    lock = text("SELECT * FROM sync_state FOR UPDATE")

    def wait_for_lock() -> None:
        with write_transaction(engine) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")
            connection.execute(lock)

    with write_transaction(engine) as holder:
        holder.execute(lock)
        raised = run_concurrently(wait_for_lock)

    assert [is_transient(error) for error in raised] == [False]


@pytest.mark.parametrize("code", [1213, 1205, 1020, 1047, 1180])
def test_some_error_codes_of_mariadb_are_transient(code: int) -> None:
    assert is_transient(mariadb_error(code))


def test_a_duplicate_key_on_mariadb_is_not_transient() -> None:
    assert not is_transient(mariadb_error(1062))


def mariadb_error(code: int) -> DBAPIError:
    return OperationalError("", None, pymysql.err.OperationalError(code, "message"))


@pytest.mark.parametrize("error", [ValueError(1213), KeyboardInterrupt(), OperationalError("", None, OSError(1213))])
def test_other_errors_are_not_transient(error: BaseException) -> None:
    assert not is_transient(error)


@on_postgresql
def test_times_are_read_from_a_database_with_another_date_style(migrated_url: str) -> None:
    moment = datetime(2026, 3, 4, 10, tzinfo=UTC)
    first = open_engine(migrated_url)
    with write_transaction(first) as connection:
        connection.exec_driver_sql(f"ALTER DATABASE \"{connection.engine.url.database}\" SET DateStyle = 'SQL, DMY'")
        connection.execute(
            tables.sync_runs.insert().values(started_at=moment, status="running", trigger_kind="cli", app_version="0")
        )
    first.dispose()
    engine = open_engine(migrated_url)
    with read_transaction(engine) as connection:
        assert connection.scalar(tables.sync_runs.select().with_only_columns(tables.sync_runs.c.started_at)) == moment
    engine.dispose()
