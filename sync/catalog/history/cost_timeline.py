"""A model's costs over time: how long each was in effect, with the gaps in which the model was not listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.catalog.model.costs import CostChange


@dataclass(frozen=True, slots=True)
class CostInterval:
    """A cost from ``valid_from`` until just before ``valid_to`` (UTC), or None while it is in effect."""

    valid_from: datetime
    valid_to: datetime | None
    credit_cost: str | None


@dataclass(frozen=True, slots=True)
class CostSpan:
    """A part of the timeline. A gap has ``is_listed`` false and no cost."""

    valid_from: datetime
    valid_to: datetime | None
    is_listed: bool
    credit_cost: str | None
    pct_change: object
    """In percent of the last cost before, across a gap too; None on the first span, from 0, and without a cost."""
    held_seconds: int
    """The length of the span, until now if it has no end."""


def cost_spans(intervals: Iterable[CostInterval], now: datetime) -> Iterator[CostSpan]:
    """The timeline of a model's intervals, which are in order of time. Each gap is a span too."""
    previous: CostInterval | None = None
    for interval in intervals:
        if previous is not None and previous.valid_to is not None and previous.valid_to < interval.valid_from:
            yield _span(previous.valid_to, interval.valid_from, now)
        yield _span(interval.valid_from, interval.valid_to, now, interval, previous)
        previous = interval
    # Only a removal closes the last interval, so a gap without an end follows it.
    if previous is not None and previous.valid_to is not None:
        yield _span(previous.valid_to, None, now)


def _span(
    start: datetime,
    end: datetime | None,
    now: datetime,
    interval: CostInterval | None = None,
    previous: CostInterval | None = None,
) -> CostSpan:
    cost = None if interval is None else interval.credit_cost
    return CostSpan(
        valid_from=start,
        valid_to=end,
        is_listed=interval is not None,
        credit_cost=cost,
        pct_change=CostChange(previous.credit_cost, cost).percent if interval and previous else None,
        # Not negative, although `now` is before the start on a host whose clock was set back.
        held_seconds=int(max((end or now) - start, timedelta(0)).total_seconds()),
    )
