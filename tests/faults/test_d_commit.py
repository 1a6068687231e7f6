"""Faults D3, D15 and D16: the server is lost, frozen or replaced around a COMMIT. Real servers, over a real wire."""

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
# The first transaction of a run writes that it began, the second all that it came to.
BEGIN, STORE = 1, 2
UNKNOWN = "whether this step was stored is unknown"


@contextmanager
def through(synced: SyncedDatabase, wire: CommitProxy, **settings: str) -> Iterator[None]:
    """The program reaches its database by this wire."""
    with wire:
        url = make_url(synced.url).set(port=wire.port).render_as_string(hide_password=False)
        synced.shell.set(DATABASE_URL=url, **settings)
        yield
    synced.shell.set(DATABASE_URL=synced.url, DATABASE_TIMEOUT=None)


@on_servers
@pytest.mark.parametrize("number", [BEGIN, STORE])
@pytest.mark.parametrize("what", ["not sent", "not acknowledged"])
def test_d3_a_connection_lost_in_a_commit_is_made_again_and_the_run_stored_once(
    synced_own_server: SyncedDatabase, own_server: Server, number: int, what: Fate
) -> None:
    with through(synced_own_server, CommitProxy(own_server, {number: lambda: what})):
        output(synced_own_server.sync(image=RAISED))

    assert synced_own_server.costs()["acme/image-0"] == "77"
    assert synced_own_server.events() == ["increase"]
    begun_unheard = number == BEGIN and what == "not acknowledged"
    assert synced_own_server.query(STATUS)[1:] == [("abandoned",), ("success",)][not begun_unheard :]
    synced_own_server.verify()


@on_servers
def test_d15_a_server_that_comes_back_in_time_is_waited_for(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    own_server.kill()
    comes_back = threading.Timer(1.0, own_server.start)
    comes_back.start()
    synced_own_server.shell.set(DATABASE_TIMEOUT="30")
    told = output(synced_own_server.sync("--migrate", image=RAISED))

    comes_back.join()
    assert " success: image 4 models: 1 changed" in told
    synced_own_server.verify()


@on_servers
def test_d15_a_server_that_does_not_come_back_is_exit_6_after_the_time(
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
def test_d15_a_standby_promoted_in_the_middle_of_a_transaction_takes_it(
    synced_own_server: SyncedDatabase, own_server: Server, tmp_path: Path, new_folder: Callable[[str], Path]
) -> None:
    assert isinstance(own_server, PostgreSQL)
    standby = PostgreSQL(new_folder("standby"), copy_of=own_server)
    standby.start()
    url = make_url(synced_own_server.url)
    there = url.set(port=standby.port).render_as_string(hide_password=False)

    def fail_over() -> Fate:
        eventually(lambda: query_rows(there, "SELECT MAX(run_id) FROM sync_runs") == [(2,)])  # it has followed so far
        own_server.kill()
        standby.execute("SELECT pg_promote()")
        return "not sent"

    try:
        with CommitProxy(own_server, {STORE: fail_over}) as wire:
            hosts = f"127.0.0.1:{standby.port},127.0.0.1:{wire.port}"
            several = f"postgresql://postgres@{hosts}/{url.database}"
            synced_own_server.shell.set(DATABASE_URL=several, DATABASE_TIMEOUT="30")
            assert " success: image 4 models: 1 changed" in output(synced_own_server.sync(image=RAISED))
        new_synced = SyncedDatabase(synced_own_server.shell, there, tmp_path, is_new=False)
        assert new_synced.costs()["acme/image-0"] == "77"
        new_synced.verify()
    finally:
        standby.kill()
        own_server.start()


@contextmanager
def standby_gone(server: Server) -> Iterator[None]:
    """Every COMMIT waits for a standby that is not there."""
    try:
        yield
    finally:
        server.execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")


def lose_standby(server: Server) -> None:
    server.execute("ALTER SYSTEM SET synchronous_commit = on", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)  # until every process has read it


@on_postgresql
def test_d16_a_commit_that_waits_for_a_standby_that_is_gone_is_exit_6_and_unknown(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    def lose() -> Fate:
        lose_standby(own_server)
        return "passed on"

    with (
        through(synced_own_server, CommitProxy(own_server, {STORE: lose}), DATABASE_TIMEOUT="2"),
        standby_gone(own_server),
    ):
        began = time.monotonic()
        line = error_line(synced_own_server.sync(image=RAISED), 6)
        assert 2 <= time.monotonic() - began < 20

    assert UNKNOWN in line
    eventually(
        lambda: synced_own_server.query(STATUS)[-1] == ("success",)
    )  # it was stored: the standby only was not there
    assert synced_own_server.events() == ["increase"]
    synced_own_server.succeeds(image=RAISED)
    assert synced_own_server.events() == ["increase"]


@on_postgresql
def test_d16_a_standby_that_comes_back_in_time_lets_the_run_find_itself_done(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    back = threading.Timer(
        4.0, own_server.execute, ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"]
    )

    def lose() -> Fate:
        lose_standby(own_server)
        back.start()
        return "passed on"

    with (
        through(synced_own_server, CommitProxy(own_server, {STORE: lose}), DATABASE_TIMEOUT="3"),
        standby_gone(own_server),
    ):
        told = output(synced_own_server.sync(image=RAISED))
        back.join()

    assert " success: image 4 models: 1 changed" in told
    assert synced_own_server.events() == ["increase"]
    synced_own_server.verify()


@on_servers
def test_d16_a_server_that_freezes_in_a_commit_is_left_in_time_and_nothing_is_half_stored(
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
