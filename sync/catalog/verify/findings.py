"""What is wrong with stored rows, and the comparison of rows that finds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar

from sync.catalog.text import one_line

_SHOWN = 60
T = TypeVar("T")

Values: TypeAlias = Mapping[str, object]
"""A stored row by column: texts, whole numbers, decimals (doubles where the database has no others),
days, times in UTC, None, or ``Unreadable``."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands in a column and is no value of its type."""

    found: object


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks a rule; what does not apply to its table is None. The time is in UTC."""

    table: str
    mode: str | None
    model_id: str | None
    at: datetime | None
    """When the row begins or happened, by which it is found."""
    wrong: str
    """What is wrong with it, in one line."""


@dataclass(frozen=True, slots=True)
class RowScope:
    """Where rows stand that are looked at together."""

    table: str
    mode: str | None = None
    model_id: str | None = None

    def fault(self, wrong: str, at: object = None) -> Finding:
        return Finding(self.table, self.mode, self.model_id, at if isinstance(at, datetime) else None, wrong)


def time_of(row: Values) -> object:
    """The time by which a row of history is found; None for any other row."""
    return row.get("valid_from") or row.get("changed_at")


def unreadable_findings(place: RowScope, rows: Iterable[Values]) -> Iterator[Finding]:
    """A fault for each row with a value that is none of its column's type."""
    for row in rows:
        bad = {name: value.found for name, value in row.items() if isinstance(value, Unreadable)}
        if bad:
            told = "; ".join(
                f"{name} holds {format_value(value)}, which is no value of its type" for name, value in bad.items()
            )
            yield place.fault(told, time_of(row))


def row_findings(
    place: RowScope, key: Sequence[str], expected: Iterable[Values], stored: Iterable[Values], source: str
) -> Iterator[Finding]:
    """Where stored rows are not exactly those expected; only columns of the expected rows are compared.

    ``source`` says what the expected rows follow from.
    """
    left: dict[tuple[object, ...], list[Values]] = defaultdict(list)
    for row in stored:
        left[tuple(row[name] for name in key)].append(row)
    for row in expected:
        found = left.get(tuple(row[name] for name in key))
        if not found:
            yield place.fault(f"a row is missing:{_named(key, row)} {source} gives one", time_of(row))
            continue
        different = _differences(row, found.pop(0), source)
        if different:
            yield place.fault(f"{_named(key, row)} {different}".strip(), time_of(row))
    for rows in left.values():
        for row in rows:
            yield place.fault(f"a row too many:{_named(key, row)} {source} gives none", time_of(row))


def same(expected: object, stored: object) -> bool:
    """Whether a column keeps just this value. A database without decimals keeps the nearest double."""
    if isinstance(expected, Decimal) and isinstance(stored, float):
        return float(expected) == stored
    return expected == stored


def format_value(value: object) -> str:
    """A value in a message: short, and in one line."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, str):
        return one_line(repr(value), _SHOWN)
    if isinstance(value, Decimal):
        value = f"{value.normalize():f}" if value.is_finite() else value
    return "NULL" if value is None else one_line(str(value), _SHOWN)


def instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _differences(expected: Values, stored: Values, source: str) -> str:
    return "; ".join(
        f"{name} is {format_value(stored[name])}, {source} says {format_value(value)}"
        for name, value in expected.items()
        if not same(value, stored[name])
    )


def _named(key: Sequence[str], row: Values) -> str:
    """The part of a row's key that is not its time."""
    parts = [
        f"{name} {format_value(row[name])}" for name in key if row[name] is not None and row[name] is not time_of(row)
    ]
    return f" {', '.join(parts)}:" if parts else ""
