"""A SQLite file read by the URI of docs/bi.md while a run writes to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine

from models_db.engine import write_transaction
from tests.questions.question_history import make_history
from tests.support.docs_pages import blocks, page, section
from tests.support.run_driver import Host

DOCUMENTED = "/var/lib/catalog-sync/catalog.sqlite"
COUNT = "SELECT COUNT(*) FROM v_catalog_changes"

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def reader(engine: Engine) -> Iterator[sqlite3.Connection]:
    """A connection that never waits for a lock."""
    make_history(engine)
    (uri,) = blocks(section(page("docs/bi.md"), "## SQLite, while runs go on"))
    uri = uri.strip().replace(DOCUMENTED, str(engine.url.database))
    with closing(sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)) as connection:
        yield connection


def count(reader: sqlite3.Connection) -> int:
    (number,) = reader.execute(COUNT).fetchone()
    return int(number)


def test_a_reader_sees_the_state_before_the_run_until_the_run_is_stored(
    engine: Engine, reader: sqlite3.Connection
) -> None:
    before = count(reader)
    with write_transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM catalog_changes")
        during = count(reader)

    assert (before, during, count(reader)) == (before, before, 0)
    assert before > 0


def test_a_reader_in_a_transaction_does_not_block_a_run_and_still_sees_the_old_state(
    engine: Engine, reader: sqlite3.Connection
) -> None:
    reader.execute("BEGIN")
    before = count(reader)
    host = Host(engine)
    host.now = host.now.replace(month=5)

    host.sync(modes=["video"], accept=3)

    assert count(reader) == before
    reader.execute("COMMIT")
    assert count(reader) == before + 3


def test_a_reader_cannot_write(reader: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM catalog_changes")
