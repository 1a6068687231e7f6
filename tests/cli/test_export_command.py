"""The command ``export``, and ``import`` of what it wrote: the same history in another database."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from models_db import migrate
from models_db.engine import open_engine
from sync.errors import ApiUnreachable
from sync.run.import_ import ImportDependencies
from sync.run.replay import import_export
from sync.source.files.exported import read_export
from sync.store.database import in_transaction
from sync.store.runs import RunStart, begin_run
from tests.cli.conftest import Shell
from tests.models_db.first_release import create_first_release
from tests.support.commands import error_line, output
from tests.support.database_contents import every_row, query_rows
from tests.support.eventful_history import make_history
from tests.support.made_responses import model
from tests.support.moved_history import contents, difference
from tests.support.run_driver import HOUR, Host
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
    host.meanwhile = lambda: Host(engine, now=host.now).sync([model("fast", cost=1)], modes=["image"])
    host.sync(THREE, THREE)  # superseded in one mode
    host.meanwhile = lambda: None
    host.now += HOUR
    host.sync(ApiUnreachable("no response"), ApiUnreachable("no response"))
    in_transaction(engine, lambda connection, _: begin_run(connection, RunStart(host.now, "schedule", None, "0")))
    engine.dispose()
    return url


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


@pytest.fixture
def mover(shell: Shell, tmp_path: Path) -> Mover:
    return Mover(shell, tmp_path)


def assert_same(one: str, other: str) -> None:
    assert difference(contents(one), contents(other)) == []


def lines(file: Path) -> list[dict[str, object]]:
    """The lines, without what tells catalogs apart."""
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in {"catalog_id", "sha256"}} for line in found]


def test_an_imported_export_gives_the_same_rows_of_every_view_and_the_same_file(
    mover: Mover, source: str, migrated_url: str, new_sqlite: NewDatabase
) -> None:
    file = mover.export(source)
    assert mover.import_(migrated_url, file).startswith("imported ")
    assert_same(source, migrated_url)
    again = mover.export(migrated_url, name="again.jsonl.gz")
    back = new_sqlite("back")
    mover.import_(back, again)
    assert_same(source, back)
    plain = mover.export(back, name="back.jsonl")
    (mover.folder / "again.jsonl").write_bytes(gzip.decompress(again.read_bytes()))
    assert lines(plain) == lines(file) == lines(mover.folder / "again.jsonl")


def test_a_history_of_the_first_release_is_moved_by_the_rules_of_its_runs(
    mover: Mover, tmp_path: Path, migrated_url: str
) -> None:
    url = f"sqlite:///{tmp_path / 'first.db'}"
    create_first_release(url)
    migrate.upgrade(url)
    mover.import_(migrated_url, mover.export(url))
    assert_same(url, migrated_url)


def test_a_second_import_stores_nothing_and_a_longer_export_goes_on(
    mover: Mover, source: str, migrated_url: str
) -> None:
    file = mover.export(source)
    mover.import_(migrated_url, file)
    before = every_row(migrated_url)
    assert mover.import_(migrated_url, file).startswith("nothing to import: all ")
    assert every_row(migrated_url) == before
    sync_later(source, [model("a", cost=8)], [model("a", cost=9)])
    # The later run of the source abandoned the one without an end, which is stored too.
    assert mover.import_(migrated_url, mover.export(source)).startswith("imported 2 lines ")
    assert_same(source, migrated_url)


def sync_later(url: str, *sent: list[dict[str, object]], hours: int = 100) -> None:
    engine = open_engine(url)
    host = Host(engine)
    host.now += hours * HOUR
    host.sync(*sent, accept="all")
    engine.dispose()


def test_an_interrupted_import_continues(mover: Mover, source: str, migrated_url: str) -> None:
    file = mover.export(source)
    engine = open_engine(migrated_url)
    deps = ImportDependencies(lambda: Host(engine).now, "0")
    for number in range(2, 9, 3):
        results = import_export(engine, read_export(file), deps)
        assert len(list(islice(results, number))) == number
        results.close()
        require_consistent(migrated_url)
    engine.dispose()
    mover.import_(migrated_url, file)
    assert_same(source, migrated_url)


def test_a_run_that_had_no_end_gets_it_from_a_later_export(
    mover: Mover, new_sqlite: NewDatabase, migrated_url: str
) -> None:
    url = new_sqlite("source")
    engine = open_engine(url)
    host = Host(engine)
    host.sync(THREE, THREE)
    files: list[Path] = []
    host.meanwhile = lambda: files.append(mover.export(url, name="during.jsonl"))
    host.sync([model("a", cost=5), *THREE[1:]], THREE)
    mover.import_(migrated_url, files[0])
    assert query_rows(migrated_url, "SELECT status FROM sync_runs ORDER BY run_id")[-1] == ("running",)
    assert mover.import_(migrated_url, mover.export(url)).startswith("imported 1 line with 1 change")
    assert_same(url, migrated_url)
    engine.dispose()


def test_a_moved_history_is_pruned_like_the_first_and_recognised_after_it(
    mover: Mover, source: str, migrated_url: str
) -> None:
    file = mover.export(source)
    mover.import_(migrated_url, file)
    assert prune(mover, migrated_url) == prune(mover, source)
    assert_same(source, migrated_url)
    before = every_row(migrated_url)
    assert mover.import_(migrated_url, file).startswith("nothing to import")
    assert every_row(migrated_url) == before


def test_a_pruned_history_is_moved_as_it_is(mover: Mover, source: str, migrated_url: str) -> None:
    prune(mover, source)
    mover.import_(migrated_url, mover.export(source))
    assert_same(source, migrated_url)


def prune(mover: Mover, url: str) -> int:
    """The number of runs that were deleted."""
    mover.shell.set(DATABASE_URL=url)
    deleted = json.loads(output(mover.shell("prune", "--before", "2026-06-01", "--json")))["deleted"]
    require_consistent(url)
    assert deleted
    return int(deleted)


def test_a_truncated_file_is_refused_before_anything_is_stored(mover: Mover, source: str, sqlite_url: str) -> None:
    file = mover.export(source)
    whole = file.read_bytes().splitlines(keepends=True)
    for cut in range(1, len(whole)):
        kept = whole[:cut]
        file.write_bytes(b"".join(kept))
        assert f"{file} line {cut} is not the last line of an export" in refused(mover, sqlite_url, file, 5)
    for cut in range(2, len(whole) + 1):
        *kept, last = whole[:cut]
        file.write_bytes(b"".join([*kept, last[: len(last) // 2]]))
        assert f"{file} line {cut} is no line of an export" in refused(mover, sqlite_url, file, 5)


def refused(mover: Mover, url: str, file: Path, code: int) -> str:
    """The error line of an import that must store nothing."""
    before = every_row(url)
    mover.shell.set(DATABASE_URL=url)
    line = error_line(mover.shell("import", str(file)), code)
    assert every_row(url) == before
    return line


def test_a_damaged_file_is_refused_before_anything_is_stored(mover: Mover, source: str, sqlite_url: str) -> None:
    file = mover.export(source)
    whole = file.read_text()
    last = len(whole.splitlines())
    file.write_text(whole.replace('\\"default_cost\\": 3', '\\"default_cost\\": 4', 1))
    assert f"{file} line {last} does not agree with the lines before it" in refused(mover, sqlite_url, file, 5)
    file.write_text(whole.replace('{"line":"run","run_id":4', '{"line":"run","run_id":3', 1))
    assert f"{file} line 5 is in the wrong place" in refused(mover, sqlite_url, file, 5)
    file.write_text(whole + whole)
    assert f"{file} line {last + 1} follows the last line" in refused(mover, sqlite_url, file, 5)
    file.write_bytes(gzip.compress(whole.encode())[:-20])
    assert "the gzip data is truncated or damaged here" in refused(mover, sqlite_url, file, 5)
    file.write_text(whole.replace('"format":1', '"format":2', 1))
    assert "install that version" in refused(mover, sqlite_url, file, 2)
    mover.shell.set(DATABASE_URL=sqlite_url)
    assert "--at cannot be used" in error_line(mover.shell("import", "--at", "1d", str(file)), 2)


def test_a_database_that_has_gone_on_by_itself_is_refused(mover: Mover, source: str, sqlite_url: str) -> None:
    file = mover.export(source)
    mover.import_(sqlite_url, file)
    sync_later(sqlite_url, THREE, THREE)
    sync_later(source, THREE, THREE)
    line = refused(mover, sqlite_url, mover.export(source), 5)
    assert f"{file} line " in line
    assert "is not later than" in line


def test_a_database_that_has_gone_on_by_itself_takes_no_later_runs(mover: Mover, source: str, sqlite_url: str) -> None:
    mover.import_(sqlite_url, mover.export(source))
    sync_later(sqlite_url, THREE, THREE)
    sync_later(source, THREE, THREE, hours=150)
    assert "has gone on by itself since" in refused(mover, sqlite_url, mover.export(source), 2)


def test_a_history_is_appended_to_an_earlier_one(mover: Mover, new_sqlite: NewDatabase, migrated_url: str) -> None:
    earlier = open_engine(migrated_url)
    host = Host(earlier)
    host.sync([model("a", cost=7), model("old", cost=1)], [])
    earlier.dispose()
    url = new_sqlite("later")
    later = open_engine(url)
    following = Host(later, now=host.now)
    following.sync(THREE, [model("v")])
    following.sync(THREE[:2], [model("v")])
    later.dispose()
    mover.import_(migrated_url, mover.export(url))
    query = "SELECT mode, model_id, credit_cost_exact FROM v_current_catalog ORDER BY mode, model_id"
    assert query_rows(migrated_url, query) == query_rows(url, query)
    kinds = query_rows(
        migrated_url, "SELECT model_id, change_kind FROM v_catalog_changes ORDER BY changed_at, model_id"
    )
    assert kinds[2:] == [
        ("a", "decrease"),
        ("b", "added"),
        ("c", "added"),
        ("old", "removed"),
        ("v", "added"),
        ("c", "removed"),
    ]


def back_up(url: str, file: Path) -> None:
    execute(url, f"VACUUM INTO '{file}'")


def test_a_catalog_restored_from_a_backup_catches_up_from_its_own_export(
    mover: Mover, source: str, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    back_up(source, backup)
    sync_later(source, THREE, THREE)
    file = mover.export(source)
    assert mover.import_(source, file).startswith("nothing to import")
    assert mover.import_(f"sqlite:///{backup}", file).startswith("imported 2 lines")
    assert_same(source, f"sqlite:///{backup}")


def test_a_restored_catalog_that_has_gone_on_by_itself_is_refused(mover: Mover, source: str, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    back_up(source, backup)
    sync_later(source, THREE, THREE, hours=150)
    sync_later(f"sqlite:///{backup}", THREE, THREE)
    assert "has gone on by itself" in refused(mover, f"sqlite:///{backup}", mover.export(source), 2)
