"""The column types, and how each database stores them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# Two ids that differ only in case, accent or trailing blank are two models. PostgreSQL needs to be
# told per column; on MariaDB every table has this collation (``apply_table_options``); SQLite does it.
BYTEWISE_POSTGRESQL = "C"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant with microseconds. Takes aware values only, in any zone; gives them in UTC.

    ``timestamptz`` on PostgreSQL, ``DATETIME(6)`` in UTC on MariaDB, fixed-width text in UTC on
    SQLite (``2026-03-03 10:00:00.000000``), so that text order is time order.

    Raises ``ValueError`` for a naive value: SQLite and MariaDB would drop an offset without a word.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            # Late, here and below: a dialect is a good part of a program's start.
            from sqlalchemy.dialects.mysql import DATETIME

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value.isoformat()}")
        in_utc = value.astimezone(UTC)
        return in_utc if dialect.name == "postgresql" else in_utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Decimals(TypeDecorator[Decimal]):
    """A NUMERIC for arithmetic; the exact value stands in a text column beside it.

    SQLite has no decimals: it keeps a double, some 15 digits of it.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        numeric: Numeric[Any] = Numeric(self.precision, self.scale)
        numeric.asdecimal = dialect.name != "sqlite"
        return dialect.type_descriptor(numeric)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return value if value is None or isinstance(value, Decimal) else Decimal(repr(value))


def key_text(length: int) -> String:
    """Text that is part of a key: compared byte by byte on every database."""
    return String(length).with_variant(String(length, collation=BYTEWISE_POSTGRESQL), "postgresql")


class LongText(TypeDecorator[str]):
    """Text of any length; JSON too, since JSON columns reorder keys and round numbers."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            from sqlalchemy.dialects.mysql import LONGTEXT

            return dialect.type_descriptor(LONGTEXT())
        return self.impl_instance
