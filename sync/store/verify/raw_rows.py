"""Reads rows exactly as they are stored, values of a wrong type included.

SQLite accepts any value in any column. SQLAlchemy's column types would raise at the first wrong
one; here it becomes ``Unreadable``, so that ``verify`` can report it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, FromClause, Integer, Select, Table, select, type_coerce
from sqlalchemy.types import NullType, TypeEngine

from models_db.tables.column_types import Decimals, UtcDateTime
from sync.catalog.verify.findings import StoredRow, Unreadable

_SQLITE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)


def raw(table: FromClause, name: str) -> ColumnElement[Any]:
    """A column whose values are read as the driver returns them."""
    return type_coerce(table.c[name], NullType()).label(name)


@cache
def every_column(table: Table, *, but: frozenset[str] = frozenset()) -> Select[Any]:
    """All columns of a table but the computed ones and those named by ``but``, for ``read_rows``."""
    return select(*(raw(table, column.name) for column in _columns(table) if column.name not in but))


def read_rows(
    connection: Connection, table: Table, query: Select[Any], *, but: frozenset[str] = frozenset()
) -> Iterator[StoredRow]:
    """The rows of a query made of ``every_column``, with the same ``but``."""
    readers = _readers(table, but)
    with tolerate_bad_utf8(connection):
        rows: Sequence[Any] = connection.execute(query).all()
    for row in rows:
        yield {name: None if value is None else read(value) for (name, read), value in zip(readers, row, strict=True)}


def time(value: object) -> object:
    """A stored time in UTC, None for NULL, ``Unreadable`` for anything that is not a time."""
    if isinstance(value, str):
        value = _parse_sqlite_time(value)
    if not isinstance(value, datetime):
        return value if value is None or isinstance(value, Unreadable) else Unreadable(value)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def tolerate_bad_utf8(connection: Connection) -> Iterator[None]:
    """Within it, SQLite texts that are not UTF-8 are read as bytes. The servers accept no such text."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    before, driver.text_factory = driver.text_factory, _text_or_bytes
    try:
        yield
    finally:
        driver.text_factory = before


def _text_or_bytes(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _columns(table: Table) -> list[Any]:
    # A computed column cannot differ from the columns it is computed from.
    return [column for column in table.columns if column.computed is None]


@cache
def _readers(table: Table, but: frozenset[str]) -> list[tuple[str, Callable[[object], object]]]:
    return [(str(column.name), _reader(column.type)) for column in _columns(table) if column.name not in but]


def _reader(kind: TypeEngine[Any]) -> Callable[[object], object]:
    if isinstance(kind, UtcDateTime):
        return time
    if isinstance(kind, Decimals):
        return _number
    if isinstance(kind, Date):
        return _day
    expected = int if isinstance(kind, Integer) else str
    return lambda value: value if isinstance(value, expected) else Unreadable(value)


def _parse_sqlite_time(text: str) -> object:
    """A time in the fixed-width form in which SQLite's texts sort as times; other forms are unreadable."""
    if not _SQLITE_TIME.fullmatch(text):
        return Unreadable(text)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return Unreadable(text)


def _number(value: object) -> object:
    """A decimal, or a double on SQLite, which returns a whole double as an integer."""
    if isinstance(value, Decimal):
        return value
    return float(value) if isinstance(value, (int, float)) else Unreadable(value)


def _day(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return Unreadable(value)
