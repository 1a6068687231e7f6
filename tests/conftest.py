"""The databases of the tests, as fixtures: a test that asks for one runs once on each kind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models_db.engine import open_engine
from tests.support import database_servers
from tests.support.commands import NO_AUTHORITIES
from tests.support.compiled_statements import share_compiled_statements
from tests.support.migrated_databases import MigratedDatabases
from tests.support.warm_program import WARM_PROGRAM

_SERVERS_FOLDER = "CATALOG_SYNC_TEST_SERVERS_FOLDER"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sqlite-only", action="store_true", help="leave out the tests on PostgreSQL and MariaDB")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--sqlite-only"):
        needs_server = {item: bool(_parameters(item) & {"postgresql", "mariadb"}) for item in items}
        config.hook.pytest_deselected(items=[item for item in items if needs_server[item]])
        items[:] = [item for item in items if not needs_server[item]]


def _parameters(item: pytest.Item) -> set[object]:
    """The texts among the parameters of a test, the kind of its database among them."""
    parameters = getattr(item, "callspec", None)
    return {value for value in parameters.params.values() if isinstance(value, str)} if parameters else set()


def pytest_configure(config: pytest.Config) -> None:
    os.environ |= NO_AUTHORITIES
    share_compiled_statements()
    if not _is_worker(config):
        os.environ[_SERVERS_FOLDER] = tempfile.mkdtemp(prefix="catalog-sync-")  # short: it will hold sockets


def pytest_unconfigure(config: pytest.Config) -> None:
    WARM_PROGRAM.stop()
    if not _is_worker(config):
        database_servers.stop_servers(Path(os.environ.pop(_SERVERS_FOLDER)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in filter(None, map(database_servers.missing, database_servers.KINDS)):
        terminalreporter.write_line(line, yellow=True)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MigratedDatabases]:
    with ExitStack() as kept:
        yield MigratedDatabases(tmp_path_factory.mktemp("migrated"), Path(os.environ[_SERVERS_FOLDER]), kept)


@pytest.fixture(params=database_servers.KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on: sqlite, postgresql or mariadb."""
    return _available(str(request.param))


@pytest.fixture(params=database_servers.KINDS)
def next_kind(request: pytest.FixtureRequest) -> str:
    """The kind of a second database, for tests that move a history."""
    return _available(str(request.param))


def _available(kind: str) -> str:
    reason = database_servers.missing(kind)
    if reason and kind in database_servers.required():
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)
    return kind


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own with nothing in it; on SQLite a file that is not there yet."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'fresh.db'}"
        return
    with database_servers.new_database(
        database_servers.server_url(database_kind, Path(os.environ[_SERVERS_FOLDER]))
    ) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def migrated_url(database_kind: str, tmp_path: Path, _migrated: MigratedDatabases) -> Iterator[str]:
    """A database at head with no data.

    On MariaDB the same one serves test after test: a test that changes the schema takes
    ``database_url``.
    """
    with ExitStack() as stack:
        yield _migrated.new(database_kind, tmp_path / "catalog.db", stack)


@pytest.fixture
def engine(migrated_url: str) -> Iterator[Engine]:
    """An engine as the program opens it, on ``migrated_url``."""
    engine = open_engine(migrated_url)
    yield engine
    engine.dispose()
