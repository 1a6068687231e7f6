"""The database fails at the COMMIT, with its driver's own error: the run is stored once, or not at all."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pymysql
import pytest
from msgspec.structs import replace
from sqlalchemy import update

from models_db.engine import write_transaction
from models_db.tables import sync_runs
from sync.catalog.guards import GuardSettings
from sync.catalog.modes import MODES
from sync.errors import DatabaseError
from sync.run import RunResult
from sync.run import sync as job_module
from sync.run.ticks import run_sync_of_tick
from sync.store import retries, runs
from sync.store.database import in_transaction
from tests.support.made_responses import model
from tests.support.run_driver import START, Host, column

A = model("a")
# The first transaction of a run inserts its row, the second stores its result.
BEGIN, STORE = 1, 2
RETRIES = 14
Fail = Callable[[Any], None]


def lost(connection: Any, kind: str) -> Exception:
    """Breaks the connection; returns the error of its driver."""
    connection.close()
    if kind == "sqlite":
        return sqlite3.ProgrammingError("Cannot operate on a closed database.")
    if kind == "postgresql":
        return psycopg.OperationalError("the connection is lost")
    return pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")


def deadlock(connection: Any, kind: str) -> Exception:
    connection.rollback()
    if kind == "postgresql":
        return psycopg.errors.DeadlockDetected("deadlock detected")
    if kind == "mariadb":
        return pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
    return lost(connection, kind)  # SQLite has one writer at a time and no deadlocks


class Commits:
    """Counts the commits of an engine and makes some of them fail."""

    def __init__(self, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.failures: dict[int, Fail] = {}
        self.kind = host.engine.dialect.name
        self._commit = host.engine.dialect.do_commit
        monkeypatch.setattr(host.engine.dialect, "do_commit", self.commit)
        monkeypatch.setattr(retries, "_PAUSE_SECONDS", 0)
        monkeypatch.setattr(retries, "_MOST_RETRIES", RETRIES)

    def commit(self, connection: Any) -> None:
        self.count += 1
        fail = self.failures.get(self.count)
        if fail is None:
            self._commit(connection)
        else:
            fail(connection.dbapi_connection)

    def unacknowledged(self, connection: Any) -> None:
        """The server carries out the COMMIT, and the connection breaks before its reply."""
        connection.commit()
        raise lost(connection, self.kind)

    def rolled_back(self, connection: Any) -> None:
        connection.rollback()
        raise lost(connection, self.kind)

    def deadlocked(self, connection: Any) -> None:
        raise deadlock(connection, self.kind)


@pytest.fixture
def commits(host: Host, monkeypatch: pytest.MonkeyPatch) -> Commits:
    return Commits(host, monkeypatch)


@pytest.mark.parametrize("failure", ["rolled_back", "deadlocked"])
def test_a_run_whose_commit_fails_is_stored_by_the_next_attempt(host: Host, commits: Commits, failure: str) -> None:
    commits.failures = dict.fromkeys((STORE, STORE + 1, STORE + 2), getattr(commits, failure))
    result = host.sync([A], [A])

    assert result.status == "success"
    assert column(host.engine, "sync_runs.status") == ["success"]
    assert column(host.engine, "sync_state.version") == [1, 1]
    assert column(host.engine, "catalog_changes.change_kind") == ["added", "added"]


def test_a_run_whose_commit_was_not_acknowledged_is_not_stored_again(host: Host, commits: Commits) -> None:
    commits.failures = {STORE: commits.unacknowledged}
    result = host.sync([A], [A])

    assert (result.status, result.modes[0].row.models_added) == ("success", 1)
    assert column(host.engine, "sync_runs.status") == ["success"]
    assert column(host.engine, "sync_state.version") == [1, 1]
    assert column(host.engine, "sync_run_modes.models_added") == [1, 1]
    assert column(host.engine, "catalog_changes.change_kind") == ["added", "added"]


def test_an_unacknowledged_commit_after_a_deadlock_counts_too(host: Host, commits: Commits) -> None:
    commits.failures = {STORE: commits.deadlocked, STORE + 1: commits.unacknowledged}
    host.sync([A], [A])

    assert column(host.engine, "sync_state.version") == [1, 1]


TICK = "2026-03-01T10:00:00Z image,video"


def sync_of_tick(host: Host, name: str = "one") -> RunResult | None:
    deps = host.dependencies({"image": [A], "video": []}, MODES, GuardSettings())
    return run_sync_of_tick(host.engine, replace(deps, tick=TICK, host=name))


@pytest.mark.parametrize("failure", ["unacknowledged", "rolled_back", "deadlocked"])
def test_a_run_knows_its_own_claim_of_a_tick_whose_commit_failed(host: Host, commits: Commits, failure: str) -> None:
    commits.failures = {BEGIN: getattr(commits, failure)}
    result = sync_of_tick(host)

    assert result is not None
    assert column(host.engine, "sync_runs.status", "tick") == [("success", TICK)]


def test_a_claim_that_clashes_at_the_commit_is_anothers(host: Host, commits: Commits) -> None:
    """Galera reports the clash of two nodes as a deadlock at the COMMIT of the second one."""

    def clash(connection: Any) -> None:
        connection.rollback()
        assert sync_of_tick(Host(host.engine), "two") is not None
        commits.deadlocked(connection)

    commits.failures = {BEGIN: clash}
    assert sync_of_tick(host) is None
    assert column(host.engine, "sync_runs.host") == ["two"]


def test_an_unacknowledged_begin_leaves_a_row_that_the_run_itself_marks_abandoned(host: Host, commits: Commits) -> None:
    commits.failures = {BEGIN: commits.unacknowledged}
    host.sync([A])

    assert column(host.engine, "sync_runs.status") == ["abandoned", "success"]


def test_a_run_overtaken_between_two_attempts_is_superseded(host: Host, commits: Commits) -> None:
    other = Host(host.engine, now=host.now)

    def overtaken(connection: Any) -> None:
        connection.rollback()
        commits.failures.clear()
        connection.close()
        other.sync([model("a", cost=9)], [A])
        raise lost(connection, commits.kind)

    commits.failures = {STORE: overtaken}

    assert host.sync([A], [A]).status == "superseded"
    assert column(host.engine, "catalog_changes.new_cost_exact") == ["9", "3"]


def test_a_commit_that_never_succeeds_is_an_error_and_the_next_run_abandons_its_run(
    host: Host, commits: Commits
) -> None:
    """Nobody knows whether that COMMIT is still to come, so no failure is recorded over it."""
    commits.failures = dict.fromkeys(range(STORE, STORE + RETRIES), commits.rolled_back)
    with pytest.raises(
        DatabaseError, match=r"the database failed: .*; a COMMIT is unanswered: whether run 1 was stored is"
    ):
        host.sync([A])

    assert column(host.engine, "sync_runs.status") == ["running"]
    assert column(host.engine, "models.model_id") == []
    host.sync([A])
    assert column(host.engine, "sync_runs.status") == ["abandoned", "success"]


def test_a_permanent_failure_is_not_retried(host: Host, commits: Commits, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def broken(*_: object) -> None:
        attempts.append(1)
        raise DatabaseError("broken")

    monkeypatch.setattr(job_module, "write_result", broken)
    with pytest.raises(DatabaseError, match="broken"):
        host.sync([A])

    assert len(attempts) == 1
    assert column(host.engine, "sync_runs.status") == ["failed"]


def test_a_failure_does_not_replace_an_end_that_is_committed_meanwhile(host: Host) -> None:
    """As when SIGTERM ends a run whose COMMIT waits for a standby."""
    host.sync([A])
    status = update(sync_runs).where(sync_runs.c.run_id == 1)
    with write_transaction(host.engine) as connection:
        connection.execute(status.values(status="running"))
    end = runs.RunEnd("failed", START, None, "Interrupted", "stopped")

    def fail() -> None:
        in_transaction(host.engine, lambda connection, _: runs.fail_run(connection, 1, end), attempts=1)

    failing = threading.Thread(target=fail)
    with write_transaction(host.engine) as connection:
        connection.execute(status.values(status="success"))
        failing.start()
        time.sleep(0.5)
        assert failing.is_alive()
    failing.join()

    assert column(host.engine, "sync_runs.status", "error_type") == [("success", None)]
