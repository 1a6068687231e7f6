"""One model with all its details, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.show.values import format_value

_HEADING_WIDTH = 17


def model_detail_lines(model: Mapping[str, Any]) -> Iterator[str]:
    """The lines for a model. All texts in them are made safe for a terminal."""
    yield f"{format_value(model['model_id'])} ({model['mode']})"
    for heading, text in _facts(model):
        if text:
            yield f"  {heading:<{_HEADING_WIDTH}}{text}"
    for heading, lines in _lists(model).items():
        if lines:
            yield f"  {heading}"
            yield from (f"    {line}" for line in lines)


def _facts(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "name", format_value(model["model_name"])
    yield "provider", format_value(model["provider"])
    yield "description", format_value(model["description"])
    yield "cost", format_value(model["credit_cost"]) or "none given"
    yield "notes", format_value(model["credit_notes"])
    yield "first seen", f"{format_value(model['first_seen_at'])} UTC"
    yield "unchanged since", f"{format_value(model['unchanged_since'])} UTC"
    if not model["is_listed"]:
        removed_at = format_value(model["removed_at"])
        yield "not listed", f"removed {removed_at} UTC" if removed_at else "at that time"


def _lists(model: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "prices": [
            f"{format_value(entry['path'])}: {format_value(entry['value'])}" for entry in model["credit_details"]
        ],
        "params": [_param(param) for param in model["params"]],
        "inputs": [f"{format_value(entry['input_name'])} ({entry['requirement']})" for entry in model["inputs"]],
        "rules": [format_value(rule) for rule in model["input_rules"]],
        "capabilities": [
            f"{format_value(entry['capability'])}: {format_value(entry['value'])}" for entry in model["capabilities"]
        ],
        "costs": [_cost(interval) for interval in model["cost_history"]],
    }


def _cost(interval: Mapping[str, Any]) -> str:
    end = format_value(interval["valid_to"]) or "now"
    return f"{format_value(interval['valid_from'])} to {end}: {interval['credit_cost'] or 'none given'}"


def _param(param: Mapping[str, Any]) -> str:
    details = {
        "type": param["data_type"],
        "default": param["default_value"],
        "min": param["min_value"],
        "max": param["max_value"],
        "required": {1: "yes", 0: "no", None: None}[param["is_required"]],
        "options": ", ".join(param["options"]) or None,
    }
    text = "; ".join(f"{name} {format_value(value)}" for name, value in details.items() if value is not None)
    return f"{format_value(param['param_name'])}: {text or format_value(param['definition'])}"
