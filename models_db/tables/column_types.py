"""The column types, and how each database stores them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import DateTime, Dialect, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from models_db.errors import DamagedValueError

# Ids that differ only in case, accents or trailing blanks are different models, so keys are compared byte by
# byte. PostgreSQL needs this collation per column. On MariaDB each table has such a collation
# (``metadata.apply_table_options``), and SQLite compares like that by default.
BYTEWISE_POSTGRESQL = "C"


class UtcDateTime(TypeDecorator[datetime]):
    """A time with microseconds. Accepts aware values in any time zone and returns them in UTC.

    Stored as ``timestamptz`` on PostgreSQL, as ``DATETIME(6)`` in UTC on MariaDB, and as text of fixed
    width in UTC on SQLite (``2026-03-03 10:00:00.000000``), so that text order is time order.

    Raises ``ValueError`` for a naive value, because its time zone is unknown, and ``DamagedValueError`` for what is
    stored on SQLite and is no time.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            # Imported late, here and below: importing a dialect takes a noticeable part of the start-up time.
            from sqlalchemy.dialects.mysql import DATETIME

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} cannot be stored: it has no time zone")
        in_utc = value.astimezone(UTC)
        return in_utc if dialect.name == "postgresql" else in_utc.replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        read: Any = super().result_processor(dialect, coltype)
        if dialect.name != "sqlite" or read is None:
            return cast("Callable[[Any], datetime | None] | None", read)

        def process(value: Any) -> datetime | None:
            try:
                return cast("datetime | None", read(value))
            except (AttributeError, TypeError, ValueError) as error:
                raise DamagedValueError(f"{str(value)[:40]!r} is stored, which is not a time") from error

        return process

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Decimals(TypeDecorator[Decimal]):
    """A NUMERIC for arithmetic. The exact value is in a text column beside it.

    SQLite has no decimal type and stores a double, with about 15 significant digits.
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
    """Return the type of text in a key, which every database compares byte by byte."""
    return String(length).with_variant(String(length, collation=BYTEWISE_POSTGRESQL), "postgresql")


class LongText(TypeDecorator[str]):
    """Text of any length, JSON included: a column of type JSON would reorder keys and round numbers."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            from sqlalchemy.dialects.mysql import LONGTEXT

            return dialect.type_descriptor(LONGTEXT())
        return self.impl_instance
