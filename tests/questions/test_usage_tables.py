"""A table of the user in the place of the lines of usage, as the explanations of the questions say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, Row

from models_db import migrate
from models_db.engine import open_engine
from sync.store.questions import questions
from tests.questions.question_history import make_history
from tests.questions.recorded_costs import NOW

USES = (
    ("2026-03-02 00:00:00.000000", "image", "acme/sketch", 10),
    ("2026-03-02 12:00:00.000000", "image", "acme/sketch", 10),
    ("2026-03-02 12:00:00.000000", "video", "birch/clip", 1),
    ("2026-03-06 12:00:00.000000", "image", "acme/sketch", 1000),
)
LINES = re.compile(r"(  UNION ALL SELECT '.*\n)+")


def explained(name: str, beginning: str) -> str:
    """The code of an explanation that begins like this."""
    (found,) = re.findall(f"`({beginning}[^`]*)`", questions()[name].explanation)
    return str(found)


@pytest.fixture
def used(database_url: str) -> Iterator[Engine]:
    """A database with a history, and with the table of usage that the explanation makes."""
    migrate.upgrade(database_url)
    engine = open_engine(database_url)
    make_history(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(explained("priced-usage", "CREATE TABLE my_usage"))
        for moment, mode, model, number in USES:
            zone = "+00:00" if connection.dialect.name == "postgresql" else ""
            values = f"'{moment}{zone}', '{mode}', '{model}', {number}"
            connection.exec_driver_sql(f"INSERT INTO my_usage VALUES ({values})")
    yield engine
    engine.dispose()


def answered(engine: Engine, name: str) -> list[Row[tuple[object, ...]]]:
    """The answer of the printed query, in which the line of the explanation stands for the lines of usage."""
    question = questions()[name]
    printed = question.statement(question.values({}, NOW))
    statement, replaced = LINES.subn(f"  {explained(name, 'UNION ALL SELECT .*FROM my_usage')}\n", printed)
    assert replaced == 1
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(statement))


def test_a_table_of_usage_is_priced_line_by_line(used: Engine) -> None:
    rows = answered(used, "priced-usage")

    # 4 was seen on 1 March, 5 on the 2nd at 10:00, 4 on the 3rd, and 6 on the 8th after a sync on the 5th
    assert [(row.model_id, row.credits, row.credits_low, row.credits_high, row.is_sure) for row in rows] == [
        ("acme/sketch", 40, 40, 50, 0),
        ("acme/sketch", 50, 40, 50, 0),
        ("birch/clip", 12, 12, 12, 1),
        ("acme/sketch", 4000, 4000, 6000, 0),
    ]


def test_a_table_of_usage_is_a_mix(used: Engine) -> None:
    rows = answered(used, "mix-today")

    assert [(row.model_id, row.generations, row.credits_now) for row in rows] == [
        ("acme/sketch", 1020, 6120),
        ("birch/clip", 1, 12),
    ]
