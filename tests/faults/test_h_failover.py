"""Faults H1 to H5: a server that is unreachable, not ready, frozen, or takes no writes, at any step of any command."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import Connection, make_url, text

from models_db.engine import mariadb
from sync.errors import DatabaseError
from sync.store.database import Database
from tests.cli.conftest import Shell
from tests.faults.conftest import on_mariadb, on_postgresql, on_servers
from tests.faults.test_d_commit import line_of_a_commit_without_its_standby
from tests.support.api_catalogs import model
from tests.support.commands import PREFIX, CommandResult, error_line, eventually, finished, output, started
from tests.support.commit_proxy import CommitProxy
from tests.support.database_contents import query_rows
from tests.support.own_database_server import PostgreSQL, Server
from tests.support.synced_database import LISTED, SyncedDatabase, image

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])
STORE = 2
"""The COMMIT of a run that stores its result."""
READING = (
    *(("models",), ("changes",), ("status",), ("verify",), ("ignore", "list"), ("export", "-")),
    *(("show", "acme/image-0"), ("costs", "acme/image-0"), ("ask", "current-costs"), ("migrate", "--check")),
    ("prune", "--before", "1d"),
)
WRITING = (("migrate",), ("ignore", "add", "models.description", "--why", "a test"))
STANDBY = "is a standby or read-only"


@on_servers
def test_h1_a_server_that_restarts_while_the_run_waits_for_the_api_is_found_again(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    restart = threading.Timer(1.0, own_server.start)

    def restarting(peer: Any, stop: threading.Event) -> None:
        own_server.kill()
        restart.start()
        RAISED(peer, stop)

    synced_own_server.shell.set(DATABASE_TIMEOUT="30")
    printed = output(synced_own_server.sync(image=restarting))
    restart.join()

    assert " success: image 4 models: 1 changed" in printed
    assert synced_own_server.events() == ["increase"]
    synced_own_server.verify()


@on_servers
def test_h1_every_command_waits_for_an_unreachable_server(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    own_server.kill()
    try:
        with ExitStack() as stack:
            environ = synced_own_server.environment(DATABASE_TIMEOUT="40")
            commands = {each: stack.enter_context(started(*each, environ=environ)) for each in (*READING, *WRITING)}
            time.sleep(2)
            assert {process.poll() for process in commands.values()} == {None}
            own_server.start()
            for process in commands.values():
                output(finished(process))
    finally:
        if own_server.process.poll() is not None:
            own_server.start()
    synced_own_server.verify()


@on_servers
def test_h1_a_reading_whose_connection_breaks_is_done_again(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    attempts: list[int] = []

    def work(connection: Connection) -> int:
        attempts.append(1)
        if len(attempts) == 1:
            _break(connection, own_server)
        return int(connection.execute(text("SELECT COUNT(*) FROM models")).scalar_one())

    assert Database(synced_own_server.url, timeout=10).read(work) == 5
    assert len(attempts) == 2


@on_servers
def test_h1_a_connection_that_breaks_before_its_commit_leaves_no_doubt(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    """It is rolled back, so the line does not say that the outcome is unknown."""

    def stay_away(peer: Any, stop: threading.Event) -> None:
        own_server.kill()
        RAISED(peer, stop)

    synced_own_server.shell.set(DATABASE_TIMEOUT="1")
    try:
        line = error_line(synced_own_server.sync(image=stay_away), 6)
    finally:
        own_server.start()

    assert "refused" in line
    assert "nothing of this step was stored" in line


@on_mariadb
def test_h2_every_command_goes_past_a_node_that_is_not_ready(
    synced_own_server: SyncedDatabase, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_ready = mariadb._require_ready  # a single server cannot be a node that is not ready

    with CommitProxy(own_server, {}) as node:

        def check(connection: Any, use: Any) -> None:
            if connection.port == node.port:
                raise pymysql.OperationalError(1047, "WSREP has not yet prepared node for application use")
            require_ready(connection, use)

        monkeypatch.setattr(mariadb, "_require_ready", check)
        hosts = f"127.0.0.1:{node.port},127.0.0.1:{own_server.port}"
        url = f"mariadb://root@{hosts}/{make_url(synced_own_server.url).database}"
        synced_own_server.shell.set(DATABASE_URL=url, DATABASE_TIMEOUT="5")
        for command in (*READING, *WRITING):
            output(synced_own_server.shell(*command))
        output(synced_own_server.sync(image=RAISED))

        alone = url.replace(f",127.0.0.1:{own_server.port}", "")
        synced_own_server.shell.set(DATABASE_URL=alone, DATABASE_TIMEOUT="1")
        assert "has not yet prepared node" in error_line(synced_own_server.shell("models"), 6)
        synced_own_server.shell.set(DATABASE_URL=synced_own_server.url)


@on_servers
def test_h3_a_frozen_host_costs_three_seconds_unless_it_is_the_last(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    url = make_url(synced_own_server.url)
    with silent_port() as port:
        hosts = f"127.0.0.1:{port},127.0.0.1:{own_server.port}"
        synced_own_server.shell.set(DATABASE_URL=f"{url.get_backend_name()}://{url.username}@{hosts}/{url.database}")
        began = time.monotonic()
        output(synced_own_server.shell("models"))
        assert 2.5 < time.monotonic() - began < 8


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_h3_connect_timeout_counts_on_both_servers(shell: Shell, scheme: str) -> None:
    with silent_port() as port:
        shell.set(DATABASE_URL=f"{scheme}://me@127.0.0.1:{port}/catalog?connect_timeout=2", DATABASE_TIMEOUT="1")
        began = time.monotonic()
        error_line(shell("models"), 6)
        assert 1.5 < time.monotonic() - began < 8
        for wrong in ("0", "-1", "soon", "1.5", "3601", "99999999999"):
            shell.set(DATABASE_URL=f"{scheme}://me@127.0.0.1:{port}/catalog?connect_timeout={wrong}")
            assert "connect_timeout" in error_line(shell("models"), 2)


@on_postgresql
def test_h4_a_commit_that_waits_for_a_standby_ends_within_three_timeouts_and_is_named(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    line = line_of_a_commit_without_its_standby(synced_own_server, own_server, timeout=5)

    assert "a COMMIT is unanswered: whether run 2 was stored is unknown" in line
    assert "lock" not in line


@contextmanager
def standby_of(server: Server, folder: Path) -> Iterator[PostgreSQL]:
    assert isinstance(server, PostgreSQL)
    standby = PostgreSQL(folder, copy_of=server)
    standby.start()
    try:
        yield standby
    finally:
        standby.kill()


@on_postgresql
def test_h5_a_standby_is_called_one_and_can_be_read(
    synced_own_server: SyncedDatabase, own_server: Server, new_folder: Callable[[str], Path]
) -> None:
    with standby_of(own_server, new_folder("standby")) as standby:
        url = make_url(synced_own_server.url).set(port=standby.port).render_as_string(hide_password=False)
        eventually(lambda: query_rows(url, "SELECT MAX(run_id) FROM sync_runs") == [(1,)])
        synced_own_server.shell.set(DATABASE_URL=url, DATABASE_TIMEOUT="1")
        require_called_read_only(synced_own_server)
        for command in READING[:-1]:
            output(synced_own_server.shell(*command))
        output(synced_own_server.sync("--dry-run", image=RAISED))

        # The primary is asked first wherever it stands, and a reading command does without it.
        both = f"postgresql://postgres@127.0.0.1:{standby.port},127.0.0.1:{own_server.port}/{make_url(url).database}"
        synced_own_server.shell.set(DATABASE_URL=both)
        output(synced_own_server.sync(image=RAISED))
        eventually(lambda: query_rows(url, "SELECT MAX(run_id) FROM sync_runs") == [(2,)])
        own_server.kill()
        try:
            assert "acme/image-0" in output(synced_own_server.shell("models"))
            line = error_line(synced_own_server.sync(image=RAISED), 6)
            assert f"127.0.0.1:{standby.port}: {STANDBY}" in line
            assert f"127.0.0.1:{own_server.port}: " in line
        finally:
            own_server.start()
        synced_own_server.shell.set(DATABASE_URL=synced_own_server.url)


@on_mariadb
def test_h5_a_read_only_server_is_called_one_and_can_be_read(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    synced_own_server.shell.set(DATABASE_TIMEOUT="1")
    own_server.execute("SET GLOBAL read_only = 1")
    try:
        require_called_read_only(synced_own_server)
        for command in READING[:-1]:
            output(synced_own_server.shell(*command))
    finally:
        own_server.execute("SET GLOBAL read_only = 0")
    output(synced_own_server.sync(image=RAISED))


@on_servers
def test_h5_a_server_that_is_read_only_for_a_moment_is_waited_for(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    on, off = {
        "postgresql": ("ALTER SYSTEM SET default_transaction_read_only = on", "ALTER SYSTEM RESET ALL"),
        "mariadb": ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"),
    }[make_url(synced_own_server.url).get_backend_name()]
    apply = ["SELECT pg_reload_conf()"] if "SYSTEM" in on else []
    own_server.execute(on, *apply)
    restore = threading.Timer(2.0, own_server.execute, [off, *apply])
    restore.start()
    synced_own_server.shell.set(DATABASE_TIMEOUT="20")
    printed = output(synced_own_server.sync(image=RAISED))
    restore.join()

    assert " success: image 4 models: 1 changed" in printed


def require_called_read_only(synced: SyncedDatabase) -> None:
    """Every command that writes says so, and names the way out."""
    runs: list[CommandResult] = [synced.sync(image=RAISED), *(synced.shell(*each) for each in WRITING)]
    for ended in runs:
        line = error_line(ended, 6)
        assert STANDBY in line
        assert "name the primary in CATALOG_SYNC_DATABASE_URL" in line
        assert "revision" not in ended.out
    with pytest.raises(DatabaseError, match=STANDBY):
        Database(os.environ[PREFIX + "DATABASE_URL"], timeout=1).upgrade()


def _break(connection: Connection, server: Server) -> None:
    """Ends the connection at the server."""
    own = {"postgresql": "pg_backend_pid()", "mariadb": "CONNECTION_ID()"}[connection.dialect.name]
    number = connection.execute(text(f"SELECT {own}")).scalar_one()
    end = "KILL {}" if connection.dialect.name == "mariadb" else "SELECT pg_terminate_backend({})"
    server.execute(end.format(number))


@contextmanager
def silent_port() -> Iterator[int]:
    """A port of a server that accepts connections and sends nothing, as a frozen one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]
