"""Runs and changes as lines of text, and the changes as JSON values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sync.show.values import format_count, format_decimal, format_value

if TYPE_CHECKING:
    from sync.catalog.changes.diff import Event
    from sync.catalog.changes.mode_plan import ModelChange, ModePlan
    from sync.catalog.model.costs import CostChange


def mode_summary(plan: ModePlan) -> str:
    """What a run did in one mode, such as ``image 40 models: 1 added, 2 changed``."""
    counts = {
        "added": plan.count("added"),
        "relisted": plan.count("relisted"),
        "changed": plan.count("changed"),
        "removed": plan.count("removed"),
        "rejected": len(plan.rejected),
        "removals held back": plan.removals_held,
        "costs held back": sum(len(hold.ids) for hold in plan.holds if hold.guard.flag == "costs"),
    }
    summary = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{plan.mode} {format_count(plan.response.reported, 'model')}: {summary or 'nothing changed'}"


def change_lines(plan: ModePlan) -> Iterator[str]:
    """Each change of a plan as a line."""
    for change in plan.changes:
        for event in change.events:
            yield _event_line(plan.mode, change, event)


def change_objects(plan: ModePlan) -> list[dict[str, object]]:
    """Each change of a plan as a flat object for JSON: costs as exact decimal texts, values as JSON texts."""
    return [
        {
            "model_id": change.model_id,
            "change_kind": event.kind,
            "entity": event.entity,
            "field": event.field,
            "old_value": event.old_value,
            "new_value": event.new_value,
            "old_cost": event.cost.old if event.cost else None,
            "new_cost": event.cost.new if event.cost else None,
        }
        for change in plan.changes
        for event in change.events
    ]


def format_cost_change(change: CostChange) -> str:
    """A change of cost, such as ``3 -> 1.5 (-50 %)``."""
    if change.old is None and change.new is None:  # of a model that came or went without one
        return "no cost"
    percent = change.percent
    suffix = "" if percent is None else f" ({'+' if percent > 0 else ''}{format_decimal(round(percent, 2))} %)"
    return f"{change.old or 'none'} -> {change.new or 'none'}{suffix}"


def _event_line(mode: str, change: ModelChange, event: Event) -> str:
    if event.cost:
        values = format_cost_change(event.cost)
    else:
        values = f"{format_value(event.old_value)} -> {format_value(event.new_value)}"
    field = f" {event.entity}.{format_value(event.field)}" if event.kind == "changed" else ""
    return f"{mode} {format_value(change.model_id)} {event.kind}{field}: {values}"
