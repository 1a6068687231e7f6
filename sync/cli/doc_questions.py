"""Makes docs/questions.md: each question of the package with its answer on the database of the demo.

``python -m sync.cli.doc_questions`` in the project folder writes the page.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sync import __version__
from sync.demo import run_demo
from sync.store.answers import Answer, Cell, answer
from sync.store.database import Connection, Database
from sync.store.questions import Question, introduction, questions

PAGE = "docs/questions.md"
UNTIL = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""The time of the demo behind the page, and the "now" of the defaults on it."""


def questions_page(connection: Connection) -> str:
    """The text of the page, with the answers of this database."""
    parts = (_section(each, _answer(connection, each)) for each in questions().values())
    return "\n".join((introduction(), *parts))


def _answer(connection: Connection, question: Question) -> Answer:
    return answer(connection, question, question.values({}, UNTIL))


def _section(question: Question, found: Answer) -> str:
    command = f"`catalog-sync ask {question.name}`"
    if question.parameters:
        command += " with " + ", ".join(f"`--{name}`" for name in question.parameters)
    sql = question.statement(question.values({}, UNTIL))
    lines = [f"## {question.text}", "", command, "", "```sql", sql, "```", "", question.explanation, "", *_table(found)]
    return "\n".join(lines) + "\n"


def _table(found: Answer) -> Iterator[str]:
    yield _row(found.columns)
    yield _row("---" for _ in found.columns)
    for row in found.rows:
        yield _row(map(_cell_text, row))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell_text(cell: Cell) -> str:
    """A value as the page shows it."""
    if cell is None:
        return "NULL"
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None).isoformat(" ")
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def write_page() -> None:
    """Makes the database of the demo, and the page from it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "demo.db"
        run_demo(file, UNTIL, __version__, report_run=_report_nothing)
        Path(PAGE).write_text(Database(f"sqlite:///{file}").read(questions_page), encoding="utf-8")


def _report_nothing(_moment: datetime, _run: object) -> None:
    """The page has no lines of the runs."""


if __name__ == "__main__":
    write_page()
