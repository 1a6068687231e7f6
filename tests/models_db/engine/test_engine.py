"""What every connection is told, and what the two kinds of transaction promise."""

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
SECRET = "what nobody may see"


def add(connection: Connection, model_id: str = "a") -> None:
    connection.execute(ADD, {"model_id": model_id})


def ask(connection: Connection, statement: str) -> object:
    return connection.exec_driver_sql(statement).scalar_one()


def test_a_transaction_is_kept_when_it_ends_well(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        add(connection)
    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 1


def test_a_transaction_is_rolled_back_when_it_does_not(engine: Engine) -> None:
    def fail_after_writing() -> None:
        with write_transaction(engine) as connection:
            add(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 0


def test_a_reader_sees_one_moment(engine: Engine) -> None:
    with read_transaction(engine) as reader:
        before = reader.scalar(COUNT)
        with write_transaction(engine) as writer:
            add(writer)
        after = reader.scalar(COUNT)

    assert (before, after) == (0, 0)


def test_the_next_transaction_of_a_reader_is_not_bound_to_that_moment(engine: Engine) -> None:
    """The connection goes back to the pool as it came."""
    for number in range(3):
        with read_transaction(engine) as reader:
            assert reader.scalar(COUNT) == number
        with write_transaction(engine) as writer:
            add(writer, str(number))


@on_servers
def test_a_reader_cannot_write(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)read.only"), read_transaction(engine) as reader:
        add(reader)


def test_an_error_of_the_database_shows_no_values(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as failure, write_transaction(engine) as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": SECRET})

    assert SECRET not in str(failure.value)


@on_servers
def test_too_long_text_is_refused_and_not_cut(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)too long"), write_transaction(engine) as connection:
        add(connection, "x" * 256)


@on_mariadb
def test_a_number_that_does_not_fit_is_refused_and_not_bent(engine: Engine) -> None:
    run = {"started_at": datetime(2026, 3, 3, tzinfo=UTC), "status": "success", "trigger_kind": "cli"}
    with pytest.raises(DBAPIError, match="Out of range"), write_transaction(engine) as connection:
        connection.execute(tables.sync_runs.insert(), run | {"run_id": 2**63, "app_version": "1"})


@on_servers
def test_the_session_speaks_utc(engine: Engine) -> None:
    asked = {"postgresql": "SHOW TIME ZONE", "mariadb": "SELECT @@time_zone"}[engine.dialect.name]
    with read_transaction(engine) as connection:
        assert ask(connection, asked) in {"UTC", "+00:00"}


@on_servers
def test_a_writer_reads_committed_rows_and_waits_half_a_minute_at_most(engine: Engine) -> None:
    asked = {
        "postgresql": "SELECT current_setting('transaction_isolation') || ' ' || current_setting('lock_timeout')",
        "mariadb": "SELECT CONCAT(LOWER(REPLACE(@@tx_isolation, '-', ' ')), ' ', @@innodb_lock_wait_timeout, 's')",
    }[engine.dialect.name]
    with write_transaction(engine) as connection:
        assert ask(connection, asked) == "read committed 30s"


@on_sqlite
def test_sqlite_enforces_references_waits_and_outlives_power_loss(engine: Engine) -> None:
    pragmas = ("foreign_keys", "busy_timeout", "synchronous", "journal_mode")
    with read_transaction(engine) as connection:
        assert [ask(connection, f"PRAGMA {pragma}") for pragma in pragmas] == [1, 30_000, 2, "wal"]


@on_sqlite
def test_a_write_transaction_holds_the_lock_from_its_first_moment(engine: Engine, migrated_url: str) -> None:
    """One that took it with its first write would fail at once if another writer had come between."""
    impatient = create_engine(migrated_url, connect_args={"timeout": 0})
    with write_transaction(engine), pytest.raises(OperationalError, match="locked"), impatient.begin() as other:
        add(other)
    impatient.dispose()


@on_sqlite
def test_two_writers_that_read_first_both_get_their_turn(engine: Engine) -> None:
    def read_then_write() -> None:
        with write_transaction(engine) as connection:
            add(connection, str(connection.scalar(COUNT)))

    together(*[read_then_write] * 4)

    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 4


@on_sqlite
def test_other_engines_are_left_as_they_are(engine: Engine, tmp_path: Path) -> None:
    with engine.connect():
        pass
    other = create_engine(f"sqlite:///{tmp_path}/other.db")
    with other.connect() as connection:
        assert ask(connection, "PRAGMA foreign_keys") == 0
    other.dispose()


@on_postgresql
def test_nothing_is_prepared_on_the_server(engine: Engine) -> None:
    """Behind a transaction pool the next statement may meet another session."""
    with read_transaction(engine) as connection:
        for _ in range(10):
            connection.scalar(COUNT)
        assert ask(connection, "SELECT COUNT(*) FROM pg_prepared_statements") == 0


def together(*functions: Callable[[], None]) -> list[BaseException]:
    """Run them at once; what they raise is the answer."""
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
def test_a_deadlock_is_worth_another_try(engine: Engine) -> None:
    barrier = threading.Barrier(2)

    def lock(first: str, second: str) -> None:
        statement = text("UPDATE sync_state SET version = version + 1 WHERE mode = :mode")
        with write_transaction(engine) as connection:
            connection.execute(statement, {"mode": first})
            barrier.wait(timeout=30)
            connection.execute(statement, {"mode": second})

    raised = together(lambda: lock("image", "video"), lambda: lock("video", "image"))

    assert [is_transient(error) for error in raised] == [True]


@on_servers
def test_a_lost_connection_is_worth_another_try(engine: Engine, migrated_url: str) -> None:
    session, kill = {
        "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
        "mariadb": ("SELECT CONNECTION_ID()", "KILL {}"),
    }[engine.dialect.name]
    killer = open_engine(migrated_url)

    def lose() -> None:
        with write_transaction(engine) as connection:
            with killer.connect() as other:
                other.exec_driver_sql(kill.format(ask(connection, session)))
            add(connection)

    raised = together(lose)
    killer.dispose()

    assert [is_transient(error) for error in raised] == [True]
    with read_transaction(engine) as connection:
        assert connection.scalar(COUNT) == 0


@on_postgresql
def test_a_wait_for_a_lock_that_ran_out_is_not_waited_for_again(engine: Engine) -> None:
    lock = text("SELECT * FROM sync_state FOR UPDATE")

    def wait_in_vain() -> None:
        with write_transaction(engine) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")
            connection.execute(lock)

    with write_transaction(engine) as holder:
        holder.execute(lock)
        raised = together(wait_in_vain)

    assert [is_transient(error) for error in raised] == [False]


@pytest.mark.parametrize("code", [1213, 1205, 1020, 1047, 1180])
def test_mariadb_says_by_number_what_is_worth_another_try(code: int) -> None:
    assert is_transient(failed_on_mariadb(code))


def test_a_duplicate_on_mariadb_is_not_worth_another_try() -> None:
    assert not is_transient(failed_on_mariadb(1062))


def failed_on_mariadb(code: int) -> DBAPIError:
    return OperationalError("", None, pymysql.err.OperationalError(code, "as it says"))


@pytest.mark.parametrize("error", [ValueError(1213), KeyboardInterrupt(), OperationalError("", None, OSError(1213))])
def test_other_errors_are_not_worth_another_try(error: BaseException) -> None:
    assert not is_transient(error)


@on_postgresql
def test_times_are_read_where_the_database_writes_dates_in_another_style(migrated_url: str) -> None:
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
