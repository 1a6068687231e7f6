"""Rows as a table for people."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from sync.show.fold import fold, pad, text_width
from sync.show.layout import GAP, Column, Layout, fit
from sync.show.values import format_value, is_number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_MIN_FOLDED_WIDTH = 8
# An id over many short lines cannot be read; the longest word of a kind of change has ten letters.
_MIN_WIDTHS = {"model_id": 20, "kind_shown": 10, "change_kind": 10}
_MIN_RECORD_WIDTH = 12
_ANY_HEIGHT = 25
_ROWS_PER_PART = 200

Style = Callable[[str, Mapping[str, object]], str]
"""The colour of a cell, from its column and its row, such as ``red``; empty for none."""


def terminal_width() -> int:
    """The number of columns of the terminal, or of ``COLUMNS``."""
    return shutil.get_terminal_size().columns


def print_table(
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, object]],
    out: TextIO,
    *,
    foldable: Sequence[str] = (),
    expendable: Sequence[str] = (),
    costs: Sequence[str] = (),
    style: Style = lambda _column, _row: "",
    terminal_width: Callable[[], int] = terminal_width,
) -> None:
    """A table with these headings by column: fitted to the width of a terminal, complete in a pipe.

    In a terminal that is too narrow, ``foldable`` columns take several lines. Where that is not enough, the
    ``expendable`` columns are left out in this order, which a line below the table says. Where that is not
    enough either, each row becomes a record of lines with all columns. No number is ever divided or cut.
    Numbers go to the right; ``costs`` are columns in which words may stand in place of a number.
    """
    cells = [_column(name, heading, rows, foldable, costs, out.encoding) for name, heading in columns.items()]
    if not out.isatty():
        _print_plain(cells, out)
        return
    width = terminal_width()
    console = _console(out, width)
    layout = fit(cells, expendable, width)
    if layout is None:
        _print_records(cells, rows, style, width, console)
        return
    _print_rich([column for column in cells if column.name in layout.widths], rows, style, layout, console)
    if layout.left_out:
        names = ", ".join(columns[name] for name in columns if name in layout.left_out)
        note = f"left out at this width: {names}; a wider terminal or a pipe gets every column"
        out.write("\n".join(fold(note, width)) + "\n")


def print_coloured(lines: Iterable[tuple[str, str]], out: TextIO) -> None:
    """Pairs of a line and its colour for a terminal, folded to its width; without colours if ``NO_COLOR`` is set."""
    width = terminal_width()
    console = _console(out, width)
    for line, colour in lines:
        for part in fold(line, width):
            _print_line("", part, colour, console)


def _column(
    name: str,
    heading: str,
    rows: Sequence[Mapping[str, object]],
    foldable: Sequence[str],
    costs: Sequence[str],
    encoding: str | None,
) -> Column:
    min_width = _MIN_WIDTHS.get(name, _MIN_FOLDED_WIDTH)
    texts = [heading, *(_encodable(format_value(row[name]), encoding) for row in rows)]
    return Column(name, texts, min_width if name in foldable else None, is_cost=name in costs)


def _encodable(text: str, encoding: str | None) -> str:
    """The text with escapes for what the stream cannot print: as the stream would do it, but before it is measured."""
    if text.isascii() or not encoding:
        return text
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _goes_right(column: Column, texts: Iterable[str]) -> list[bool]:
    """For the texts of a column whether each goes to the right; the heading goes with the column."""
    if column.is_right:
        return [True for _ in texts]
    return [column.is_cost and is_number(text) for text in texts]


def _print_plain(columns: Sequence[Column], out: TextIO) -> None:
    padded = []
    for column in columns:
        width = column.width
        sides = _goes_right(column, column.cells)
        padded.append([pad(text, width, right=right) for text, right in zip(column.cells, sides, strict=True)])
    out.writelines(GAP.join(line).rstrip() + "\n" for line in zip(*padded, strict=True))


def _console(out: TextIO, width: int) -> Console:
    # Imported late: rich takes longer to import than everything else that a command needs for a table.
    from rich.console import Console

    # It prints colours unless NO_COLOR is set or the terminal has none.
    # Without a height it would ignore the width where TERM is dumb or unknown, and cut at 80.
    return Console(file=out, width=width, height=_ANY_HEIGHT, highlight=False)


def _print_rich(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, object]],
    style: Style,
    layout: Layout,
    console: Console,
) -> None:
    from rich.table import Table

    cells = [list(_rich_cells(column, rows, style, layout.widths[column.name])) for column in columns]
    lines = list(zip(*cells, strict=True))
    # In parts, so that the first rows appear at once.
    for start in range(1, max(len(lines), 2), _ROWS_PER_PART):
        table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), show_header=start == 1)
        table.header_style = "" if console.no_color else "bold"
        for column, heading in zip(columns, lines[0], strict=True):
            table.add_column(heading, width=layout.widths[column.name])
        for line in lines[start : start + _ROWS_PER_PART]:
            table.add_row(*line)
        console.print(table)


def _rich_cells(column: Column, rows: Sequence[Mapping[str, object]], style: Style, width: int) -> Iterator[Text]:
    # As Text, since rich would interpret a plain str as its markup.
    from rich.text import Text

    styles = ["", *(style(column.name, row) for row in rows)]
    sides = _goes_right(column, column.cells)
    for text, right, colour in zip(column.cells, sides, styles, strict=True):
        yield Text("\n".join(fold(text, width)), style=colour, justify="right" if right else "left")


def _print_records(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, object]],
    style: Style,
    width: int,
    console: Console,
) -> None:
    """Each row as lines of a heading and a text, with an empty line between rows; nothing is left out."""
    indent = max(text_width(column.cells[0]) for column in columns) + len(GAP)
    if width - indent < _MIN_RECORD_WIDTH:
        indent = len(GAP)  # the text goes below its heading
    for number, row in enumerate(rows, start=1):
        if number > 1:
            console.print()
        for column in columns:
            if column.cells[number]:
                lines = _record_lines(column.cells[0], column.cells[number], indent, width)
                for heading, line in lines:
                    _print_line(heading, line, style(column.name, row), console)


def _record_lines(heading: str, text: str, indent: int, width: int) -> Iterator[tuple[str, str]]:
    """Pairs of what stands left of the text, and a line of it."""
    if text_width(heading) + len(GAP) > indent:
        yield heading, ""
        heading = ""
    for line in fold(text, width - indent):
        yield pad(heading, indent), line
        heading = ""


def _print_line(start: str, text: str, style: str, console: Console) -> None:
    from rich.text import Text

    # A number may be wider than the terminal: the terminal breaks its line then, and no digit is lost.
    console.print(Text(start).append(text, style=style), no_wrap=True, overflow="ignore", crop=False)
