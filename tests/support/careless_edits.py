"""Single edits of a database by hand: a cell that is changed, a row that is deleted, or one that is copied.

Each is what a person may do who does not know, or does not care, what else follows from the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, Date, Delete, Insert, Integer, Numeric, Table, Update, delete, select, update

from models_db.tables.column_types import Decimals, UtcDateTime
from models_db.tables.metadata import metadata

# Not part of the record: the texts of views, which migrate installs, and what was delivered.
_LEFT_OUT = {"installed_views", "notify_cursors"}
_WORDS = {
    "status": ("success", "partial", "failed"),
    "mode": ("image", "video"),
    "requirement": ("required", "optional"),
    "trigger_kind": ("cli", "schedule", "import"),
    "change_kind": ("increase", "changed", "added"),
    "hold_reason": ("removals", "costs", "other_catalog"),
}
TABLES = sorted(set(metadata.tables) - _LEFT_OUT)


@dataclass(frozen=True, slots=True)
class CarelessEdit:
    """An edit of one row. ``column`` is None for a row that is deleted or copied."""

    statement: Update | Delete | Insert
    kind: str
    table: str
    column: str | None
    row: tuple[Any, ...]
    value: object = None

    @property
    def place(self) -> str:
        """The column with its table, or what happens to a row of the table."""
        return f"{self.table}.{self.column}" if self.column else f"{self.kind} {self.table}"

    def __str__(self) -> str:
        return f"{self.place} of {self.row} to {self.value!r}" if self.column else f"{self.place} {self.row}"


def careless_edits(connection: Connection, table_name: str, rows_of_each: int | None) -> Iterator[CarelessEdit]:
    """Edits of a table: of every row, or for each column of as many as given, evenly spread."""
    table = metadata.tables[table_name]
    rows = [row._mapping for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
    for column in (column for column in table.columns if column.computed is None):
        for row in _spread(rows, rows_of_each):
            for value in (other for other in _other_values(column, row[column.name]) if other != row[column.name]):
                yield CarelessEdit(
                    update(table).where(*_key(table, row)).values({column.name: value}),
                    *("update", table.name, column.name, tuple(row[key.name] for key in table.primary_key), value),
                )
    for row in _spread(rows, rows_of_each):
        key = tuple(row[key.name] for key in table.primary_key)
        yield CarelessEdit(delete(table).where(*_key(table, row)), "delete", table.name, None, key)
        copy = _copy(table, row, rows)
        if copy is not None:
            yield CarelessEdit(table.insert().values(copy), "copy", table.name, None, key)


def _spread(rows: Sequence[Any], number: int | None) -> Iterable[Any]:
    if number is None or len(rows) <= number:
        return rows
    return [rows[(place + 1) * len(rows) // (number + 1)] for place in range(number)]


def _key(table: Table, row: Any) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key]


def _other_values(column: Column[Any], value: Any) -> Iterator[object]:
    if value is not None and column.nullable:
        yield None
    if column.name in _WORDS:
        yield from (word for word in _WORDS[column.name] if word != value)
    elif isinstance(column.type, UtcDateTime):
        start = value or datetime.fromisoformat("2026-03-01T11:30:00+00:00")
        if start.year < 9000:
            yield start + timedelta(minutes=37)
        yield start - timedelta(days=1)
    elif isinstance(column.type, Date):
        yield (value or date(2026, 3, 1)) + timedelta(days=1)
    elif isinstance(column.type, Integer):
        yield (value or 0) + 1
        if value:
            yield value - 1
    elif isinstance(column.type, Decimals | Numeric):
        yield (value or Decimal(0)) + 1
    else:
        yield from _other_texts(column, value)


def _other_texts(column: Column[Any], value: str | None) -> Iterator[str]:
    if column.name == "raw" and value is not None:
        yield value.replace('"name"', '"title"', 1)
        yield value.replace('"credits"', '"prices"', 1)
        yield value.replace("}", ', "extra": 1}', 1)
    elif column.name.endswith("sha256") and value:
        yield ("0" if value[0] != "0" else "1") + value[1:]
    elif column.name.endswith("_exact"):
        yield f"{(value or '0').lstrip('-')}1"
    else:
        yield f"{value or ''}x"


def _copy(table: Table, row: Any, rows: Sequence[Any]) -> dict[str, Any] | None:
    """The row with another key; None where the key allows no other row."""
    values = {column.name: row[column.name] for column in table.columns if column.computed is None}
    for column in reversed(list(table.primary_key)):
        value = values[column.name]
        if isinstance(column.type, UtcDateTime):
            values[column.name] = value + timedelta(minutes=1)
        elif isinstance(column.type, Date):
            values[column.name] = max(one[column.name] for one in rows) + timedelta(days=1)
        elif isinstance(column.type, Integer):
            values[column.name] = max(one[column.name] for one in rows) + 1
        elif column.name in _WORDS:
            continue
        else:
            values[column.name] = f"{value[:-1]}{'1' if value[-1] != '1' else '2'}"
        for unique in ("model_id", "source_run_id"):
            if unique in values and table.name in ("models", "sync_runs") and values[unique] is not None:
                values[unique] = f"{values[unique]}-2" if unique == "model_id" else values[unique] + 1000
        return values
    return None
