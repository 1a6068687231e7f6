"""The charts of a report: a card for each model, by mode and provider, those that changed before the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sync.catalog.history.period_costs import clipped, has_changed
from sync.catalog.history.report_data import ModelCosts, ReportData
from sync.catalog.model.costs import CostChange
from sync.show.report.step_chart import MOST_AREAS, StepChart, step_chart, time_after
from sync.show.report.texts import ChangeText, change_text, cost_text, printable
from sync.show.values import format_count

_MOST_AREAS = 20_000
"""The most parts of charts with a text of their own: with 1,000 models a report stays below 5 MB."""
_AREAS_OF_A_CHART = (MOST_AREAS, 200, 100, 70, 50, 40, 30, 25, 20, 15, 10, 5)


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
    most_areas = _most_areas(data)
    for mode, models in groupby(data.models, key=lambda each: each.mode):
        providers = [
            _provider_cards(provider, list(each), data, begins, most_areas)
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


def _most_areas(data: ReportData) -> int:
    """The number of parts of a chart that have a text of their own, so that all charts together have not too many."""
    numbers = [len(each.intervals) for each in data.models]
    fits = (most for most in _AREAS_OF_A_CHART if sum(min(number, most) for number in numbers) <= _MOST_AREAS)
    return next(fits, _AREAS_OF_A_CHART[-1])


def _provider_cards(
    provider: str, models: Sequence[ModelCosts], data: ReportData, begins: Mapping[str, datetime], most_areas: int
) -> ProviderCards:
    changed: list[Card] = []
    unchanged: list[Card] = []
    for model in models:
        has_moved = has_changed(model, data.period, begins[model.mode])
        (changed if has_moved else unchanged).append(_card(model, data, most_areas))
    changed.sort(key=lambda each: not each.is_repriced)
    return ProviderCards(printable(provider) or "no provider", changed, unchanged)


def _card(model: ModelCosts, data: ReportData, most_areas: int) -> Card:
    parts = list(clipped(model.intervals, data.period))
    last = parts[-1]
    costs = [each.credit_cost for each in parts]
    change = CostChange(costs[0], costs[-1])
    steps, is_gone = len(parts) - 1, last.valid_to is not None
    return Card(
        model_id=printable(model.model_id),
        name=printable(model.name),
        cost=cost_text(last.credit_cost),
        is_gone=is_gone,
        change=change_text(change) if change.old != change.new else None,
        is_repriced=len(set(costs)) > 1,
        note=", ".join(
            filter(None, [format_count(steps, "change") if steps else "", "no longer listed" if is_gone else ""])
        ),
        chart=step_chart(parts, data.period, most_areas),
    )
