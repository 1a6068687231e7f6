"""A cost timeline in words and as a sparkline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.show.text import duration

_BARS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"  # not listed, or without a cost


@dataclass(frozen=True, slots=True)
class ModeSpan:
    """A stretch of a model's timeline in one mode; see ``sync.catalog.history.cost_timeline.CostSpan``."""

    mode: str
    valid_from: datetime
    valid_to: datetime | None
    is_listed: bool
    credit_cost: str | None
    pct_change: object
    held_seconds: int


def readable_span(span: Mapping[str, Any]) -> dict[str, Any]:
    """A span as a person reads it: what it cost, or why it cost nothing."""
    cost = (
        "not listed" if not span["is_listed"] else "none given" if span["credit_cost"] is None else span["credit_cost"]
    )
    percent = span["pct_change"]
    return {
        **span,
        "held": duration(timedelta(seconds=span["held_seconds"])),
        "valid_to": span["valid_to"] or "now",
        "cost_shown": cost,
        "percent": None if percent is None else f"{percent:+.2f}",
    }


def sparkline(costs: Sequence[str | None]) -> str:
    """One bar for each stretch, as high as its cost between the least and the greatest; a dot without one."""
    known = [Decimal(cost) for cost in costs if cost is not None]
    if not known:
        return _NOTHING * len(costs)
    least, span = min(known), max(known) - min(known)
    return "".join(_NOTHING if cost is None else _bar(Decimal(cost) - least, span) for cost in costs)


def _bar(above: Decimal, span: Decimal) -> str:
    return _BARS[int(above / span * (len(_BARS) - 1))] if span else _BARS[len(_BARS) // 2]
