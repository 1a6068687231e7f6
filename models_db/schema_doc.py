"""Prints ``docs/schema.md`` from the comments of tables and views: ``python -m models_db.schema_doc``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from sqlalchemy import Column, Date, Integer, String, Table

from models_db.tables.column_types import Decimals, LongText, UtcDateTime
from models_db.tables.metadata import metadata
from models_db.views.loader import VIEWS, View

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (UtcDateTime, "time"),
    (Decimals, "decimal"),
    (Integer, "whole number"),
    (Date, "day"),
    ((String, LongText), "text"),
)

_OPENING = """\
# The schema

Made from the comments in `models_db` by `python -m models_db.schema_doc`; a test keeps it so.

Times are UTC with microseconds: `timestamptz` on PostgreSQL, `DATETIME(6)` on MariaDB, text of fixed
width on SQLite. Ids and other keys compare byte by byte. Intervals are half-open:
`valid_from <= t < valid_to`, and NULL means still so. JSON is kept as text.

Read the views: their names and columns stay. The tables may change with a new version.
"""


def schema() -> str:
    """The whole document, the same for the same schema."""
    lines = [_OPENING, "## Views", ""]
    lines += [line for view in VIEWS for line in _view(view)]
    lines += ["## Tables", ""]
    lines += [line for table in metadata.tables.values() for line in _table(table)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _view(view: View) -> Iterator[str]:
    rows = ((f"`{column.name}`", column.comment) for column in view.columns)
    yield from _section(view.name, view.comment, ("column", "is"), rows)


def _table(table: Table) -> Iterator[str]:
    rows = ((f"`{column.name}`", _type(column), column.comment or "") for column in table.columns)
    yield from _section(table.name, table.comment or "", ("column", "holds", "is"), rows)


def _section(name: str, comment: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"### `{name}`", "", _sentence(comment), "")
    yield from (_row(head), _row("---" for _ in head))
    yield from map(_row, rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"


def _sentence(comment: str) -> str:
    return f"{comment[:1].upper()}{comment[1:].rstrip('.')}."


def _type(column: Column[object]) -> str:
    words = [next(word for kind, word in _KINDS if isinstance(column.type, kind))]
    words += ["key"] if column.primary_key else []
    words += [f"of `{key.column.table.name}`" for key in sorted(column.foreign_keys, key=str)]
    return ", ".join(words) + (" or NULL" if column.nullable else "")


if __name__ == "__main__":
    sys.stdout.write(schema())
