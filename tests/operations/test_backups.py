"""Backups as docs/operations.md describes them: made during runs, restored, verified, and continued."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine

from models_db import migrate
from models_db.engine import open_engine
from tests.operations.documented_commands import OperatedDatabase, operated_database
from tests.support import database_servers
from tests.support.commands import eventually
from tests.support.docs_pages import blocks, page, section
from tests.support.made_responses import FULL, Model, model
from tests.support.run_driver import Host, Rows, column, dump
from tests.support.stored_rows_checker import assert_consistent

ODD = 'o\'Hara "\\" \\n \n`%s` ä 漢 \U0001f680 -- ;'


def catalog(number: int) -> list[Model]:
    """Costs change with each number, a model is removed and relisted, and some texts are hard to quote."""
    steady = [FULL, model("odd", cost=2, name=ODD, description=ODD), *(model(f"m{one}") for one in range(20))]
    return [*steady, model("a", cost=number), *([model("b")] if number % 3 else [])]


class Writer(threading.Thread):
    """Makes runs, each with a change, until ``end`` is called."""

    def __init__(self, url: Any) -> None:
        super().__init__(daemon=True)
        self.host = Host(open_engine(url))
        self.done = 0
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            self.host.sync(catalog(self.done), [model("v", cost=self.done)])
            self.done += 1

    def let_run(self, number: int) -> None:
        """Waits until this number of further runs is done."""
        enough = self.done + number
        eventually(lambda: self.done >= enough or not self.is_alive())
        assert self.is_alive()

    def end(self) -> Rows:
        """Ends the runs; gives every row that is stored."""
        self.stop.set()
        self.join(60)
        stored = dump(self.host.engine)
        self.host.engine.dispose()
        return stored


@pytest.fixture
def operated(database_url: str, tmp_path: Path) -> Iterator[OperatedDatabase]:
    operated = operated_database(database_url, tmp_path)
    migrate.upgrade(operated.url)
    yield operated
    if operated.kind != "sqlite":
        execute(operated.url, f"DROP DATABASE IF EXISTS {operated.restored.database}")


def execute(url: Any, *statements: str) -> list[Any]:
    """The rows of the last statement, if it has any."""
    rows: list[Any] = []
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
            rows = list(result) if result.returns_rows else []
    return rows


def test_a_backup_made_during_runs_has_whole_runs_only_and_the_next_run_continues_it(
    operated: OperatedDatabase,
) -> None:
    writer = Writer(operated.url)
    writer.start()
    writer.let_run(3)
    before = writer.done
    operated.back_up()
    writer.let_run(1)
    original = writer.end()

    assert operated.restore().startswith("consistent: ")

    engine = open_engine(operated.restored)
    assert_consistent(engine)
    kept = dump(engine)
    ended = [row for row in kept["sync_runs"] if row[4] != "running"]
    assert before <= len(ended) < len(original["sync_runs"])
    assert set(ended) <= set(original["sync_runs"])
    assert set(kept["catalog_changes"]) < set(original["catalog_changes"])

    sync_after_the_restore(engine)
    engine.dispose()


def sync_after_the_restore(engine: Any) -> None:
    """The next run finds what changed in the lost time, and dates it to the whole of that time."""
    (good,) = column(engine, "sync_state.good_asked_at", where={"mode": "image"})
    newest = max(column(engine, "sync_runs.run_id"))
    host = Host(engine)
    host.now = good + timedelta(days=30)
    result = host.sync(catalog(1001), [model("v", cost=1001)])

    assert result.status == "success"
    assert result.run_id
    assert result.run_id > newest
    dated = column(engine, "catalog_changes.not_before", "changed_at", where={"run_id": result.run_id})
    assert set(dated) == {(good, result.observed_at)}
    assert "running" not in column(engine, "sync_runs.status")
    assert_consistent(engine)


@pytest.fixture
def file(operated: OperatedDatabase) -> Path:
    return Path(str(operated.url.database))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_copy_of_the_file_alone_lacks_the_newest_runs(operated: OperatedDatabase, file: Path, tmp_path: Path) -> None:
    host = Host(open_engine(operated.url))
    host.sync(catalog(1), [])
    copy = shutil.copyfile(file, tmp_path / "copy.sqlite")
    host.engine.dispose()

    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sync_runs").fetchone() == (0,)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sync_runs").fetchone() == (1,)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_restored_file_has_a_write_ahead_log_and_no_rows_of_the_replaced_one(
    operated: OperatedDatabase, file: Path
) -> None:
    host = Host(open_engine(operated.url))
    host.sync(catalog(1), [])
    operated.back_up()
    host.sync(catalog(2), [])
    assert file.with_name("catalog.sqlite-wal").stat().st_size
    operated.restore()
    host.engine.dispose()

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT COUNT(*) FROM sync_runs").fetchone() == (1,)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_readers_keep_their_permissions_after_a_restore_on_postgresql(operated: OperatedDatabase) -> None:
    name = f"reader_{uuid4().hex[:8]}"
    (statements,) = blocks(section(page("docs/bi.md"), "## A reader on PostgreSQL"), "sql")
    execute(operated.url, *filter(str.strip, statements.replace("catalog_reader", name).split(";\n")))
    Host(engine := open_engine(operated.url)).sync(catalog(1), [])
    engine.dispose()
    operated.back_up()
    operated.restore()

    reader = operated.restored.set(username=name, password="change me")
    assert len(execute(reader, "SELECT * FROM v_current_catalog")) == len(catalog(1))

    execute(operated.restored, f"DROP OWNED BY {name}")
    execute(operated.url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.mark.parametrize("database_kind", ["mariadb"], indirect=True)
def test_any_account_can_restore_on_mariadb_and_owns_the_views(operated: OperatedDatabase) -> None:
    name = f"owner_{uuid4().hex[:8]}"
    for database in (operated.url.database, operated.restored.database):
        execute(operated.url, f"GRANT ALL ON {database}.* TO {name}@'%%' IDENTIFIED BY 'its-own'")
    Host(engine := open_engine(operated.url)).sync(catalog(1), [])
    engine.dispose()
    operated.back_up()

    owner = as_account(operated, name)
    assert owner.restore().startswith("consistent: ")

    definers = "SELECT DISTINCT definer FROM information_schema.views WHERE table_schema = DATABASE()"
    assert execute(operated.restored, definers) == [(f"{name}@%",)]
    execute(operated.url, f"DROP USER {name}@'%%'")


def as_account(operated: OperatedDatabase, name: str) -> OperatedDatabase:
    """The same database, used by another account of MariaDB."""
    login = operated.url.set(username=name, password="its-own")
    config = (operated.folder / ".my.cnf").read_text()
    lines = [line for line in config.splitlines() if not line.startswith(("user=", "password="))]
    (operated.folder / ".my.cnf").write_text("\n".join([*lines, f"user={name}", "password=its-own", ""]))
    return OperatedDatabase(login, operated.folder)


def test_every_kind_of_database_has_commands_to_back_it_up_and_to_restore_it() -> None:
    text = page("docs/operations.md")

    assert {len(blocks(section(text, f"### {name}"))) for name in database_servers.NAMES.values()} == {2}
