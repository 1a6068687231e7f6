"""The questions of docs/questions.md, and rows as that page writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.support.docs_pages import blocks, headings, page, section

PAGE = page("docs/questions.md")
_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Question:
    """A question, its statements, and the result printed below them, which begins with the names of the columns."""

    name: str
    statements: Sequence[str]
    result: Sequence[Sequence[str]]


def questions() -> Iterator[Question]:
    for name in headings(PAGE):
        text = section(PAGE, f"## {name}")
        yield Question(name, blocks(text, "sql"), _table(text))


def _table(text: str) -> list[list[str]]:
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    rows = [line.strip("|").split("|") for line in prose.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for number, row in enumerate(rows) if number != 1]


def written(value: Any) -> str:
    """A value as the page shows it, the same for every database: at most six decimals, without trailing zeros."""
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)).quantize(_PLACES):f}".rstrip("0").rstrip(".")
    return value.isoformat() if isinstance(value, date) else str(value).removesuffix(".000000")
