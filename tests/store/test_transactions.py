"""The door to the database: what is run again, what is not, and how errors leave it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.exc import OperationalError

from models_db.tables import sync_runs
from sync.errors import DatabaseError, UsageError
from sync.store.database import Database, in_transaction, reading
from tests.support.run_driver import START, column

RUN = {"started_at": START, "status": "running", "trigger_kind": "cli", "app_version": "0"}


class Deadlock(Exception):
    """Stands for a driver's."""

    sqlstate = "40P01"


def deadlock() -> OperationalError:
    return OperationalError("COMMIT", {}, Deadlock("deadlock detected"))


def add_run(connection: Connection) -> None:
    connection.execute(insert(sync_runs), [RUN])


def test_what_is_written_is_committed_once_at_the_end(engine: Engine) -> None:
    def work(connection: Connection, number: int) -> int:
        add_run(connection)
        return number

    assert in_transaction(engine, work) == 1
    assert column(engine, "sync_runs.status") == ["running"]


def test_after_a_deadlock_the_whole_is_run_again(engine: Engine) -> None:
    pauses: list[float] = []

    def work(connection: Connection, number: int) -> int:
        add_run(connection)
        if number < 4:
            raise deadlock()
        return number

    assert in_transaction(engine, work, pause=pauses.append) == 4
    assert len(column(engine, "sync_runs.status")) == 1
    assert pauses == [0.1, 0.2, pytest.approx(0.3)]


def test_a_deadlock_that_does_not_end_is_an_error(engine: Engine) -> None:
    def work(_: Connection, number: int) -> None:
        tries.append(number)
        raise deadlock()

    tries: list[int] = []
    with pytest.raises(DatabaseError, match="the database failed: deadlock detected; nothing of this step was stored"):
        in_transaction(engine, work, pause=lambda _: None)
    assert tries == [1, 2, 3, 4]


def test_any_other_error_undoes_everything_and_is_not_tried_again(engine: Engine) -> None:
    def work(connection: Connection, number: int) -> None:
        tries.append(number)
        add_run(connection)
        connection.execute(insert(sync_runs), [{**RUN, "status": "asleep"}])

    tries: list[int] = []
    with pytest.raises(DatabaseError) as caught:
        in_transaction(engine, work)
    assert tries == [1]
    assert column(engine, "sync_runs.status") == []
    assert "asleep" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_error_that_is_not_the_databases_leaves_as_it_is(engine: Engine) -> None:
    def work(connection: Connection, _: int) -> None:
        add_run(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_transaction(engine, work)
    assert column(engine, "sync_runs.status") == []


def test_a_reader_sees_one_moment(engine: Engine) -> None:
    def work(connection: Connection, _: int) -> None:
        add_run(connection)

    with reading(engine) as connection:
        before = connection.execute(text("SELECT count(*) FROM sync_runs")).scalar()
        in_transaction(engine, work)
        assert connection.execute(text("SELECT count(*) FROM sync_runs")).scalar() == before == 0


def test_a_database_at_head_opens(migrated_url: str) -> None:
    Database(migrated_url).require_head()


def test_a_database_that_was_never_migrated_is_a_matter_of_usage(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="catalog-sync migrate"):
        Database(database_url).require_head()


def test_a_database_that_does_not_answer_is_a_database_error() -> None:
    with pytest.raises(DatabaseError):
        Database("postgresql://nobody:secret@127.0.0.1:1/none").require_head()
