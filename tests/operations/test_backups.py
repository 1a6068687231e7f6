"""Backups as docs/operations.md says: made while runs go on, restored, proved, and gone on from."""

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
from tests.operations.documented_commands import OperatedDatabase, place_for
from tests.support import database_servers
from tests.support.commands import eventually
from tests.support.docs_pages import blocks, page, section
from tests.support.made_responses import FULL, Model, model
from tests.support.run_driver import Host, Rows, column, dump
from tests.support.stored_rows_checker import assert_sound

ODD = 'o\'Hara "\\" \\n \n`%s` ä 漢 \U0001f680 -- ;'


def catalog(number: int) -> list[Model]:
    """Costs change with each number, a model comes and goes, and some texts are hard to quote."""
    steady = [FULL, model("odd", cost=2, name=ODD, description=ODD), *(model(f"m{one}") for one in range(20))]
    return [*steady, model("a", cost=number), *([model("b")] if number % 3 else [])]


class Writer(threading.Thread):
    """Runs, one after the other, each with a change, until told to stop."""

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
        wanted = self.done + number
        eventually(lambda: self.done >= wanted or not self.is_alive())
        assert self.is_alive()

    def end(self) -> Rows:
        """Every row that is stored then."""
        self.stop.set()
        self.join(60)
        stored = dump(self.host.engine)
        self.host.engine.dispose()
        return stored


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[OperatedDatabase]:
    place = place_for(database_url, tmp_path)
    migrate.upgrade(place.url)
    yield place
    if place.kind != "sqlite":
        execute(place.url, f"DROP DATABASE IF EXISTS {place.restored.database}")


def execute(url: Any, *statements: str) -> list[Any]:
    """The rows of the last statement, if it has any."""
    rows: list[Any] = []
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
            rows = list(result) if result.returns_rows else []
    return rows


def test_a_backup_made_while_runs_go_on_holds_whole_runs_and_is_gone_on_from(place: OperatedDatabase) -> None:
    writer = Writer(place.url)
    writer.start()
    writer.let_run(3)
    before = writer.done
    place.back_up()
    writer.let_run(1)
    original = writer.end()

    assert place.restore().startswith("sound: ")

    engine = open_engine(place.restored)
    assert_sound(engine)
    kept = dump(engine)
    ended = [row for row in kept["sync_runs"] if row[4] != "running"]
    assert before <= len(ended) < len(original["sync_runs"])
    assert set(ended) <= set(original["sync_runs"])
    assert set(kept["catalog_changes"]) < set(original["catalog_changes"])

    go_on(engine)
    engine.dispose()


def go_on(engine: Any) -> None:
    """What changed in the time that was lost is found by the next run, and told to lie in all of that time."""
    (good,) = column(engine, "sync_state.good_asked_at", where={"mode": "image"})
    newest = max(column(engine, "sync_runs.run_id"))
    host = Host(engine)
    host.now = good + timedelta(days=30)
    result = host.sync(catalog(1001), [model("v", cost=1001)])

    assert result.status == "success"
    assert result.run_id
    assert result.run_id > newest
    told = column(engine, "catalog_changes.not_before", "changed_at", where={"run_id": result.run_id})
    assert set(told) == {(good, result.observed_at)}
    assert "running" not in column(engine, "sync_runs.status")
    assert_sound(engine)


@pytest.fixture
def file(place: OperatedDatabase) -> Path:
    return Path(str(place.url.database))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_copy_of_the_file_alone_lacks_the_newest_runs(place: OperatedDatabase, file: Path, tmp_path: Path) -> None:
    host = Host(open_engine(place.url))
    host.sync(catalog(1), [])
    copy = shutil.copyfile(file, tmp_path / "copy.sqlite")
    host.engine.dispose()

    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sync_runs").fetchone() == (0,)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sync_runs").fetchone() == (1,)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_restored_file_keeps_a_write_ahead_log_and_nothing_of_the_old_one(place: OperatedDatabase, file: Path) -> None:
    host = Host(open_engine(place.url))
    host.sync(catalog(1), [])
    place.back_up()
    host.sync(catalog(2), [])
    assert file.with_name("catalog.sqlite-wal").stat().st_size
    place.restore()
    host.engine.dispose()

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT COUNT(*) FROM sync_runs").fetchone() == (1,)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_readers_may_read_what_was_restored_on_postgresql(place: OperatedDatabase) -> None:
    name = f"reader_{uuid4().hex[:8]}"
    (statements,) = blocks(section(page("docs/bi.md"), "## A reader on PostgreSQL"), "sql")
    execute(place.url, *filter(str.strip, statements.replace("catalog_reader", name).split(";\n")))
    Host(engine := open_engine(place.url)).sync(catalog(1), [])
    engine.dispose()
    place.back_up()
    place.restore()

    reader = place.restored.set(username=name, password="change me")
    assert len(execute(reader, "SELECT * FROM v_current_catalog")) == len(catalog(1))

    execute(place.restored, f"DROP OWNED BY {name}")
    execute(place.url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.mark.parametrize("database_kind", ["mariadb"], indirect=True)
def test_any_account_may_restore_on_mariadb_and_the_views_are_its_own(place: OperatedDatabase) -> None:
    name = f"owner_{uuid4().hex[:8]}"
    for database in (place.url.database, place.restored.database):
        execute(place.url, f"GRANT ALL ON {database}.* TO {name}@'%%' IDENTIFIED BY 'its-own'")
    Host(engine := open_engine(place.url)).sync(catalog(1), [])
    engine.dispose()
    place.back_up()

    owner = place_for_account(place, name)
    assert owner.restore().startswith("sound: ")

    definers = "SELECT DISTINCT definer FROM information_schema.views WHERE table_schema = DATABASE()"
    assert execute(place.restored, definers) == [(f"{name}@%",)]
    execute(place.url, f"DROP USER {name}@'%%'")


def place_for_account(place: OperatedDatabase, name: str) -> OperatedDatabase:
    """The same place for another account of MariaDB."""
    login = place.url.set(username=name, password="its-own")
    config = (place.folder / ".my.cnf").read_text()
    lines = [line for line in config.splitlines() if not line.startswith(("user=", "password="))]
    (place.folder / ".my.cnf").write_text("\n".join([*lines, f"user={name}", "password=its-own", ""]))
    return OperatedDatabase(login, place.folder)


def test_every_kind_of_database_has_commands_to_back_it_up_and_to_restore_it() -> None:
    text = page("docs/operations.md")

    assert {len(blocks(section(text, f"### {name}"))) for name in database_servers.NAMES.values()} == {2}
