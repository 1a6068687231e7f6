"""Findings about stored rows, and the comparison of stored rows with the rows that follow from a source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from sync.catalog.text import one_line

_VALUE_LIMIT = 66  # characters, those of a SHA-256 in quotes: a finding names many values and stays one line

StoredRow: TypeAlias = Mapping[str, object]
"""A row by column: str, int, Decimal (float where the database has no decimals), date, datetime in UTC,
None, or ``Unreadable``."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stored value that is not of its column's type. SQLite takes any value in any column."""

    value: object


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks a rule; a field that does not apply to the row's table is None."""

    table: str
    mode: str | None
    model_id: str | None
    at: datetime | None
    """The row's ``valid_from`` or ``changed_at``, in UTC."""
    problem: str
    """One line for people."""


@dataclass(frozen=True, slots=True)
class RowScope:
    """The table, mode and model that the rows under check have in common."""

    table: str
    mode: str | None = None
    model_id: str | None = None

    def finding(self, problem: str, at: object = None) -> Finding:
        return Finding(self.table, self.mode, self.model_id, at if isinstance(at, datetime) else None, problem)


def time_of(row: StoredRow) -> object:
    """The row's ``valid_from`` or ``changed_at``; None for a row outside the history tables."""
    return row.get("valid_from") or row.get("changed_at")


def unreadable_findings(scope: RowScope, rows: Iterable[StoredRow]) -> Iterator[Finding]:
    """A finding for each row with a value that is not of its column's type."""
    for row in rows:
        unreadable = {column: stored.value for column, stored in row.items() if isinstance(stored, Unreadable)}
        problems = (
            f"{column} holds {format_value(value)}, which is not a value of its type"
            for column, value in unreadable.items()
        )
        if unreadable:
            yield scope.finding("; ".join(problems), time_of(row))


def row_findings(
    scope: RowScope, key: Sequence[str], expected: Iterable[StoredRow], stored: Iterable[StoredRow], source: str
) -> Iterator[Finding]:
    """A finding for each row that is missing, unexpected or different.

    Rows are matched by ``key``. Columns that the expected rows lack are not compared. ``source``
    names what the expected rows follow from.
    """
    # Lists: damaged tables may hold a key twice, and then each stored row counts.
    unmatched: dict[tuple[object, ...], list[StoredRow]] = defaultdict(list)
    for row in stored:
        unmatched[tuple(row[column] for column in key)].append(row)
    for row in expected:
        candidates = unmatched.get(tuple(row[column] for column in key))
        if not candidates:
            yield scope.finding(f"{_key_prefix(key, row)}a row is missing; {source} gives one", time_of(row))
            continue
        differences = _differences(row, candidates.pop(0), source)
        if differences:
            yield scope.finding(f"{_key_prefix(key, row)}{differences}", time_of(row))
    for rows in unmatched.values():
        for row in rows:
            yield scope.finding(f"{_key_prefix(key, row)}a row is unexpected; {source} gives none", time_of(row))


def equals_stored(expected: object, stored: object) -> bool:
    """Whether a column holds the expected value. SQLite has no decimals and keeps the nearest double."""
    if isinstance(expected, Decimal) and isinstance(stored, float):
        return float(expected) == stored
    return expected == stored


def format_value(value: object) -> str:
    """A value as a finding shows it: at most 66 characters, in one line."""
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, str):
        return one_line(repr(value), _VALUE_LIMIT)
    if isinstance(value, Decimal):  # a NUMERIC column returns 5 as 5.000000000000
        value = f"{value.normalize():f}" if value.is_finite() else value
    return "NULL" if value is None else one_line(str(value), _VALUE_LIMIT)


def format_time(value: datetime) -> str:
    """ISO 8601 in UTC, with ``Z``."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _differences(expected: StoredRow, stored: StoredRow, source: str) -> str:
    return "; ".join(
        f"{column} is {format_value(stored[column])}, but {source} gives {format_value(value)}"
        for column, value in expected.items()
        if not equals_stored(value, stored[column])
    )


def _key_prefix(key: Sequence[str], row: StoredRow) -> str:
    """The row's key for a message, without NULLs and without the time, which the finding has as ``at``."""
    parts = [
        f"{column} {format_value(row[column])}"
        for column in key
        if row[column] is not None and row[column] is not time_of(row)
    ]
    return f"{', '.join(parts)}: " if parts else ""
