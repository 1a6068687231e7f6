"""Tables fit the terminal, and are complete in a pipe."""

from __future__ import annotations

import io
import re
from decimal import Decimal

import pytest

from sync.show.fold import text_width
from sync.show.formats import to_csv
from sync.show.table import print_table
from sync.show.values import format_value
from tests.support.terminals import Terminal

COLUMNS = {"model": "MODEL", "field": "FIELD", "note": "NOTE"}
ROWS = [{"model": "acme/sketch", "field": "params.aspect_ratio.options", "note": "seen twice today"}]


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


def test_a_narrow_terminal_loses_the_expendable_columns_and_says_so() -> None:
    lines = table_lines(36)

    assert "NOTE" not in lines[0]
    assert " ".join(lines[-3:]) == "left out at this width: NOTE; a wider terminal or a pipe gets every column"


def test_a_terminal_that_is_too_narrow_for_the_columns_gets_records_with_all_of_them() -> None:
    assert table_lines(20, foldable=()) == [
        "MODEL  acme/sketch",
        "FIELD  params.aspect",
        "       _ratio.option",
        "       s",
        "NOTE   seen twice",
        "       today",
    ]


def test_records_have_an_empty_line_between_them_and_no_lines_of_empty_cells() -> None:
    rows: list[dict[str, object]] = [{"model": "acme/sketch-of-a-long-name", "cost": "1"}, {"model": "b", "cost": None}]
    out = Terminal()
    print_table({"model": "MODEL", "cost": "COST"}, rows, out, terminal_width=lambda: 30)

    assert out.getvalue().splitlines() == ["MODEL  acme/sketch-of-a-long-n", "       ame", "COST   1", "", "MODEL  b"]


@pytest.mark.parametrize("width", [5, 10, 20, 40, 60, 80, 120, 400])
def test_i2_no_number_is_cut_or_divided_at_any_width(width: int) -> None:
    numbers = ("23456.5", "12.75", "0.049999999999999996", "-50.00", "1.5E+400", "123456789012345678901234567890")
    row: dict[str, object] = {"model_id": "acme/" + "very-long-id-" * 7, "cost": numbers[0], "old": numbers[1]}
    texts = {"new": numbers[2], "pct": numbers[3], "json": f'{{"a":[{numbers[4]},{numbers[5]}]}}'}
    out = Terminal()
    print_table(
        {name: name.upper() for name in {**row, **texts}},
        [{**row, **texts}],
        out,
        foldable=("model_id", "old", "new", "json"),
        costs=("cost", "old", "new"),
        terminal_width=lambda: width,
    )

    printed = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert all(number in printed for number in numbers)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_i2_a_table_is_never_wider_than_the_terminal(width: int) -> None:
    rows: list[dict[str, object]] = [
        {"model_id": "acme/" + "very-long-id-" * 7, "name": "\u6f22\u5b57" * 30, "cost": "23456.5"}
    ]
    out = Terminal()
    headings = {"model_id": "MODEL", "name": "NAME", "cost": "COST"}
    print_table(headings, rows, out, foldable=("model_id", "name"), terminal_width=lambda: width)

    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in out.getvalue().splitlines()]
    assert max(map(text_width, lines)) <= width
    assert "".join(line[: lines[0].index("NAME")].strip() for line in lines[1:]) == rows[0]["model_id"]


def test_a_foldable_column_takes_several_lines_and_loses_nothing() -> None:
    out = Terminal()
    rows: list[dict[str, object]] = [{key: ROWS[0][key] for key in ("model", "field")}]
    print_table({"model": "MODEL", "field": "FIELD"}, rows, out, foldable=["field"], terminal_width=lambda: 30)
    folded = "".join(line[13:].strip() for line in out.getvalue().splitlines()[1:])

    assert folded == "params.aspect_ratio.options"


MIXED: list[dict[str, object]] = [
    {"name": "\u6f22\u5b57 Sketch", "cost": "3", "old": "1.5"},
    {"name": "e\u0301te\u0301", "cost": "not listed", "old": '["1K"]'},
    {"name": "ab", "cost": "23456.5", "old": None},
]


def test_i4_a_pipe_is_aligned_by_the_width_of_letters_and_numbers_go_to_the_right() -> None:
    out = io.StringIO()
    print_table(
        {"name": "NAME", "cost": "COST", "old": "OLD"}, MIXED, out, foldable=["name", "old"], costs=["cost", "old"]
    )

    assert out.getvalue().splitlines() == [
        "NAME               COST  OLD",
        "\u6f22\u5b57 Sketch           3     1.5",
        'e\u0301te\u0301          not listed  ["1K"]',
        "ab              23456.5",
    ]


def test_i4_a_terminal_is_aligned_like_a_pipe() -> None:
    out, pipe = Terminal(), io.StringIO()
    for stream in (out, pipe):
        headings = {"name": "NAME", "cost": "COST", "old": "OLD"}
        print_table(headings, MIXED, stream, foldable=["name", "old"], costs=["cost", "old"], terminal_width=lambda: 80)

    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert [line.rstrip() for line in plain.splitlines()] == pipe.getvalue().splitlines()


@pytest.mark.parametrize(("no_color", "escapes"), [("", 4), ("1", 0)])
def test_colours_are_only_for_a_terminal_that_wants_them(
    monkeypatch: pytest.MonkeyPatch, no_color: str, escapes: int
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    out = Terminal()
    print_table({"cost": "COST"}, [{"cost": "3"}], out, style=lambda _column, _row: "red", terminal_width=lambda: 80)

    assert out.getvalue().count("\x1b[") == escapes


def test_a_long_text_is_not_cut_inside_a_number_and_a_number_not_at_all() -> None:
    assert format_value("9" * 300) == "9" * 300
    assert format_value("[" + "1234567," * 40) == "[" + "1234567," * 31 + "..."
    assert format_value("x" * 255) == "x" * 255


def test_letters_that_a_stream_cannot_print_are_measured_as_their_escapes() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", errors="backslashreplace")
    print_table({"name": "NAME", "cost": "COST"}, [{"name": "\u6f22", "cost": 1}, {"name": "ab", "cost": 2}], out)
    out.flush()

    assert raw.getvalue().decode().splitlines() == ["NAME    COST", "\\u6f22     1", "ab         2"]
