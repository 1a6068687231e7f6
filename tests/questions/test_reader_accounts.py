"""The reader accounts of docs/bi.md: they read the views and nothing else, before and after a migration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from models_db import migrate
from models_db.engine import normalise_url
from models_db.tables.metadata import metadata
from models_db.views import install
from models_db.views.loader import VIEWS
from tests.models_db.changed_views import CURRENT_CATALOG, narrower
from tests.support.docs_pages import blocks, page, section

HEADINGS = {"postgresql": "## A reader on PostgreSQL", "mariadb": "## A reader on MariaDB"}
READABLE = [view.name for view in VIEWS]
HIDDEN = sorted({*metadata.tables, migrate.VERSION_TABLE})
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
            return "denied" in str(error.orig)
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


def test_the_reader_reads_every_view(reader: Reader) -> None:
    assert [name for name in READABLE if not reader.reads(name)] == []


def test_the_reader_reads_no_table(reader: Reader) -> None:
    assert [name for name in HIDDEN if reader.reads(name)] == []


def test_the_reader_writes_nothing(reader: Reader) -> None:
    assert [statement for statement in WRITES if not reader.refused(statement)] == []


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
    assert [name for name in HIDDEN if reader.reads(name)] == []
