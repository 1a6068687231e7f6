"""The charts of a report: a card for each model, by mode and provider, those that changed before the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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


MOST_UNCHANGED = 2_000
"""With more unchanged models than this, they are a list without charts, which would all be a straight line."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model with its chart, if it has one; ``cost`` is its last one.

    ``change`` is that from one end of its time in the period to the other; None where nothing moved.
    """

    model_id: str
    name: str
    cost: str
    is_gone: bool
    change: ChangeText | None
    is_repriced: bool
    note: str
    chart: StepChart | None


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


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What all cards have in common."""

    data: ReportData
    most_areas: int
    draws_unchanged: bool

    def has_changed(self, model: ModelCosts) -> bool:
        """Whether the model is one of those that changed."""
        return has_changed(model, self.data.period, self.data.mode_begins)


def mode_cards(data: ReportData) -> Iterator[ModeCards]:
    """The cards of all models in the period; providers with a change before those without."""
    unchanged = sum(not has_changed(each, data.period, data.mode_begins) for each in data.models)
    drawing = _Drawing(data, _most_areas(data), unchanged <= MOST_UNCHANGED)
    for mode, models in groupby(data.models, key=lambda each: each.mode):
        providers = [
            _provider_cards(provider, each, drawing)
            for provider, each in groupby(models, key=lambda each: each.provider)
        ]
        yield ModeCards(mode, _unseen(data, mode), sorted(providers, key=lambda each: not each.changed))


def _unseen(data: ReportData, mode: str) -> str:
    last = next((each.last_success for each in data.watched if each.mode == mode), None)
    return "" if last is None else time_after(last, data.period)


def _most_areas(data: ReportData) -> int:
    """The number of parts of a chart that have a text of their own, so that all charts together have not too many."""
    numbers = [len(each.intervals) for each in data.models]
    fits = (most for most in _AREAS_OF_A_CHART if sum(min(number, most) for number in numbers) <= _MOST_AREAS)
    return next(fits, _AREAS_OF_A_CHART[-1])


def _provider_cards(provider: str, models: Iterable[ModelCosts], drawing: _Drawing) -> ProviderCards:
    changed: list[Card] = []
    unchanged: list[Card] = []
    for model in models:
        has_moved = drawing.has_changed(model)
        cards = changed if has_moved else unchanged
        cards.append(_card(model, drawing, has_chart=has_moved or drawing.draws_unchanged))
    changed.sort(key=lambda each: not each.is_repriced)
    return ProviderCards(printable(provider) or "no provider", changed, unchanged)


def _card(model: ModelCosts, drawing: _Drawing, *, has_chart: bool) -> Card:
    period = drawing.data.period
    parts = list(clipped(model.intervals, period))
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
        chart=step_chart(parts, period, drawing.most_areas) if has_chart else None,
    )
