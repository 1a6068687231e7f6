"""Runs and changes in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sync.show.table import display, plain

if TYPE_CHECKING:
    from sync.catalog.changes.diff import Event
    from sync.catalog.changes.mode_plan import ModelChange, ModePlan
    from sync.catalog.model.costs import CostChange


def counted(number: int, noun: str) -> str:
    """``1 line``, ``2 lines``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def mode_line(plan: ModePlan) -> str:
    """What a run did in one mode, such as ``image 40 models: 1 added, 2 changed``."""
    counts = {
        "added": plan.count("added"),
        "relisted": plan.count("relisted"),
        "changed": plan.count("changed"),
        "removed": plan.count("removed"),
        "rejected": len(plan.rejected),
        "removals held": plan.removals_held,
    }
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{plan.mode} {counted(plan.response.reported, 'model')}: {told or 'nothing changed'}"


def plan_lines(plan: ModePlan) -> Iterator[str]:
    """Every change of a plan, a line each."""
    for change in plan.changes:
        for event in change.events:
            yield _event_line(plan.mode, change, event)


def plan_json(plan: ModePlan) -> list[dict[str, object]]:
    """Every change of a plan as a flat object; costs as exact decimal texts, values as JSON texts."""
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


def cost_text(change: CostChange) -> str:
    """A cost change, such as ``3 -> 1.5 (-50 %)``."""
    percent = change.percent
    told = "" if percent is None else f" ({'+' if percent > 0 else ''}{plain(round(percent, 2))} %)"
    return f"{change.old or 'none'} -> {change.new or 'none'}{told}"


def duration(span: timedelta) -> str:
    """A span in the largest two units: ``3d 4h``, ``12m 5s``."""
    seconds = int(span.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{number}{unit}" for number, unit in parts[:2])


def _event_line(mode: str, change: ModelChange, event: Event) -> str:
    what = cost_text(event.cost) if event.cost else f"{display(event.old_value)} -> {display(event.new_value)}"
    where = f" {event.entity}.{display(event.field)}" if event.kind == "changed" else ""
    return f"{mode} {display(change.model_id)} {event.kind}{where}: {what}"
