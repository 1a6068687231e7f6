"""Values of the library as plain values for JSON."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sync.errors import Outcome
from sync.show.values import exact_value


def plain(value: Any) -> Any:
    """Dataclasses as objects, tuples as lists, times and decimals as texts, outcomes as their labels."""
    if isinstance(value, Outcome):
        return value.label
    if isinstance(value, datetime | Decimal):
        return exact_value(value)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value
