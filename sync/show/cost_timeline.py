"""A model's cost timeline as table rows and as a sparkline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.show.direction import is_encodable, kind_text
from sync.show.values import format_duration, format_percent

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


def display_rows(rows: Sequence[Mapping[str, Any]], encoding: str | None = None) -> Iterator[dict[str, Any]]:
    """The rows of timelines for people: with durations, directions, and a text where there is no cost.

    With the ``encoding`` of a terminal a direction has an arrow too.
    """
    costs: dict[str, str] = {}  # the last one of each mode, across gaps
    for row in rows:
        cost, before = row["credit_cost"], costs.get(row["mode"])
        shown = {**_cells(row), "change_kind": _change_kind(before, cost)}
        yield {**shown, "kind_shown": kind_text(shown, encoding) if encoding else shown["change_kind"]}
        if cost is not None:
            costs[row["mode"]] = cost


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    percent = row["pct_change"]
    return {
        **row,
        "duration": format_duration(timedelta(seconds=row["held_seconds"])),
        "valid_to": row["valid_to"] or "now",
        "cost_shown": _cost_text(row),
        "percent": format_percent(percent),
    }


def _change_kind(before: str | None, cost: str | None) -> str:
    if before is None or cost is None or Decimal(before) == Decimal(cost):
        return ""
    return "increase" if Decimal(cost) > Decimal(before) else "decrease"


def sparkline(costs: Sequence[str | None], encoding: str | None = None) -> str:
    """A bar for each span, with the height of its cost between the lowest and the highest; a dot for no cost.

    Empty where the stream's ``encoding`` has no bars.
    """
    if not is_encodable(_BARS + _NO_COST, encoding):
        return ""
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
