"""Rows as JSON for programs, and as CSV for spreadsheets.

The texts come from a server. None of them may control a terminal or be executed by a spreadsheet.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence

from sync.show.values import exact_value

# Where a spreadsheet would begin a formula: at the start of a cell, and after a semicolon, since spreadsheets
# in much of Europe split cells there. The fullwidth forms of = + - @ begin a formula in East Asian locales.
_FORMULA = re.compile(r"(^|;)(?=[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def to_json(document: object) -> str:
    """One JSON document in ASCII, so that every character that could control a terminal is escaped."""
    return json.dumps(document, default=exact_value, indent=2)


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """CSV with a header.

    A text that a spreadsheet would execute as a formula gets an apostrophe before it; numbers do not. Line
    breaks and other characters that are not printable become blanks: only JSON has the exact texts.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(row[column]) for column in columns] for row in rows)
    return out.getvalue()


def _csv_cell(value: object) -> object:
    value = exact_value(value)
    if not isinstance(value, str) or _is_number(value):
        return value
    text = "".join(char if char.isprintable() else " " for char in value)
    return _FORMULA.sub(r"\1'", text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").replace(".", "", 1).isdecimal()
