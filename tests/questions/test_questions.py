"""docs/questions.md is made from the questions of the package and from the database of the demo."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from models_db.engine import read_transaction
from models_db.views.loader import VIEWS
from sync import __version__
from sync.cli.doc_questions import UNTIL, questions_page
from sync.demo.runner import sync_history
from sync.store.answers import answer
from sync.store.questions import Question, questions
from tests.questions.documented_questions import PAGE, documented_questions

READABLE = {view.name for view in VIEWS}
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(rf"{DAY.pattern} \d\d:\d\d:\d\d\.\d{{6}}")
QUESTIONS = list(questions().values())
WITHOUT_ANSWER = {"accepted"}
"""Those without an answer in the demo, in which nobody accepts anything."""


@pytest.fixture
def demo(engine: Engine) -> Engine:
    sync_history(engine, UNTIL, __version__, lambda _moment, _run: None)
    return engine


def test_the_page_has_the_questions_and_their_answers_on_every_database(demo: Engine) -> None:
    """If this fails after a change of the questions or of the demo: python -m sync.cli.doc_questions."""
    with read_transaction(demo) as connection:
        assert questions_page(connection) == PAGE


def test_every_question_has_an_answer_in_the_demo_and_its_printed_text_the_same_one(demo: Engine) -> None:
    with read_transaction(demo) as connection:
        values = {each.name: each.values({}, UNTIL) for each in QUESTIONS}
        answered = {each.name: len(answer(connection, each, values[each.name]).rows) for each in QUESTIONS}
        printed = {
            each.name: len(connection.exec_driver_sql(each.statement(values[each.name])).all()) for each in QUESTIONS
        }

    assert {name for name, rows in answered.items() if not rows} == WITHOUT_ANSWER
    assert answered == printed


@pytest.mark.parametrize("text", ["x'y", "back\\slash", "100%", "%s", ":days", '"', "\u2028 ü 😀", "';--", ""])
def test_a_text_is_the_same_bound_and_printed(engine: Engine, text: str) -> None:
    echo = Question("echo", "?", "SELECT CAST(:a AS CHAR(20)) AS found;", "")
    with read_transaction(engine) as connection:
        statement = echo.statement({"a": text}, escapes_backslash=connection.dialect.name == "mariadb")
        bound = answer(connection, echo, {"a": text}).rows[0][0]
        cursor = connection.connection.cursor()
        cursor.execute(statement)
        printed = cursor.fetchone()

    assert str(bound).rstrip(" ") == text  # CHAR is padded on PostgreSQL
    assert printed is not None
    assert str(printed[0]).rstrip(" ") == text


def test_values_select_the_same_rows_on_every_database(demo: Engine) -> None:
    given = {"since": datetime(2026, 3, 24, 1, 2, 3, tzinfo=UTC), "until": datetime(2026, 4, 22, tzinfo=UTC)}
    with read_transaction(demo) as connection:

        def rows(name: str, **others: str | int) -> list[list[object]]:
            question = questions()[name]
            return [list(row) for row in answer(connection, question, question.values({**given, **others}, UNTIL)).rows]

        changes = rows("cost-changes")
        every_hour = rows("missing-days", hours=1)
        used = rows("usage", mode="video", model="borealis/clip", number=3)
        wide = rows("accepting", ratio="16:9", seconds="5")

    assert [row[2] for row in changes] == ["borealis/paint-2"] * 2 + ["acme/sketch-pro", "borealis/paint-1"]
    assert len(every_hour) == 2 * len(used) == 58
    assert used[-1] == ["2026-04-21", "video", "borealis/clip", 5, 15, 435]
    assert [row[1] for row in wide] == ["borealis/clip"]


def test_every_question_has_one_statement() -> None:
    counted = {question.name: len(question.statements) for question in documented_questions()}

    assert set(counted) == {each.text for each in QUESTIONS}
    assert set(counted.values()) == {1}


def test_every_parameter_stands_in_its_statement_and_no_other_does() -> None:
    for each in QUESTIONS:
        assert set(re.findall(r"(?<![:\w]):(\w+)", each.sql)) == set(each.parameters), each.name


def test_every_query_reads_views_only() -> None:
    """Names defined by WITH are not views."""
    for each in QUESTIONS:
        made = set(re.findall(r"(?:WITH|,)\s+(\w+) AS \(\s", each.sql))

        assert set(re.findall(r"(?:FROM|JOIN) (\w+)", each.sql)) - made <= READABLE, each.name


def test_every_time_in_a_question_is_a_day_or_a_moment_in_full() -> None:
    """SQLite compares times as text of fixed width: any other form would compare wrongly."""
    quoted = [
        text for question in documented_questions() for text in re.findall(r"'(\d[^']*-[^']*)'", question.statements[0])
    ]

    assert quoted
    assert [text for text in quoted if not (DAY.fullmatch(text) or MOMENT.fullmatch(text))] == []
