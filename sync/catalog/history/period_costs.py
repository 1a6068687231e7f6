"""The costs of models in a period: what is in effect when, what moved from one end to the other, provider means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from functools import reduce

from sync.catalog.history.cost_timeline import CostInterval
from sync.catalog.history.report_data import ModelCosts, Period
from sync.catalog.model.costs import CostChange

_MEANS = Context(prec=60)  # a sum of costs has at most 12 + 40 digits and those of the number of models


@dataclass(frozen=True, slots=True)
class NetMove:
    """A model whose cost at the end of a period is not that at its start. Costs are exact decimal texts."""

    model: ModelCosts
    was_listed: bool
    is_listed: bool
    change: CostChange

    @property
    def kind(self) -> str:
        """One of moved, new price (from 0 or from no cost), no price now (to no cost), new and gone."""
        if not self.was_listed:
            return "new"
        if not self.is_listed:
            return "gone"
        if self.change.new is None:
            return "no price now"
        return "moved" if self.change.percent is not None else "new price"


@dataclass(frozen=True, slots=True)
class ProviderMean:
    """The costs of a provider in one mode: of the models listed at the end of a period, and the mean over time."""

    mode: str
    provider: str
    model_count: int
    priced_count: int
    lowest: Decimal | None
    mean: Decimal | None
    highest: Decimal | None
    mean_then: Decimal | None
    """The mean at the start."""
    steps: tuple[tuple[datetime, Decimal | None], ...]
    """The mean from a time on, in order; None where no listed model has a cost."""


def clipped(intervals: Iterable[CostInterval], period: Period) -> Iterator[CostInterval]:
    """The parts of the intervals inside the period; only one that goes on after it has no end."""
    for each in intervals:
        start = max(each.valid_from, period.since)
        if start >= period.until or (each.valid_to is not None and each.valid_to <= start):
            continue
        goes_on = each.valid_to is None or each.valid_to >= period.until
        yield CostInterval(start, None if goes_on else each.valid_to, each.credit_cost)


def interval_at(intervals: Sequence[CostInterval], moment: datetime) -> CostInterval | None:
    """The interval in effect at a time; None where the model was not listed."""
    found = (each for each in intervals if each.valid_from <= moment)
    return next((each for each in found if each.valid_to is None or each.valid_to > moment), None)


def interval_before(intervals: Sequence[CostInterval], end: datetime) -> CostInterval | None:
    """The interval in effect just before a time; None where the model was not listed."""
    return next(
        (each for each in intervals if each.valid_from < end and (each.valid_to is None or each.valid_to >= end)), None
    )


def has_changed(model: ModelCosts, period: Period, begins: Mapping[str, datetime]) -> bool:
    """Whether a cost changed in the period, or the model came or went.

    The models of the first sync of a mode, whose time is in ``begins``, had been there before.
    """
    parts = list(clipped(model.intervals, period))
    if len(parts) != 1:
        return bool(parts)
    start = parts[0].valid_from
    return parts[0].valid_to is not None or start not in (period.since, begins.get(model.mode))


def net_moves(models: Iterable[ModelCosts], period: Period, begins: Mapping[str, datetime]) -> list[NetMove]:
    """The models whose cost differs between the two ends, in the order of the models.

    Where the history of a mode begins later, in ``begins``, that is its start.
    """
    moves = (_net_move(each, _start(each.mode, period, begins), period.until) for each in models)
    return [move for move in moves if move]


def _start(mode: str, period: Period, begins: Mapping[str, datetime]) -> datetime:
    return max(begins.get(mode, period.since), period.since)


def _net_move(model: ModelCosts, start: datetime, end: datetime) -> NetMove | None:
    then, now = interval_at(model.intervals, start), interval_before(model.intervals, end)
    change = CostChange(then.credit_cost if then else None, now.credit_cost if now else None)
    if (then is None) == (now is None) and change.old == change.new:
        return None
    return NetMove(model, then is not None, now is not None, change)


def provider_means(
    models: Iterable[ModelCosts], period: Period, begins: Mapping[str, datetime]
) -> Iterator[ProviderMean]:
    """A row for each mode and provider with a model in the period, in that order.

    Where the history of a mode begins later, in ``begins``, that is its start.
    """
    by_provider: dict[tuple[str, str], list[list[CostInterval]]] = defaultdict(list)
    for model in models:
        if parts := list(clipped(model.intervals, period)):
            by_provider[model.mode, model.provider].append(parts)
    for (mode, provider), timelines in sorted(by_provider.items()):
        listed = [parts[-1] for parts in timelines if parts[-1].valid_to is None]
        costs = [Decimal(each.credit_cost) for each in listed if each.credit_cost is not None]
        start = _start(mode, period, begins)
        then = [each.credit_cost for parts in timelines if (each := interval_at(parts, start))]
        yield ProviderMean(
            mode,
            provider,
            len(listed),
            len(costs),
            min(costs, default=None),
            _mean(costs),
            max(costs, default=None),
            _mean([Decimal(cost) for cost in then if cost is not None]),
            tuple(_mean_steps(timelines)),
        )


def _mean(costs: Sequence[Decimal]) -> Decimal | None:
    return _divided(reduce(_MEANS.add, costs, Decimal(0)), len(costs))


def _divided(total: Decimal, number: int) -> Decimal | None:
    return _MEANS.divide(total, Decimal(number)) if number else None


def _mean_steps(timelines: Iterable[Sequence[CostInterval]]) -> Iterator[tuple[datetime, Decimal | None]]:
    """The mean after each time at which a cost begins or ends."""
    moves: dict[datetime, list[tuple[Decimal, int]]] = defaultdict(list)
    for part in (part for parts in timelines for part in parts if part.credit_cost is not None):
        cost = Decimal(part.credit_cost or 0)
        moves[part.valid_from].append((cost, 1))
        if part.valid_to is not None:
            moves[part.valid_to].append((-cost, -1))
    total, number = Decimal(0), 0
    for moment in sorted(moves):
        for cost, step in moves[moment]:
            total, number = _MEANS.add(total, cost), number + step
        yield moment, _divided(total, number)
