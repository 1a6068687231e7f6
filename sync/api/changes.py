"""A change of the catalog as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.catalog.changes.diff import Event
    from sync.catalog.changes.mode_plan import ModelChange, ModePlan
    from sync.store import change_feed


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one model. Times are in UTC, costs are exact."""

    changed_at: datetime
    """When a sync observed the change: it happened before."""
    not_before: datetime | None
    """When the sync before began its request: the change happened later. None if nothing is known: the first sync."""
    mode: str
    model_id: str
    model_name: str | None
    """The name after the change, as ``provider``."""
    provider: str | None
    change_kind: str
    """``added``, ``removed``, ``relisted``, ``increase``, ``decrease``, ``cost_set``, ``cost_unset``, or ``changed``
    for everything that is not about the cost."""
    entity: str
    """The part of the model: ``models``, ``credits``, ``params``, ``inputs``, ``input_rules``, ``capabilities`` or
    ``raw_available_params``."""
    field: str | None
    """The field in the entity, a dotted path; None where the change is about the model as a whole."""
    old_value: str | None
    """JSON text, as ``new_value``; None where there is no value."""
    new_value: str | None
    old_cost: Decimal | None
    """None without a cost, and for changes that are not about the cost."""
    new_cost: Decimal | None
    delta_cost: Decimal | None
    pct_change: Decimal | None
    """The delta in percent of the old cost; None from 0 and without an old cost."""
    run_id: int | None
    """The run that observed the change; None in a dry run."""
    change_id: int | None = None
    """The key of the row in ``catalog_changes``; None in the result of a sync."""


def planned_change(plan: ModePlan, change: ModelChange, event: Event, run_id: int | None) -> Change:
    """A change that a run stored, or that a dry run would have stored."""
    cost, number = event.cost, event.cost or event.number
    return Change(
        changed_at=plan.stamp,
        not_before=plan.not_before_of(change, event),
        mode=plan.mode,
        model_id=change.model_id,
        model_name=change.name,
        provider=change.provider,
        change_kind=event.kind,
        entity=event.entity,
        field=event.field,
        old_value=event.old_value,
        new_value=event.new_value,
        old_cost=exact(cost.old) if cost else None,
        new_cost=exact(cost.new) if cost else None,
        delta_cost=number.delta if number else None,
        pct_change=number.percent if number else None,
        run_id=run_id,
    )


def stored_change(row: change_feed.Change) -> Change:
    """A row of the change log."""
    return Change(
        changed_at=row.changed_at,
        not_before=row.not_before,
        mode=row.mode,
        model_id=row.model_id,
        model_name=row.model_name,
        provider=row.provider,
        change_kind=row.change_kind,
        entity=row.entity,
        field=row.field,
        old_value=row.old_value,
        new_value=row.new_value,
        old_cost=exact(row.old_cost),
        new_cost=exact(row.new_cost),
        delta_cost=row.delta_cost,
        pct_change=row.pct_change,
        run_id=row.run_id,
        change_id=row.change_id,
    )


def exact(text: str | None) -> Decimal | None:
    """The number of an exact decimal text."""
    return None if text is None else Decimal(text)
