"""The charts of a report: a card for each model, by mode and provider, those that changed before the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sync.catalog.history.period_costs import clipped, has_changed
from sync.catalog.history.report_data import ModelCosts, ReportData
from sync.catalog.model.costs import CostChange
from sync.show.report.step_chart import StepChart, step_chart, time_after
from sync.show.report.texts import ChangeText, change_text, cost_text, printable
from sync.show.values import format_count

_MOST_AREAS = 15_000
"""The most parts of charts with a text of their own: with 1,000 models a report stays below 5 MB."""
_NARROWEST = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True, slots=True)
class Card:
    """A model with its chart; ``cost`` is its last one.

    ``change`` is that from one end of its time in the period to the other; None where nothing moved.
    """

    model_id: str
    name: str
    cost: str
    is_gone: bool
    change: ChangeText | None
    is_repriced: bool
    note: str
    chart: StepChart


@dataclass(frozen=True, slots=True)
class ProviderCards:
    """The cards of a provider in one mode: models with another cost first, then those that came or went."""

    provider: str
    changed: Sequence[Card]
    unchanged: Sequence[Card]


@dataclass(frozen=True, slots=True)
class ModeCards:
    """The cards of a mode. ``unseen`` is a path around the time after its last successful sync, if there is any."""

    mode: str
    unseen: str
    providers: Sequence[ProviderCards]


def mode_cards(data: ReportData) -> Iterator[ModeCards]:
    """The cards of all models in the period; providers with a change before those without."""
    begins = _mode_begins(data.models)
    narrowest = _narrowest(data)
    for mode, models in groupby(data.models, key=lambda each: each.mode):
        providers = [
            _provider_cards(provider, list(each), data, begins, narrowest)
            for provider, each in groupby(models, key=lambda each: each.provider)
        ]
        yield ModeCards(mode, _unseen(data, mode), sorted(providers, key=lambda each: not each.changed))


def _unseen(data: ReportData, mode: str) -> str:
    last = next((each.last_success for each in data.watched if each.mode == mode), None)
    return "" if last is None else time_after(last, data.period)


def _mode_begins(models: Sequence[ModelCosts]) -> dict[str, datetime]:
    begins: dict[str, datetime] = {}
    for model in models:
        first = model.intervals[0].valid_from
        begins[model.mode] = min(begins.get(model.mode, first), first)
    return begins


def _narrowest(data: ReportData) -> float:
    """How wide a part of a chart is at least, so that there are not too many."""
    total = sum(len(each.intervals) for each in data.models)
    if total <= _MOST_AREAS:
        return _NARROWEST[0]
    for width in _NARROWEST:
        charts = (step_chart(each.intervals, data.period, width) for each in data.models)
        if sum(len(chart.areas) for chart in charts) <= _MOST_AREAS:
            return width
    return _NARROWEST[-1]


def _provider_cards(
    provider: str, models: Sequence[ModelCosts], data: ReportData, begins: Mapping[str, datetime], narrowest: float
) -> ProviderCards:
    changed: list[Card] = []
    unchanged: list[Card] = []
    for model in models:
        has_moved = has_changed(model, data.period, begins[model.mode])
        (changed if has_moved else unchanged).append(_card(model, data, narrowest))
    changed.sort(key=lambda each: not each.is_repriced)
    return ProviderCards(printable(provider) or "no provider", changed, unchanged)


def _card(model: ModelCosts, data: ReportData, narrowest: float) -> Card:
    parts = list(clipped(model.intervals, data.period))
    last = parts[-1]
    costs = [each.credit_cost for each in parts]
    change = CostChange(costs[0], costs[-1])
    steps = len(parts) - 1
    return Card(
        model_id=printable(model.model_id),
        name=printable(model.name),
        cost=cost_text(last.credit_cost),
        is_gone=last.valid_to is not None,
        change=change_text(change) if change.old != change.new else None,
        is_repriced=len(set(costs)) > 1,
        note=format_count(steps, "change") if steps else "",
        chart=step_chart(model.intervals, data.period, narrowest),
    )
