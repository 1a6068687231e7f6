"""Rows as a table for people, as CSV for spreadsheets, and as JSON for programs.

Texts come from a server: nothing of them may steer a terminal or be run by a spreadsheet.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TextIO

from sync.catalog.text import one_line

_CELL_LIMIT = 200
_GAP = "  "
_FOLDED_TO = 8  # characters that a folded column keeps at least
# Where a spreadsheet would begin a formula: at the start of a cell, and where one that splits cells at
# semicolons, as in much of Europe, would see a start. The wide letters are taken for signs in East Asia.
_FORMULA = re.compile(r"(^|;)(?=[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def display(value: object) -> str:
    """A value for people: times in UTC to the minute, nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return plain(value)
    return one_line(str(value), _CELL_LIMIT)


def plain(value: Decimal) -> str:
    """A decimal without exponent and without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact(value: object) -> object:
    """A value for programs: times as ISO 8601 in UTC, decimals as plain text so that none is rounded."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return plain(value) if isinstance(value, Decimal) else value


def to_json(document: object) -> str:
    """One JSON document; every character that could steer a terminal is escaped."""
    return json.dumps(document, default=exact, indent=2)


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """CSV with a header. A text that a spreadsheet would run as a formula gets a ' before it; numbers do not.

    Line breaks and whatever else is not printable are blanks: JSON has the texts as they are.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(row[column]) for column in columns] for row in rows)
    return out.getvalue()


def print_table(
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, object]],
    out: TextIO,
    *,
    foldable: Sequence[str] = (),
    expendable: Sequence[str] = (),
    terminal_width: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
) -> None:
    """A table with these headings by column: fitted to a terminal, plain and whole in a pipe.

    On a terminal too narrow for all of it ``foldable`` columns take several lines, and where that
    is not enough the ``expendable`` ones are left out, the first of them first. Nothing is cut.
    """
    lines = {name: [heading, *(display(row[name]) for row in rows)] for name, heading in columns.items()}
    if not out.isatty():
        _print_plain(lines, out)
        return
    for name in expendable:
        if _least_width(lines, foldable) > terminal_width():
            lines.pop(name, None)
    _print_rich(lines, foldable, out)


def _least_width(lines: Mapping[str, Sequence[str]], foldable: Sequence[str]) -> int:
    widths = {name: max(map(len, cells)) for name, cells in lines.items()}
    least = (min(width, _FOLDED_TO) if name in foldable else width for name, width in widths.items())
    return sum(least) + len(_GAP) * (len(lines) - 1)


def _print_plain(lines: Mapping[str, Sequence[str]], out: TextIO) -> None:
    widths = [max(map(len, cells)) for cells in lines.values()]
    for line in zip(*lines.values(), strict=True):
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        out.write(_GAP.join(padded).rstrip() + "\n")


def _print_rich(lines: Mapping[str, Sequence[str]], foldable: Sequence[str], out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0))
    for name, cells in lines.items():
        table.add_column(Text(cells[0]), overflow="fold", no_wrap=name not in foldable)
    for line in list(zip(*lines.values(), strict=True))[1:]:
        table.add_row(*(Text(text) for text in line))  # as Text, so that no markup in it is obeyed
    Console(file=out, highlight=False).print(table)


def _csv_cell(value: object) -> object:
    value = exact(value)
    if not isinstance(value, str) or _is_number(value):
        return value
    text = "".join(char if char.isprintable() else " " for char in value)  # a terminal may be what shows it
    return _FORMULA.sub(r"\1'", text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").replace(".", "", 1).isdecimal()
