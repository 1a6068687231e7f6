"""docs/questions.md: every query gives the result that is printed below it, on every database."""

from __future__ import annotations

import re

from sqlalchemy import Engine

from models_db.engine import read_transaction
from models_db.views.loader import VIEWS
from tests.questions.documented_questions import Question, questions, written
from tests.questions.question_history import make_history

READABLE = {view.name for view in VIEWS}
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(rf"{DAY.pattern} \d\d:\d\d:\d\d\.\d{{6}}")


def result_of(engine: Engine, question: Question) -> list[list[str]]:
    """The names of the columns, then the rows, written as on the page."""
    with read_transaction(engine) as connection:
        result = connection.exec_driver_sql(question.statements[0])
        return [list(result.keys()), *([written(value) for value in row] for row in result)]


def test_every_query_gives_the_result_below_it_on_every_database(engine: Engine) -> None:
    make_history(engine)

    results = {question.name: result_of(engine, question) for question in questions()}

    assert results == {question.name: question.result for question in questions()}


def test_every_question_has_one_statement_and_a_result_with_rows() -> None:
    shapes = {question.name: (len(question.statements), len(question.result) > 1) for question in questions()}

    assert shapes
    assert {name: shape for name, shape in shapes.items() if shape != (1, True)} == {}


def test_every_query_reads_views_only() -> None:
    """Names defined by WITH are not views."""
    for question in questions():
        statement = question.statements[0]
        made = set(re.findall(r"(?:WITH|,)\s+(\w+) AS \(\s", statement))

        assert set(re.findall(r"(?:FROM|JOIN) (\w+)", statement)) - made <= READABLE, question.name


def test_every_time_in_a_question_is_a_day_or_a_moment_in_full() -> None:
    """SQLite compares times as text of fixed width: any other form would compare wrongly."""
    quoted = [text for question in questions() for text in re.findall(r"'(\d[^']*-[^']*)'", question.statements[0])]

    assert quoted
    assert [text for text in quoted if not (DAY.fullmatch(text) or MOMENT.fullmatch(text))] == []
