"""The cost of a model at one moment, as far as it is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sync.catalog.history.cost_timeline import CostInterval


@dataclass(frozen=True, slots=True)
class CostEvent:
    """A change after which the model was listed with this cost, or was not listed. It happened between the times."""

    not_before: datetime | None
    """None if nothing is known: it was so when the mode was first observed."""
    changed_at: datetime
    is_listed: bool
    credit_cost: str | None


@dataclass(frozen=True, slots=True)
class KnownCost:
    """What is recorded for a moment, and what else may have been the case."""

    is_listed: bool | None
    """None if the moment is before the history."""
    credit_cost: str | None
    low: Decimal | None
    high: Decimal | None
    """The smallest and the largest cost that is possible; None if no cost is."""
    is_sure: bool
    since: datetime | None
    """When the recorded cost was first observed."""
    unsure_from: datetime | None
    unsure_until: datetime | None
    """Between these times a change happened; None if it is sure, or if nothing is known."""


def known_cost(
    intervals: Iterable[CostInterval], events: Iterable[CostEvent], moment: datetime, begin: datetime | None
) -> KnownCost:
    """The cost at a moment, from the intervals and the cost events of a model. ``begin`` is that of the history.

    A change that was observed later than the moment may have happened before it, if its ``not_before`` is not later.
    """
    if begin is None or moment < begin:
        return KnownCost(None, None, None, None, is_sure=False, since=None, unsure_from=None, unsure_until=None)
    interval = next((each for each in intervals if _contains(each, moment)), None)
    recorded = (interval is not None, interval.credit_cost if interval else None)
    later = [each for each in events if moment < each.changed_at and (each.not_before or moment) <= moment]
    possible = {recorded, *((each.is_listed, each.credit_cost) for each in later)}
    costs = [Decimal(cost) for _, cost in possible if cost is not None]
    is_sure = len(possible) == 1
    return KnownCost(
        *recorded,
        low=min(costs, default=None),
        high=max(costs, default=None),
        is_sure=is_sure,
        since=interval.valid_from if interval else None,
        unsure_from=None if is_sure else min((each.not_before for each in later if each.not_before), default=None),
        unsure_until=None if is_sure else max(each.changed_at for each in later),
    )


def _contains(interval: CostInterval, moment: datetime) -> bool:
    return interval.valid_from <= moment and (interval.valid_to is None or moment < interval.valid_to)
