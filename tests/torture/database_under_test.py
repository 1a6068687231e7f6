"""Empty databases for the torture, and the checks that each of them must pass afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, make_url

from models_db.engine import open_engine
from sync.run import RunResult
from sync.store.database import reading
from sync.store.verify.read_models import Verification
from tests.support import database_servers
from tests.support.history_checker import meaning, plain_json
from tests.support.made_responses import text_of
from tests.support.migrated_databases import MigratedDatabases
from tests.support.run_driver import Host
from tests.support.seal_checker import seal_findings
from tests.support.stored_rows_checker import findings
from tests.torture.changing_catalog import Catalog

SERVERS_FOLDER = "CATALOG_SYNC_TEST_SERVERS_FOLDER"
"""The environment variable with the folder in which the private database servers run."""

_MESSAGE_LIMIT = 2000


class InvariantError(Exception):
    """A condition that must hold after every step does not hold."""


@dataclass
class EmptyDatabases:
    """Makes databases of one kind at head, without data; one is in use at a time.

    No connection is open outside of ``new``: a fork would share the socket with the child.
    """

    kind: str
    folder: Path
    _migrated: MigratedDatabases
    _number: int = 0

    @contextmanager
    def new(self) -> Iterator[str]:
        """The URL of an empty database. On MariaDB it is the same database each time, emptied."""
        self._number += 1
        with ExitStack() as stack:
            yield self._migrated.new(self.kind, self.folder / f"{self._number}.db", stack)
        self._unlink(self._number)

    @contextmanager
    def unmigrated(self) -> Iterator[str]:
        """The URL of a database of its own without any table; a file that does not exist on SQLite."""
        self._number += 1
        number = self._number
        if self.kind == "sqlite":
            yield f"sqlite:///{self.folder / f'{number}.db'}"
            self._unlink(number)
            return
        server = database_servers.server_url(self.kind, Path(os.environ[SERVERS_FOLDER]))
        with database_servers.new_database(server) as url:
            yield url.render_as_string(hide_password=False)

    def _unlink(self, number: int) -> None:
        for file in self.folder.glob(f"{number}.db*"):
            file.unlink()


@contextmanager
def empty_databases(kind: str) -> Iterator[EmptyDatabases]:
    """Databases on the server of this kind that runs in the folder named by ``SERVERS_FOLDER``."""
    servers = Path(os.environ[SERVERS_FOLDER])
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="t-", dir=servers) as folder:
        yield EmptyDatabases(kind, Path(folder), MigratedDatabases(Path(folder), servers, stack))


@contextmanager
def engine_for(url: str) -> Iterator[Engine]:
    """An engine as the program opens it; all its connections are closed at the end."""
    engine = _cached_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


# Compiling the statements anew for every run would take longer than running them.
@lru_cache(maxsize=4)
def _cached_engine(url: str) -> Engine:
    return open_engine(url)


def require(condition: object, message: str) -> None:
    """Raises ``InvariantError`` with the message unless the condition is true."""
    if not condition:
        raise InvariantError(message)


def require_consistent(url: str) -> None:
    """Neither ``verify`` nor the independent checkers of rows and seals find a problem in the stored data."""
    with engine_for(url) as engine:
        require_consistent_rows(engine)


def require_consistent_rows(engine: Engine) -> None:
    """As ``require_consistent``, on an open engine."""
    with reading(engine) as connection:
        problems = [
            f"verify: {finding.table} {finding.mode} {finding.model_id!r}: {finding.problem}"
            for finding in Verification(connection).findings()
        ]
        problems += [f"seals: {finding}" for finding in seal_findings(connection)]
    problems += [f"checker: {finding}" for finding in findings(engine)]
    require(not problems, f"{len(problems)} problems in the stored data: {'; '.join(problems[:3])}"[:_MESSAGE_LIMIT])


def require_listed(url: str, catalog: Catalog) -> None:
    """The open versions are exactly the models of this catalog."""
    sql = "SELECT m.mode, m.model_id, v.raw FROM models m JOIN model_versions v ON v.open_model_pk = m.model_pk"
    # The raw texts are compared by their meaning: the order of keys and the spelling of numbers may differ.
    stored = {(mode, model_id): meaning(plain_json(raw)) for mode, model_id, raw in query(url, sql)}
    expected = {
        (mode, model["id"]): meaning(plain_json(text_of(model))) for mode, models in catalog.items() for model in models
    }
    different = sorted(key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key))
    require(not different, f"the listed models differ from the models in the response: {different[:5]}")


def require_no_open_runs(url: str) -> None:
    """Every run has finished or is marked abandoned."""
    open_runs = query(url, "SELECT run_id FROM sync_runs WHERE status = 'running'")
    require(not open_runs, f"runs {open_runs} are still marked running")


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query, with the values of the bare driver."""
    # Without a pool no connection stays open until the next fork.
    engine = create_engine(make_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def sync_once(url: str, now: datetime, responses: dict[str, bytes]) -> RunResult:
    """One sync of both modes that begins at ``now``; ``responses`` has the body for each mode.

    A person accepts what the guards hold back: the catalogs of a day may differ by more than they let pass.
    """
    with engine_for(url) as engine:
        return Host(engine, now).sync(responses["image"], responses["video"], accept="all", accept_costs="all")
