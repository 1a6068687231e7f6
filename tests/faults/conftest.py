"""Synced databases of each kind, and database servers that a test may kill or reconfigure."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell, shell, sqlite_url
from tests.support import database_servers
from tests.support.implausible_responses import TEN
from tests.support.migrated_databases import MigratedDatabases
from tests.support.own_database_server import MariaDB, PostgreSQL, Server
from tests.support.synced_database import SyncedDatabase, image
from tests.support.verified_contents import require_consistent

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
on_mariadb = pytest.mark.parametrize("database_kind", ["mariadb"], indirect=True)
on_servers = pytest.mark.parametrize("database_kind", ["postgresql", "mariadb"], indirect=True)

# A scheduler prints this line when a run takes longer than the interval, as every run may on a busy machine.
_SKIPPED = re.compile(
    r"catalog-sync: \S+Z a run was skipped: the one before it was still active \(\d+ skipped so far\);"
    r" schedule fewer runs"
)

__all__ = ["shell", "sqlite_url"]  # pytest finds a fixture where it is imported


def lines_without_skipped(err: str) -> list[str]:
    """The lines that a scheduler printed on stderr, but for those about skipped runs."""
    return [line for line in err.splitlines() if not _SKIPPED.fullmatch(line)]


@pytest.fixture(autouse=True)
def _verified(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test, ``verify`` and the checker find nothing in its database."""
    names = ("migrated_url", "sqlite_url", "synced", "synced_sqlite")
    given = [request.getfixturevalue(name) for name in names if name in request.fixturenames]
    yield
    for each in given:
        require_consistent(each if isinstance(each, str) else each.url)


@pytest.fixture
def synced(shell: Shell, database_kind: str, tmp_path: Path, _migrated: MigratedDatabases) -> Iterator[SyncedDatabase]:
    """A synced database of each kind."""
    with _synced(shell, database_kind, tmp_path, _migrated) as database:
        yield database


@pytest.fixture
def ten(synced: SyncedDatabase) -> SyncedDatabase:
    """A synced database of each kind with ten image models."""
    synced.succeeds(image=image(TEN))
    return synced


@pytest.fixture
def synced_sqlite(shell: Shell, tmp_path: Path, _migrated: MigratedDatabases) -> Iterator[SyncedDatabase]:
    """A synced SQLite database, for tests in which the kind of database makes no difference, or of SQLite itself."""
    with _synced(shell, "sqlite", tmp_path, _migrated) as database:
        yield database


@contextmanager
def _synced(shell: Shell, kind: str, folder: Path, migrated: MigratedDatabases) -> Iterator[SyncedDatabase]:
    """A copy of the database that the first test of a kind synced."""

    def first_sync(url: str) -> None:
        SyncedDatabase(shell, url, folder)

    with ExitStack() as stack:
        url = migrated.new(kind, folder / "catalog.db", stack, first_sync)
        yield SyncedDatabase(shell, url, folder, is_synced=True)


@pytest.fixture(scope="session")
def _own_servers() -> Iterator[dict[str, Server]]:
    servers: dict[str, Server] = {}
    yield servers
    for server in servers.values():
        server.kill()


@pytest.fixture
def new_folder() -> Callable[[str], Path]:
    """Makes a folder for a server. A server that runs as another user cannot read the folders of pytest."""

    def make(name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=os.environ["CATALOG_SYNC_TEST_SERVERS_FOLDER"]))

    return make


@pytest.fixture
def own_server(database_kind: str, _own_servers: dict[str, Server], new_folder: Callable[[str], Path]) -> Server:
    """A running PostgreSQL or MariaDB server that only the tests of this worker use."""
    kinds: dict[str, Callable[..., Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}
    if database_kind not in _own_servers:
        server = kinds[database_kind](new_folder(database_kind))
        server.start()
        _own_servers[database_kind] = server
    return _own_servers[database_kind]


@pytest.fixture
def synced_own_server(shell: Shell, own_server: Server, tmp_path: Path) -> Iterator[SyncedDatabase]:
    """A synced database on ``own_server``."""
    from models_db.migrate import upgrade

    with ExitStack() as stack:
        url: Any = stack.enter_context(database_servers.new_database(own_server.url))
        upgrade(url)
        yield SyncedDatabase(shell, url.render_as_string(hide_password=False), tmp_path)
