"""Fault H15, the reader accounts of docs/bi.md: they read everything and change nothing, and hold up no run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, inspect, make_url
from sqlalchemy.exc import DBAPIError

from models_db import migrate
from models_db.engine import normalise_url, open_engine
from models_db.tables.metadata import metadata
from models_db.views import install
from models_db.views.loader import VIEWS
from tests.cli.conftest import Shell, shell
from tests.models_db.changed_views import CURRENT_CATALOG, narrower
from tests.support.commands import error_line, output
from tests.support.docs_pages import blocks, page, section
from tests.support.synced_database import LISTED, SyncedDatabase, image

__all__ = ["shell"]

HEADINGS = {"postgresql": "## A reader on PostgreSQL", "mariadb": "## A reader on MariaDB"}
READABLE = sorted({view.name for view in VIEWS} | {*metadata.tables, migrate.VERSION_TABLE})
WRITES = (
    "DELETE FROM v_calendar_days",
    "DELETE FROM models",
    "CREATE VIEW v_current_catalog AS SELECT 1 AS a",
)

pytestmark = pytest.mark.parametrize("database_kind", HEADINGS, indirect=True)


@dataclass(frozen=True)
class Reader:
    """An account created by the statements of the page."""

    engine: Engine
    database: str

    def refused(self, statement: str) -> bool:
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql(statement)
        except DBAPIError as error:
            return any(word in str(error.orig).lower() for word in ("denied", "must be owner"))
        return False

    def reads(self, name: str) -> bool:
        return not self.refused(f"SELECT * FROM {name}")


def engine_of(url: URL) -> Engine:
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")


@pytest.fixture
def reader(database_kind: str, database_url: str) -> Iterator[Reader]:
    migrate.upgrade(database_url)
    name = f"reader_{uuid4().hex[:8]}"  # other tests use the same server
    (statements,) = blocks(section(page("docs/bi.md"), HEADINGS[database_kind]), "sql")
    with engine_of(normalise_url(database_url)).connect() as owner:
        for statement in filter(None, statements.replace("catalog_reader", name).split(";\n")):
            owner.exec_driver_sql(statement)
        url = make_url(database_url).set(username=name, password="change me")
        yield Reader(engine_of(url), database_url)
        drop(owner, name)


def drop(owner: Connection, name: str) -> None:
    if owner.dialect.name == "postgresql":
        owner.exec_driver_sql(f"DROP OWNED BY {name}")
    owner.exec_driver_sql(f"DROP {'ROLE' if owner.dialect.name == 'postgresql' else 'USER'} {name}")


def test_h15_the_reader_reads_every_view_and_table(reader: Reader) -> None:
    assert [name for name in READABLE if not reader.reads(name)] == []


def test_i9_the_reader_finds_every_view_with_its_columns(reader: Reader) -> None:
    """As tools do that reflect a view before they show it: SQLAlchemy reads its definition on MariaDB (SHOW VIEW)."""
    found = inspect(reader.engine)
    columns = {view.name: [column["name"] for column in found.get_columns(view.name)] for view in VIEWS}

    assert {view.name for view in VIEWS} <= {*found.get_view_names()}
    assert columns == {view.name: [column.name for column in view.columns] for view in VIEWS}


def test_the_reader_writes_nothing(reader: Reader) -> None:
    assert [statement for statement in WRITES if not reader.refused(statement)] == []


COMMANDS = (
    *(("status",), ("models",), ("changes",), ("show", "acme/image-0"), ("costs", "acme/image-0"), ("verify",)),
    *(("ask", "current-costs"), ("ignore", "list"), ("export", "-"), ("migrate",)),
)


@pytest.fixture
def synced(reader: Reader, shell: Shell, tmp_path: Path) -> SyncedDatabase:
    return SyncedDatabase(shell, reader.database, tmp_path)


def test_h15_every_reading_command_works_for_the_reader(reader: Reader, synced: SyncedDatabase, shell: Shell) -> None:
    shell.set(DATABASE_URL=reader.engine.url.render_as_string(hide_password=False))
    for command in COMMANDS:
        output(shell(*command))
    assert "lacks this permission" in error_line(synced.sync(), 6)


def test_h15_without_the_grants_a_command_says_what_is_missing(reader: Reader, shell: Shell) -> None:
    with engine_of(normalise_url(reader.database)).connect() as owner:
        name = str(reader.engine.url.username)
        every = "ALL TABLES IN SCHEMA public" if owner.dialect.name == "postgresql" else "*"
        owner.exec_driver_sql(f"REVOKE SELECT ON {every} FROM {name}")
        owner.exec_driver_sql(f"GRANT SELECT ON v_sync_runs TO {name}")
    shell.set(DATABASE_URL=reader.engine.url.render_as_string(hide_password=False))
    line = error_line(shell("status"), 6)

    assert "denied" in line
    assert "for a reader those of docs/bi.md" in line


LIMITS = {
    "postgresql": ("SELECT current_setting('statement_timeout')", "5min"),
    "mariadb": ("SELECT CAST(@@max_statement_time AS INTEGER)", 300),
}


def test_h15_the_statements_of_the_reader_have_a_time_limit(reader: Reader, database_kind: str) -> None:
    query, limit = LIMITS[database_kind]
    engine = open_engine(reader.engine.url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(query).scalar() == limit
    engine.dispose()


LOCKS = {
    "postgresql": (
        *(
            "BEGIN; LOCK TABLE sync_state",
            "BEGIN; LOCK TABLE models IN SHARE MODE",
            "SELECT * FROM sync_state FOR UPDATE",
        ),
        *("SELECT * FROM models FOR SHARE", "SELECT * FROM v_current_catalog FOR KEY SHARE"),
    ),
    "mariadb": ("LOCK TABLES sync_state READ", "LOCK TABLES models WRITE", "FLUSH TABLES WITH READ LOCK"),
}


def test_h15_the_reader_cannot_lock(reader: Reader, database_kind: str) -> None:
    assert [statement for statement in LOCKS[database_kind] if not reader.refused(statement)] == []


def test_h15_a_run_is_stored_while_the_reader_reads(reader: Reader, synced: SyncedDatabase) -> None:
    with reader.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reading:
        for name in READABLE:
            reading.exec_driver_sql(f"SELECT * FROM {name}")
        lock = {"postgresql": f"pg_advisory_lock({migrate._POSTGRESQL_LOCK})"}.get(
            reading.dialect.name, "GET_LOCK(CONCAT('catalog-sync ', MD5(DATABASE())), 0)"
        )
        reading.exec_driver_sql(f"SELECT {lock}")
        synced.succeeds("--migrate", image=image(LISTED[1:]))
        reading.rollback()


def test_the_reader_still_reads_every_view_after_a_migration_recreated_them(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL cannot drop a column of a view in place, so all views are dropped and created again there."""
    catalog = narrower(CURRENT_CATALOG)
    monkeypatch.setattr(install, "VIEWS", (catalog, *VIEWS[1:]))

    migrate.upgrade(reader.database)

    with reader.engine.connect() as connection:
        columns = list(connection.exec_driver_sql("SELECT * FROM v_current_catalog").keys())
    assert columns == [column.name for column in catalog.columns]
    assert [name for name in READABLE if not reader.reads(name)] == []
