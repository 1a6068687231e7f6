"""Rows as a table for people."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from sync.show.values import format_value

_GAP = "  "
_MIN_FOLDED_WIDTH = 8
_NUMBER = re.compile(r"([+-]?[\d.]+)?")  # of a cell; an empty one may stand among numbers


def print_table(
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, object]],
    out: TextIO,
    *,
    foldable: Sequence[str] = (),
    expendable: Sequence[str] = (),
    terminal_width: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
) -> None:
    """A table with these headings by column: fitted to the width of a terminal, complete in a pipe.

    In a terminal that is too narrow, ``foldable`` columns take several lines. Where that is not enough, the
    ``expendable`` columns are left out in this order, then every column but those of numbers takes several
    lines. No text is cut: a table that is still too wide has lines that the terminal wraps.
    """
    cells = {name: [heading, *(format_value(row[name]) for row in rows)] for name, heading in columns.items()}
    if not out.isatty():
        _print_plain(cells, out)
        return
    width = terminal_width()
    for name in expendable:
        if _min_width(cells, foldable) > width:
            cells.pop(name, None)
    if _min_width(cells, foldable) > width:
        foldable = [name for name, column in cells.items() if not all(map(_is_number, column[1:]))]
    # rich would cut the columns of a table that is wider than its console.
    _print_rich(cells, foldable, max(width, _min_width(cells, foldable)), out)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _min_width(cells: Mapping[str, Sequence[str]], foldable: Sequence[str]) -> int:
    widths = {name: max(map(len, column)) for name, column in cells.items()}
    min_widths = (min(width, _MIN_FOLDED_WIDTH) if name in foldable else width for name, width in widths.items())
    return sum(min_widths) + len(_GAP) * (len(cells) - 1)


def _print_plain(cells: Mapping[str, Sequence[str]], out: TextIO) -> None:
    widths = [max(map(len, column)) for column in cells.values()]
    for line in zip(*cells.values(), strict=True):
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        out.write(_GAP.join(padded).rstrip() + "\n")


def _print_rich(cells: Mapping[str, Sequence[str]], foldable: Sequence[str], width: int, out: TextIO) -> None:
    # Imported late: rich takes longer to import than everything else that a command needs for a table.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0))
    for name, column in cells.items():
        table.add_column(Text(column[0]), overflow="fold", no_wrap=name not in foldable)
    for line in list(zip(*cells.values(), strict=True))[1:]:
        # As Text, since rich would interpret a plain str as its markup.
        table.add_row(*(Text(text) for text in line))
    Console(file=out, width=width, highlight=False).print(table)
