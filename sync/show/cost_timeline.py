"""A model's cost timeline as table rows and as a sparkline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.show.values import format_duration

_BARS = "▁▂▃▄▅▆▇█"
_NO_COST = "·"


@dataclass(frozen=True, slots=True)
class CostTimelineRow:
    """A span of a model's cost timeline in one mode; see ``sync.catalog.history.cost_timeline.CostSpan``."""

    mode: str
    valid_from: datetime
    valid_to: datetime | None
    is_listed: bool
    credit_cost: str | None
    pct_change: object
    held_seconds: int


def display_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for people: with its duration, and a text where there is no cost."""
    percent = row["pct_change"]
    return {
        **row,
        "duration": format_duration(timedelta(seconds=row["held_seconds"])),
        "valid_to": row["valid_to"] or "now",
        "cost_shown": _cost_text(row),
        "percent": None if percent is None else f"{percent:+.2f}",
    }


def sparkline(costs: Sequence[str | None]) -> str:
    """A bar for each span, with the height of its cost between the lowest and the highest; a dot for no cost."""
    known = [Decimal(cost) for cost in costs if cost is not None]
    if not known:
        return _NO_COST * len(costs)
    lowest, difference = min(known), max(known) - min(known)
    return "".join(_NO_COST if cost is None else _bar(Decimal(cost) - lowest, difference) for cost in costs)


def _cost_text(row: Mapping[str, Any]) -> str:
    if not row["is_listed"]:
        return "not listed"
    return "none given" if row["credit_cost"] is None else str(row["credit_cost"])


def _bar(above_lowest: Decimal, difference: Decimal) -> str:
    return _BARS[int(above_lowest / difference * (len(_BARS) - 1))] if difference else _BARS[len(_BARS) // 2]
