"""Every fault in docs/reliability.md has a test that is named after it, and every such test has a row there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.docs_pages import ROOT, page, section, table_rows

ROWS = {"A": 20, "B": 18, "C": 8, "D": 26, "E": 13, "F": 8}
G_ROWS = [f"G{number}" for number in range(1, 21)]
H_ROWS = [f"H{number}" for number in range(1, 16) if number != 6]  # H6 is documented: no program can prevent it
I_ROWS = [f"I{number}" for number in range(1, 11)]
PAGE = page("docs/reliability.md")


def listed() -> list[str]:
    """The names of the faults in the tables of the page, in order."""
    parts = re.findall(r"^### ([A-I]\. .*)$", PAGE, re.MULTILINE)
    return [row[0] for part in parts for row in table_rows(section(PAGE, f"### {part}"))]


def named() -> Iterator[str]:
    """The names of the faults after which tests are named."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and (found := re.match(r"test_([a-i]\d+)_", node.name)):
                yield found[1].upper()


def test_the_page_lists_every_fault_once() -> None:
    complete = [f"{letter}{number}" for letter, last in ROWS.items() for number in range(1, last + 1)]

    assert listed() == [*complete, *G_ROWS, *H_ROWS, *I_ROWS]


def test_every_fault_has_a_test_named_after_it() -> None:
    assert sorted(set(listed()) - set(named())) == []


def test_every_test_of_a_fault_has_its_row() -> None:
    assert sorted(set(named()) - set(listed())) == []


def test_every_row_has_a_fault_and_its_result() -> None:
    parts = re.findall(r"^### ([A-I]\. .*)$", PAGE, re.MULTILINE)
    rows = [row for part in parts for row in table_rows(section(PAGE, f"### {part}"))]

    assert [row for row in rows if len(row) != 3 or not all(row)] == []
