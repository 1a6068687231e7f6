"""Single values as text: for people, and for programs."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sync.catalog.text import one_line

_CELL_LIMIT = 255  # the longest id is not cut
NUMBER = re.compile(r"(?:(?<!\w)[+-])?\d[\d.]*(?:[eE][+-]?\d+)?")
"""What is a number in a text, and is never divided. Behind a letter, as in an id, a sign is a hyphen."""


def is_number(text: str) -> bool:
    """Whether the text is a number and nothing else."""
    return NUMBER.fullmatch(text) is not None


def format_value(value: object, limit: int = _CELL_LIMIT) -> str:
    """A value for people, safe for a terminal: times in UTC to the minute, None as an empty text.

    A text of more than ``limit`` characters ends with three dots; it is never cut inside a number.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return format_decimal(value)
    text = one_line(str(value), sys.maxsize)
    return text if len(text) <= limit or is_number(text) else _shortened(text, limit - 3) + "..."


def _shortened(text: str, length: int) -> str:
    """The start of a text, without the number that continues behind it."""
    divided = next((each for each in NUMBER.finditer(text) if each.start() < length < each.end()), None)
    return text[: divided.start() if divided else length]


def format_signed(value: Decimal | None) -> str | None:
    """A difference with its sign, such as ``+1.5``; a decimal without an exponent, None without a value."""
    if value is None:
        return None
    return f"{'+' if value > 0 else ''}{format_decimal(value)}"


def format_percent(value: Decimal | None) -> str | None:
    """A percentage with its sign and two decimals, such as ``+8.89``; None without a value."""
    if value is None:
        return None
    return f"{value:+.2f}" if value else "0.00"


def format_decimal(value: Decimal) -> str:
    """A decimal without an exponent and without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_count(number: int, noun: str) -> str:
    """``1 line``, ``2 lines``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def format_duration(duration: timedelta) -> str:
    """A duration in its two largest units: ``3d 4h``, ``12m 5s``."""
    seconds = int(duration.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{number}{unit}" for number, unit in parts[:2])


def format_instant(moment: datetime) -> str:
    """A time in UTC to the second, and to the microsecond where it has any."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}{f'.{moment:%f}' if moment.microsecond else ''} UTC"


def exact_value(value: object) -> object:
    """A value for programs: times as ISO 8601 in UTC, decimals as text, which no reader rounds.

    A number inside a value that the API sent stays a number where that is exact.
    """
    # Imported late: --help and --version print no value, and the tree of a value needs msgspec.
    from sync.catalog.json.tree import Number

    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Number):
        return _exact_number(value.text)
    if isinstance(value, bytes):  # where SQLite holds no text
        return value.decode("utf-8", "backslashreplace")
    return format_decimal(value) if isinstance(value, Decimal) else value


def _exact_number(text: str) -> int | float | str:
    """A canonical number as a number that keeps its value; as text if a float would round it."""
    if text.removeprefix("-").isdigit():
        return int(text)
    number = float(text)
    return number if Decimal(repr(number)) == Decimal(text) else text
