"""One model in full, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.show.table import display

_WIDTH = 17


def model_detail_lines(model: Mapping[str, Any]) -> Iterator[str]:
    """The model as a person reads it; all texts are made safe for a terminal."""
    yield f"{display(model['model_id'])} ({model['mode']})"
    for heading, text in _facts(model):
        if text:
            yield f"  {heading:<{_WIDTH}}{text}"
    for heading, lines in _lists(model).items():
        if lines:
            yield f"  {heading}"
            yield from (f"    {line}" for line in lines)


def _facts(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "name", display(model["model_name"])
    yield "provider", display(model["provider"])
    yield "description", display(model["description"])
    yield "cost", display(model["credit_cost"]) or "none given"
    yield "notes", display(model["credit_notes"])
    yield "first seen", f"{display(model['first_seen_at'])} UTC"
    yield "unchanged since", f"{display(model['unchanged_since'])} UTC"
    if not model["is_listed"]:
        yield "not listed", f"removed {display(model['removed_at'])} UTC" if model["removed_at"] else "at that time"


def _lists(model: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "params": [_param(param) for param in model["params"]],
        "inputs": [f"{display(entry['input_name'])} ({entry['requirement']})" for entry in model["inputs"]],
        "rules": [display(rule) for rule in model["input_rules"]],
        "capabilities": [
            f"{display(entry['capability'])}: {display(entry['value'])}" for entry in model["capabilities"]
        ],
        "costs": [
            f"{display(span['valid_from'])} to {display(span['valid_to']) or 'now'}: {span['credit_cost'] or 'none given'}"
            for span in model["cost_history"]
        ],
    }


def _param(param: Mapping[str, Any]) -> str:
    said = {
        "type": param["data_type"],
        "default": param["default_value"],
        "min": param["min_value"],
        "max": param["max_value"],
        "required": {1: "yes", 0: "no", None: None}[param["is_required"]],
        "options": ", ".join(param["options"]) or None,
    }
    told = "; ".join(f"{name} {display(value)}" for name, value in said.items() if value is not None)
    return f"{display(param['param_name'])}: {told or display(param['definition'])}"
