"""Faults D3, D15 and D16: the server is disconnected, frozen or replaced around a COMMIT.

The servers are real, and the program reaches them through a proxy on loopback.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.faults.conftest import on_postgresql, on_servers
from tests.support.api_catalogs import model
from tests.support.commands import error_line, eventually, output
from tests.support.commit_proxy import CommitProxy, Fate
from tests.support.database_contents import query_rows
from tests.support.own_database_server import PostgreSQL, Server
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])
# The first transaction of a run inserts its row, the second stores its result.
BEGIN, STORE = 1, 2
UNKNOWN = "a COMMIT is unanswered: whether run 2 was stored is unknown"


@contextmanager
def through(synced: SyncedDatabase, proxy: CommitProxy, **settings: str) -> Iterator[None]:
    """The program connects to its database through this proxy."""
    with proxy:
        url = make_url(synced.url).set(port=proxy.port).render_as_string(hide_password=False)
        synced.shell.set(DATABASE_URL=url, **settings)
        yield
    synced.shell.set(DATABASE_URL=synced.url, DATABASE_TIMEOUT=None)


@on_servers
@pytest.mark.parametrize("number", [BEGIN, STORE])
@pytest.mark.parametrize("fate", ["not sent", "not acknowledged"])
def test_d3_a_connection_that_breaks_in_a_commit_is_replaced_and_the_run_is_stored_once(
    synced_own_server: SyncedDatabase, own_server: Server, number: int, fate: Fate
) -> None:
    with through(synced_own_server, CommitProxy(own_server, {number: lambda: fate})):
        output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.costs()["acme/image-0"] == "77"
    assert synced_own_server.events() == ["increase"]
    is_begun_twice = number == BEGIN and fate == "not acknowledged"
    # The first row was stored, but the run did not learn it and inserted another one.
    assert synced_own_server.query(STATUS)[1:] == [("abandoned",), ("success",)][not is_begun_twice :]
    synced_own_server.verify()


@on_servers
def test_d15_an_unreachable_server_is_retried_until_it_is_back(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    own_server.kill()
    restart = threading.Timer(1.0, own_server.start)
    restart.start()
    synced_own_server.shell.set(DATABASE_TIMEOUT="30")
    printed = output(synced_own_server.sync("--migrate", image=RAISED))

    restart.join()
    assert " success: image 4 models: 1 changed" in printed
    synced_own_server.verify()


@on_servers
def test_d15_a_server_that_stays_unreachable_is_exit_6_after_the_timeout(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    synced_own_server.shell.set(DATABASE_TIMEOUT="1")
    own_server.kill()
    try:
        began = time.monotonic()
        line = error_line(synced_own_server.sync(image=RAISED), 6)
        assert 1 <= time.monotonic() - began < 15
    finally:
        own_server.start()

    assert "refused" in line
    assert synced_own_server.events() == []
    synced_own_server.verify()


@on_postgresql
def test_d15_a_transaction_is_repeated_on_a_standby_that_is_promoted_during_it(
    synced_own_server: SyncedDatabase, own_server: Server, tmp_path: Path, new_folder: Callable[[str], Path]
) -> None:
    assert isinstance(own_server, PostgreSQL)
    standby = PostgreSQL(new_folder("standby"), copy_of=own_server)
    standby.start()
    url = make_url(synced_own_server.url)
    standby_url = url.set(port=standby.port).render_as_string(hide_password=False)

    def fail_over() -> Fate:
        # The standby must have replayed the first transaction of the run.
        eventually(lambda: query_rows(standby_url, "SELECT MAX(run_id) FROM sync_runs") == [(2,)])
        own_server.kill()
        standby.execute("SELECT pg_promote()")
        return "not sent"

    try:
        with CommitProxy(own_server, {STORE: fail_over}) as proxy:
            hosts = f"127.0.0.1:{standby.port},127.0.0.1:{proxy.port}"
            both_hosts = f"postgresql://postgres@{hosts}/{url.database}"
            synced_own_server.shell.set(DATABASE_URL=both_hosts, DATABASE_TIMEOUT="30")
            assert " success: image 4 models: 1 changed" in output(synced_own_server.sync(image=RAISED))
        promoted = SyncedDatabase(synced_own_server.shell, standby_url, tmp_path, is_synced=True)
        assert promoted.costs()["acme/image-0"] == "77"
        promoted.verify()
    finally:
        standby.kill()
        own_server.start()


@contextmanager
def standby_restored(server: Server) -> Iterator[None]:
    """Reverts ``require_missing_standby`` at the end."""
    try:
        yield
    finally:
        server.execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")


def require_missing_standby(server: Server) -> None:
    """From now on every COMMIT waits for a synchronous standby that does not exist."""
    server.execute("ALTER SYSTEM SET synchronous_commit = on", "ALTER SYSTEM SET synchronous_standby_names = 'missing'")
    server.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)  # every server process reads the setting by then


def line_of_a_commit_without_its_standby(synced: SyncedDatabase, server: Server, timeout: int) -> str:
    """The error of a run whose COMMIT waits for a synchronous standby that does not exist."""

    def stop_standby() -> Fate:
        require_missing_standby(server)
        return "passed on"

    with (
        through(synced, CommitProxy(server, {STORE: stop_standby}), DATABASE_TIMEOUT=str(timeout)),
        standby_restored(server),
    ):
        began = time.monotonic()
        line = error_line(synced.sync(image=RAISED), 6)
        assert timeout <= time.monotonic() - began < 3 * timeout
    # The primary has stored the run; only the confirmation of the standby is missing.
    eventually(lambda: synced.query(STATUS)[-1] == ("success",))
    return line


@on_postgresql
def test_d16_a_commit_that_waits_for_a_missing_standby_is_exit_6_with_an_unknown_outcome(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    line = line_of_a_commit_without_its_standby(synced_own_server, own_server, timeout=5)

    assert UNKNOWN in line
    assert synced_own_server.events() == ["increase"]
    synced_own_server.succeeds(image=RAISED)
    assert synced_own_server.events() == ["increase"]


@on_postgresql
def test_d16_a_run_finds_its_own_row_stored_when_the_standby_is_back_in_time(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    restore = threading.Timer(
        4.0, own_server.execute, ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"]
    )

    def stop_standby() -> Fate:
        require_missing_standby(own_server)
        restore.start()
        return "passed on"

    with (
        through(synced_own_server, CommitProxy(own_server, {STORE: stop_standby}), DATABASE_TIMEOUT="3"),
        standby_restored(own_server),
    ):
        printed = output(synced_own_server.sync(image=RAISED))
        restore.join()

    assert " success: image 4 models: 1 changed" in printed
    assert synced_own_server.events() == ["increase"]
    synced_own_server.verify()


@on_servers
def test_d16_a_server_that_freezes_in_a_commit_is_exit_6_after_the_timeout_and_nothing_is_half_stored(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    frozen = own_server.frozen()

    def freeze() -> Fate:
        frozen.__enter__()
        return "passed on"

    with through(synced_own_server, CommitProxy(own_server, {STORE: freeze}), DATABASE_TIMEOUT="1"):
        began = time.monotonic()
        try:
            line = error_line(synced_own_server.sync(image=RAISED), 6)
            assert 1 <= time.monotonic() - began < 25
        finally:
            frozen.__exit__(None, None, None)

    assert UNKNOWN in line
    synced_own_server.verify()
    synced_own_server.succeeds(image=RAISED)
    assert synced_own_server.events() == ["increase"]
    assert "running" not in {status for (status,) in synced_own_server.query(STATUS)}
