"""A model's costs as a line in time: how long each held, with the gaps while it was not listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.catalog.model.costs import CostChange


@dataclass(frozen=True, slots=True)
class CostInterval:
    """A cost that was so from ``valid_from`` until just before ``valid_to``; None is still so."""

    valid_from: datetime
    valid_to: datetime | None
    credit_cost: str | None


@dataclass(frozen=True, slots=True)
class CostSpan:
    """A stretch of the timeline; a gap has ``is_listed`` false and no cost."""

    valid_from: datetime
    valid_to: datetime | None
    is_listed: bool
    credit_cost: str | None
    pct_change: object
    """In percent of the cost before, gaps passed over; None at the beginning, from 0, or without a cost."""
    held_seconds: int
    """How long it held, or has held so far."""


def cost_spans(intervals: Iterable[CostInterval], now: datetime) -> Iterator[CostSpan]:
    """The timeline of a model's intervals, which are in order of time, with a gap wherever it was away."""
    before: CostInterval | None = None
    for interval in intervals:
        if before is not None and before.valid_to is not None and before.valid_to < interval.valid_from:
            yield _span(before.valid_to, interval.valid_from, now)
        yield _span(interval.valid_from, interval.valid_to, now, interval, before)
        before = interval
    if before is not None and before.valid_to is not None:
        yield _span(before.valid_to, None, now)


def _span(
    start: datetime,
    end: datetime | None,
    now: datetime,
    interval: CostInterval | None = None,
    before: CostInterval | None = None,
) -> CostSpan:
    cost = None if interval is None else interval.credit_cost
    return CostSpan(
        valid_from=start,
        valid_to=end,
        is_listed=interval is not None,
        credit_cost=cost,
        pct_change=CostChange(before.credit_cost, cost).percent if interval and before else None,
        held_seconds=int(max((end or now) - start, timedelta(0)).total_seconds()),
    )
