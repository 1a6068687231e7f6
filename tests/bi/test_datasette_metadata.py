"""``bi/datasette/metadata.json`` is up to date, and its queries give what ``ask`` gives."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from bi.datasette.make import FILE, as_text, datasette_metadata
from models_db import migrate
from models_db.engine import open_engine
from sync.demo.runner import sync_history
from sync.store.answers import Cell, _cell, answer
from sync.store.questions import Question, questions

NOW = datetime.now(UTC)
QUERIES: Mapping[str, Any] = datasette_metadata()["databases"]["catalog"]["queries"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """The database of a demo that ended now, so that the defaults find something."""
    url = f"sqlite:///{tmp_path_factory.mktemp('datasette') / 'catalog.db'}"
    migrate.upgrade(url)
    engine = open_engine(url)
    sync_history(engine, NOW, "0", lambda _moment, _run: None)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def canned(demo: Connection, name: str, **typed: str) -> list[list[Cell]]:
    """The rows of a canned query as Datasette runs it: every parameter is a text, and an empty one if missing."""
    values = {parameter: typed.get(parameter, "") for parameter in QUERIES[name].get("params", [])}
    with closing(sqlite3.connect(f"file:{demo.engine.url.database}?mode=ro", uri=True)) as connection:
        # One "now" for both, so that no midnight comes between them.
        rows = connection.execute(QUERIES[name]["sql"].replace("'now'", f"'{NOW:%Y-%m-%d %H:%M:%S}'"), values)
        columns = [column[0] for column in rows.description]
        return [[_cell(*pair) for pair in zip(columns, row, strict=True)] for row in rows]


def asked(demo: Connection, question: Question, **given: Any) -> list[list[Cell]]:
    return [list(row) for row in answer(demo, question, question.values(given, NOW)).rows]


def test_the_file_is_up_to_date() -> None:
    """If not, run ``python -m bi.datasette.make``."""
    assert Path(FILE).read_text(encoding="utf-8") == as_text(datasette_metadata())


def test_every_view_and_table_is_described_with_each_of_its_columns(demo: Connection) -> None:
    described = datasette_metadata()["databases"]["catalog"]["tables"]
    stored = {
        name: {column for (column,) in demo.exec_driver_sql(f"SELECT name FROM pragma_table_xinfo('{name}')")}
        for (name,) in demo.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        )
    }

    assert {name: set(table["columns"]) for name, table in described.items()} == stored
    assert all(
        comment for table in described.values() for comment in (table["description"], *table["columns"].values())
    )


@pytest.mark.parametrize("name", list(questions()))
def test_a_query_without_values_gives_the_rows_of_ask(demo: Connection, name: str) -> None:
    assert canned(demo, name) == asked(demo, questions()[name])


def test_values_are_read_from_text(demo: Connection) -> None:
    day = datetime(NOW.year, NOW.month, NOW.day, 6, tzinfo=UTC)
    forms = (day.isoformat(), day.strftime("%Y-%m-%dT%H:%MZ"), day.replace(tzinfo=None).isoformat(" ", "microseconds"))
    expected = asked(demo, questions()["costs-at"], at=day)

    assert expected
    assert [canned(demo, "costs-at", at=form) for form in forms] == [expected] * len(forms)
    assert canned(demo, "costs-at", at="soon") == []


def test_a_number_and_a_text_are_used(demo: Connection) -> None:
    usage = {"model": "acme/sketch-pro", "mode": "image"}
    expected = asked(demo, questions()["usage"], **usage, number=7)

    assert expected
    assert canned(demo, "usage", **usage, number="7") == expected
    assert canned(demo, "cost-history", model="acme/motion") == asked(
        demo, questions()["cost-history"], model="acme/motion"
    )
