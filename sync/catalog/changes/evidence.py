"""What the guards have to know of a response: how it differs from what is stored, in numbers, ids and costs."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from sync.catalog.changes.classify import ClassifiedResponse
from sync.catalog.guards import Evidence
from sync.catalog.model.costs import CostChange


class RecentChanges(Struct, frozen=True):
    """The ids of models that were removed or added shortly before, by runs in which no person accepted it."""

    removed: frozenset[str] = frozenset()
    """Those that are still away."""
    added: frozenset[str] = frozenset()
    """Those never seen before that are still listed; without the mode's first ones."""


def make_evidence(
    classified: ClassifiedResponse,
    listed: AbstractSet[str],
    *,
    recent: RecentChanges,
    costs: Mapping[str, str | None],
) -> Evidence:
    """The evidence about one mode's response.

    ``recent`` matters only if models are missing. ``costs`` has the stored cost of every listed model; it
    may be empty if fewer models changed than the guard on costs counts.
    """
    rejected = {model.model_id for model in classified.rejected if model.model_id is not None}
    accepted = classified.unchanged | classified.records.keys()
    priced = [model_id for model_id, cost in costs.items() if cost is not None and model_id in accepted]
    return Evidence(
        listed=len(listed),
        received=classified.response.reported,
        missing=tuple(classified.missing_from(listed)),
        new=len((classified.records.keys() | rejected) - listed),
        has_unreadable=classified.has_unreadable,
        removed_lately=len(recent.removed - classified.records.keys() - rejected),
        added_lately=len(recent.added),
        priced=len(priced),
        costs=_cost_changes(classified, {model_id: costs[model_id] for model_id in priced}),
    )


def _cost_changes(classified: ClassifiedResponse, priced: Mapping[str, str | None]) -> dict[str, CostChange]:
    sent = classified.records.costs
    return {
        model_id: CostChange(old, sent[model_id])
        for model_id, old in priced.items()
        if model_id in sent and sent[model_id] != old
    }
