"""Databases with identities of their own, and a history that is moved from one to another."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from models_db.engine import open_engine
from sync.catalog.modes import MODES
from sync.errors import ApiUnreachable
from sync.store.database import in_transaction
from sync.store.ignored import add_ignored, end_ignored
from sync.store.runs import RunStart, begin_run
from tests.cli.conftest import Shell
from tests.support.commands import error_line, output
from tests.support.database_contents import every_row
from tests.support.eventful_history import make_history
from tests.support.made_responses import model
from tests.support.moved_history import contents, difference
from tests.support.run_driver import HOUR, Host, Sent
from tests.support.verified_contents import require_consistent

if TYPE_CHECKING:
    from tests.support.migrated_databases import MigratedDatabases

NewDatabase = Callable[[str], str]
THREE = [model("a", cost=1), model("b", cost=2), model("c", cost=3)]


@pytest.fixture
def new_sqlite(tmp_path: Path, _migrated: MigratedDatabases) -> Iterator[NewDatabase]:
    """Makes an SQLite database at head with this name, and an identity of its own: it is copied from a template."""
    with ExitStack() as stack:

        def new(name: str) -> str:
            url = _migrated.new("sqlite", tmp_path / f"{name}.db", stack)
            execute(url, f"UPDATE catalog_identity SET catalog_id = '{uuid4()}'")
            return url

        yield new


def execute(url: str, statement: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.fixture
def source(new_sqlite: NewDatabase) -> str:
    """A database with every kind of run and of event."""
    url = new_sqlite("source")
    engine = open_engine(url)
    host = Host(engine)
    make_history(host)
    ignore_a_field(host)
    host.meanwhile = lambda: Host(engine, now=host.now).sync([model("fast", cost=1)], modes=["image"])
    host.sync(THREE, THREE)  # superseded in one mode
    host.meanwhile = lambda: None
    host.now += HOUR
    host.sync(ApiUnreachable("no response"), ApiUnreachable("no response"))
    in_transaction(engine, lambda connection, _: begin_run(connection, RunStart(host.now, "schedule", None, "0")))
    engine.dispose()
    return url


def ignore_a_field(host: Host) -> None:
    """A field is ignored while it changes, then no longer."""
    models = [[model("a", rank=rank), model("b", cost=rank // 2)] for rank in range(5)]
    host.sync(models[0], [], accept="all")
    in_transaction(host.engine, lambda connection, _: add_ignored(connection, ["models.rank"], host.now, "noise", "me"))
    host.sync(models[1], [])
    host.sync(models[2], [])
    in_transaction(host.engine, lambda connection, _: end_ignored(connection, "models.rank", host.now, "needed"))
    host.sync(models[2], [])
    host.sync(models[4], [])


class Mover:
    """Moves a history from one database to another."""

    def __init__(self, shell: Shell, folder: Path) -> None:
        self.shell, self.folder = shell, folder

    def export(self, url: str, *arguments: str, name: str = "history.jsonl") -> Path:
        file = self.folder / name
        self.shell.set(DATABASE_URL=url)
        assert output(self.shell("export", str(file), *arguments)).startswith("exported ")
        return file

    def import_(self, url: str, file: Path) -> str:
        self.shell.set(DATABASE_URL=url)
        printed = output(self.shell("import", str(file)))
        require_consistent(url)
        return printed

    def refused(self, url: str, file: Path, code: int) -> str:
        """The error line of an import that must store nothing."""
        before = every_row(url)
        self.shell.set(DATABASE_URL=url)
        line = error_line(self.shell("import", str(file)), code)
        assert every_row(url) == before
        return line


@pytest.fixture
def mover(shell: Shell, tmp_path: Path) -> Mover:
    return Mover(shell, tmp_path)


def assert_same(one: str, other: str) -> None:
    assert difference(contents(one), contents(other)) == []


def sync_later(url: str, *sent: Sent, hours: int = 100, modes: Sequence[str] = MODES) -> None:
    engine = open_engine(url)
    host = Host(engine)
    host.now += hours * HOUR
    host.sync(*sent, modes=modes, accept="all")
    engine.dispose()
