"""Sites on each database, and servers that a test may do to as it likes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from models_db.engine import open_engine, read_transaction
from sync.store.verify.read_models import Verification
from tests.cli.conftest import Shell, shell, sqlite_url
from tests.support import database_servers
from tests.support.own_database_server import MariaDB, PostgreSQL, Server
from tests.support.stored_rows_checker import assert_consistent
from tests.support.synced_database import SyncedDatabase

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
on_mariadb = pytest.mark.parametrize("database_kind", ["mariadb"], indirect=True)
on_servers = pytest.mark.parametrize("database_kind", ["postgresql", "mariadb"], indirect=True)

__all__ = ["shell", "sqlite_url"]  # pytest finds a fixture where it is imported


@pytest.fixture(autouse=True)
def _proved(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test of a fault: what verify looks for and what the checker looks for is not in its database."""
    urls = [request.getfixturevalue(name) for name in ("migrated_url", "sqlite_url") if name in request.fixturenames]
    yield
    for url in map(str, urls):
        engine = open_engine(url)
        assert_consistent(engine)
        with read_transaction(engine) as connection:
            assert list(Verification(connection).findings()) == []
        engine.dispose()


@pytest.fixture
def synced(shell: Shell, migrated_url: str, tmp_path: Path) -> SyncedDatabase:
    """On each kind of database in turn."""
    return SyncedDatabase(shell, migrated_url, tmp_path)


@pytest.fixture
def synced_sqlite(shell: Shell, sqlite_url: str, tmp_path: Path) -> SyncedDatabase:
    """For what happens before any database is met, or on SQLite alone."""
    return SyncedDatabase(shell, sqlite_url, tmp_path)


@pytest.fixture(scope="session")
def _own_servers() -> Iterator[dict[str, Server]]:
    servers: dict[str, Server] = {}
    yield servers
    for server in servers.values():
        server.kill()


@pytest.fixture
def new_folder() -> Callable[[str], Path]:
    """Makes folders for servers. Not where pytest keeps its own: that it takes from other users at any time."""

    def make(name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=os.environ["CATALOG_SYNC_TEST_ROOM"]))

    return make


@pytest.fixture
def own_server(database_kind: str, _own_servers: dict[str, Server], new_folder: Callable[[str], Path]) -> Server:
    """A server for the tests of this worker alone, running; PostgreSQL or MariaDB as the test says."""
    kinds: dict[str, Callable[..., Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}
    if database_kind not in _own_servers:
        server = kinds[database_kind](new_folder(database_kind))
        server.start()
        _own_servers[database_kind] = server
    return _own_servers[database_kind]


@pytest.fixture
def synced_own_server(shell: Shell, own_server: Server, tmp_path: Path) -> Iterator[SyncedDatabase]:
    """On a database of that server."""
    from models_db.migrate import upgrade

    with ExitStack() as stack:
        url: Any = stack.enter_context(database_servers.new_database(own_server.url))
        upgrade(url)
        yield SyncedDatabase(shell, url.render_as_string(hide_password=False), tmp_path)
