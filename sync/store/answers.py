"""Answers to the questions of ``docs/questions.md``, with the same values on every database. Reads only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import TypeAlias

from sqlalchemy import Connection, text

from sync.store.questions import Question, Value

Cell: TypeAlias = datetime | Decimal | int | str | None

# SQLite has doubles, and the averages of the servers have more decimals than the costs, which have 12.
_PLACES = Decimal("1e-12")
# Times are texts on SQLite. The name of the column tells them from a text of the API in the same form.
_TIME_COLUMN = re.compile(r".*_at|.*_since|valid_from|valid_to|not_before|possible_from|first_sync|last_sync")


@dataclass(frozen=True)
class Answer:
    """The names of the columns, and the rows in the order of the question."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def answer(connection: Connection, question: Question, values: Mapping[str, Value]) -> Answer:
    """The rows of the question's SELECT. Times are in UTC, days are texts, and whole numbers are ``int``."""
    # The values are bound, since the databases quote differently.
    result = connection.execute(text(question.sql.rstrip(";\n")), dict(values))
    columns = list(result.keys())
    return Answer(columns, [[_cell(*pair) for pair in zip(columns, row, strict=True)] for row in result])


def _cell(column: str, value: object) -> Cell:
    if isinstance(value, float | Decimal):
        return _number(Decimal(str(value)))
    if value is None or isinstance(value, int):
        return value
    if _TIME_COLUMN.fullmatch(column):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: Decimal) -> Decimal | int:
    # A large cost times a large number of generations has more digits than the usual context.
    with localcontext(prec=100):
        rounded = value.quantize(_PLACES)
        return int(rounded) if rounded == rounded.to_integral_value() else rounded.normalize()
