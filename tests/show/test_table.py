"""Tables fit the terminal, and are complete in a pipe."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest

from sync.show.formats import to_csv
from sync.show.table import print_table

COLUMNS = {"model": "MODEL", "field": "FIELD", "note": "NOTE"}
ROWS = [{"model": "acme/sketch", "field": "params.aspect_ratio.options", "note": "seen twice today"}]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def table_lines(width: int, foldable: tuple[str, ...] = ("field",)) -> list[str]:
    out = Terminal()
    print_table(COLUMNS, ROWS, out, foldable=foldable, expendable=["note"], terminal_width=lambda: width)
    return out.getvalue().splitlines()


CELLS = {
    "=1+1": "'=1+1",
    "+1 of 2": "'+1 of 2",
    "-1+2": "'-1+2",
    "@SUM(1)": "'@SUM(1)",
    "\t=1": "' =1",
    "\r=1": "' =1",
    "\n@x": "' @x",
    "\uff1d1": "'\uff1d1",
    '"=1': '"\'""=1"',
    "a;=1": "a;'=1",
    "a; -b": "a;' -b",
    "a, -b": '"a, -b"',
    "3-2=1": "3-2=1",
    "-0.5": "-0.5",
    "-3": "-3",
    "-\u0663": "'-\u0663",
    "-\uff13": "'-\uff13",
}


@pytest.mark.parametrize("text", CELLS)
def test_a_text_that_a_spreadsheet_would_run_is_escaped(text: str) -> None:
    assert to_csv(["x"], [{"x": text}]) == f"x\n{CELLS[text]}\n"


@pytest.mark.parametrize("number", [Decimal("-0.5"), Decimal("-50.000000"), -3, 0])
def test_a_number_stays_a_number(number: object) -> None:
    cell = to_csv(["x"], [{"x": number}]).splitlines()[1]

    assert float(cell) == float(str(number))


def test_a_pipe_gets_every_column_whole() -> None:
    out = io.StringIO()
    print_table(COLUMNS, ROWS, out, foldable=["field"], expendable=["note"], terminal_width=lambda: 10)

    assert out.getvalue().splitlines() == [
        "MODEL        FIELD                        NOTE",
        "acme/sketch  params.aspect_ratio.options  seen twice today",
    ]


def test_a_wide_terminal_gets_every_column() -> None:
    assert "seen twice today" in table_lines(80)[1]


def test_a_narrow_terminal_loses_the_expendable_columns() -> None:
    assert not any("NOTE" in line for line in table_lines(36))


def test_a_text_is_not_cut_in_a_terminal_that_is_too_narrow_for_it() -> None:
    lines = table_lines(20, foldable=())[1:]

    assert "".join(line[:10].strip() for line in lines) == "acme/sketch"
    assert "".join(line[10:].strip() for line in lines) == "params.aspect_ratio.options"
    assert max(map(len, lines)) <= 20


def test_a_number_is_neither_cut_nor_folded_in_a_terminal_that_is_too_narrow_for_it() -> None:
    out = Terminal()
    rows = [{"model": "acme/sketch-of-a-very-long-name", "cost": "23456.789012345678"}]
    print_table({"model": "MODEL", "cost": "COST"}, rows, out, terminal_width=lambda: 20)

    assert out.getvalue().splitlines()[1].split() == ["acme/ske", "23456.789012345678"]


def test_a_foldable_column_takes_several_lines_and_loses_nothing() -> None:
    folded = "".join(line[13:].strip() for line in table_lines(30)[1:])

    assert folded == "params.aspect_ratio.options"
