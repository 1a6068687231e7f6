"""Writes what pages say about the tables: ``docs/schema.md``, the entity diagram of ``docs/architecture.md``, grants.

``python -m models_db.schema_doc`` in the project folder writes them all. The diagram is between two markers,
``<!-- entity diagram: begin -->`` and ``<!-- entity diagram: end -->``; ``job_grants`` has those of the grants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Column, Date, Integer, String, Table, UniqueConstraint

from models_db import job_grants
from models_db.tables.column_types import Decimals, LongText, UtcDateTime
from models_db.tables.metadata import metadata
from models_db.views.loader import VIEWS, View

SCHEMA_PAGE = "docs/schema.md"
DIAGRAM_PAGE = "docs/architecture.md"

_BEGIN, _END = "<!-- entity diagram: begin -->\n", "<!-- entity diagram: end -->\n"
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (UtcDateTime, "time"),
    (Decimals, "decimal"),
    (Integer, "integer"),
    (Date, "day"),
    ((String, LongText), "text"),
)
_INTRODUCTION = """\
# The schema

Generated from the comments of tables and views by `python -m models_db.schema_doc`; a test fails if this page
is not up to date.

Times are UTC with microseconds: `timestamptz` on PostgreSQL, `DATETIME(6)` on MariaDB, text of fixed width on
SQLite. Ids and other keys are compared byte by byte. Intervals are half-open, `valid_from <= t < valid_to`, and
NULL in `valid_to` means that the interval is open. JSON is stored as text.

Use the views: their names and columns stay the same. The tables may change with a new version. The SQL of each
view is in the file of its name in `models_db/views`; it can be copied and run on every database.
"""


def schema() -> str:
    """Return the text of ``docs/schema.md``."""
    lines = [_INTRODUCTION, "## Views", ""]
    lines += [line for view in VIEWS for line in _view(view)]
    lines += ["## Tables", ""]
    lines += [line for table in metadata.tables.values() for line in _table(table)]
    return "\n".join(lines).rstrip("\n") + "\n"


def entity_diagram() -> str:
    """Return a Mermaid diagram of the tables with their keys and references."""
    lines = ["erDiagram"]
    for table in metadata.tables.values():
        lines += [f"  {table.name} {{", *(f"    {line}" for line in _key_columns(table)), "  }"]
    lines += [f"  {line}" for table in metadata.tables.values() for line in _references(table)]
    return "\n".join(lines) + "\n"


def with_diagram(page: str) -> str:
    """Return the page with the current diagram between its markers. Raises ``ValueError`` if one is missing."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"the page has no place for the diagram; add {_BEGIN.strip()} and {_END.strip()}")
    return f"{before}{begin}\n```mermaid\n{entity_diagram()}```\n\n{end}{after}"


def _view(view: View) -> Iterator[str]:
    rows = ((f"`{column.name}`", column.comment) for column in view.columns)
    yield from _section(view.name, view.comment, ("column", "meaning"), rows)


def _table(table: Table) -> Iterator[str]:
    rows = ((f"`{column.name}`", _type(column), column.comment or "") for column in table.columns)
    yield from _section(table.name, table.comment or "", ("column", "type", "meaning"), rows)


def _section(name: str, comment: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"### `{name}`", "", _sentence(comment), "")
    yield from (_row(head), _row("---" for _ in head))
    yield from map(_row, rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"


def _sentence(comment: str) -> str:
    return f"{comment[:1].upper()}{comment[1:].removesuffix('.')}."


def _type(column: Column[object]) -> str:
    parts = [_kind(column)]
    parts += ["key"] if column.primary_key else []
    parts += [f"of `{key.column.table.name}`" for key in sorted(column.foreign_keys, key=str)]
    return ", ".join(parts) + (" or NULL" if column.nullable else "")


def _kind(column: Column[object]) -> str:
    return next(word for kind, word in _KINDS if isinstance(column.type, kind))


def _key_columns(table: Table) -> Iterator[str]:
    unique = {column for key in table.constraints if isinstance(key, UniqueConstraint) for column in key.columns}
    for column in table.columns:
        roles = {"PK": column.primary_key, "FK": bool(column.foreign_keys), "UK": column in unique or column.unique}
        keys = ", ".join(role for role, has_it in roles.items() if has_it)
        if keys:
            yield f"{_kind(column)} {column.name} {keys}"


def _references(table: Table) -> Iterator[str]:
    """Yield the references of a table: a row refers to one row or, if nullable, to none or one."""
    names = {key: ", ".join(key.column_keys) for key in table.foreign_key_constraints}
    for key in sorted(names, key=lambda key: names[key]):
        one = "|o" if any(column.nullable for column in key.columns) else "||"
        many = "o|" if [*key.columns] == [*table.primary_key.columns] else "o{"
        yield f'{key.referred_table.name} {one}--{many} {table.name} : "{names[key]}"'


def _write_pages() -> None:
    Path(SCHEMA_PAGE).write_text(schema(), encoding="utf-8")
    for name, with_text in ((DIAGRAM_PAGE, with_diagram), (job_grants.PAGE, job_grants.with_grants)):
        page = Path(name)
        page.write_text(with_text(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    _write_pages()
