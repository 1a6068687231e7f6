"""Reads the pages of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks of a language, which the opening fence names."""
    pieces = re.split(r"^```(.*)\n", text, flags=re.MULTILINE)
    opened = zip(pieces[1::4], pieces[2::4], strict=True)
    return [block for name, block in opened if name == language]


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.MULTILINE)


def section(text: str, heading: str) -> str:
    """The text under a heading, such as ``## Settings``, up to the next one of the same or a higher level."""
    level = heading.partition(" ")[0]
    body = f"\n{text}".partition(f"\n{heading}\n")[2]
    return re.split(rf"^#{{1,{len(level)}}} ", body, flags=re.MULTILINE)[0]


def table_rows(text: str) -> Iterator[list[str]]:
    """The rows of the first table, without the header and without backticks."""
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = table[0].splitlines()[2:] if table else []
    return ([cell.strip().strip("`") for cell in row.strip("| ").split("|")] for row in rows)
