"""Opening a database, and transactions: which are repeated, and as which errors failures leave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.exc import OperationalError

from models_db import migrate
from models_db.tables import sync_runs
from sync.errors import DatabaseError, UsageError
from sync.store.database import Database, in_transaction, reading
from tests.faults.conftest import on_servers
from tests.support.run_driver import START, column

RUN = {"started_at": START, "status": "running", "trigger_kind": "cli", "app_version": "0"}


class Deadlock(Exception):
    """A stand-in for a driver's error."""

    sqlstate = "40P01"


def deadlock() -> OperationalError:
    return OperationalError("COMMIT", {}, Deadlock("deadlock detected"))


def add_run(connection: Connection) -> None:
    connection.execute(insert(sync_runs), [RUN])


def test_a_transaction_is_committed_once_at_its_end(engine: Engine) -> None:
    def work(connection: Connection, number: int) -> int:
        add_run(connection)
        return number

    assert in_transaction(engine, work) == 1
    assert column(engine, "sync_runs.status") == ["running"]


def test_after_a_deadlock_the_whole_transaction_is_repeated(engine: Engine) -> None:
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
        attempts.append(number)
        raise deadlock()

    attempts: list[int] = []
    with pytest.raises(DatabaseError, match="the database failed: deadlock detected; nothing of this step was stored"):
        in_transaction(engine, work, pause=lambda _: None)
    assert attempts == [1, 2, 3, 4]


def test_any_other_error_rolls_back_and_is_not_repeated(engine: Engine) -> None:
    def work(connection: Connection, number: int) -> None:
        attempts.append(number)
        add_run(connection)
        connection.execute(insert(sync_runs), [{**RUN, "status": "asleep"}])

    attempts: list[int] = []
    with pytest.raises(DatabaseError) as caught:
        in_transaction(engine, work)
    assert attempts == [1]
    assert column(engine, "sync_runs.status") == []
    assert "asleep" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_error_of_other_code_is_raised_unchanged(engine: Engine) -> None:
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


def test_a_database_that_was_never_migrated_is_a_usage_error(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="catalog-sync migrate"):
        Database(database_url).require_head()


def test_an_unreachable_database_is_a_database_error() -> None:
    with pytest.raises(DatabaseError):
        Database("postgresql://nobody:secret@127.0.0.1:1/none", timeout=1).require_head()


@on_servers
@pytest.mark.parametrize("before", [None, "0002"])
def test_h1_a_migration_whose_connection_breaks_says_what_it_did_in_all(
    database_url: str, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before:
        migrate.upgrade(database_url, before)
    upgrade, calls = migrate.upgrade, []

    def breaking(url: str, **options: Any) -> migrate.Migration:
        calls.append(1)
        migration = upgrade(url, **options)
        if len(calls) == 1:
            raise OperationalError(None, None, psycopg.OperationalError("gone"), connection_invalidated=True)
        return migration

    monkeypatch.setattr(migrate, "upgrade", breaking)
    assert Database(database_url).upgrade() == (before, migrate.HEAD)
    assert len(calls) == 2
