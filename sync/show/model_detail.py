"""One model with all its details, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.catalog.json.paths import dotted, scalars
from sync.show.evidence import evidence_lines
from sync.show.fold import fold
from sync.show.values import format_value

CSV_COLUMNS = ("mode", "model_id", "field", "value")
_HEADING_WIDTH = 17
_MIN_WIDTH = 16  # of a text beside its heading; the terminal folds it where it is narrower
_TEXT_LIMIT = 4000  # characters


def model_detail_lines(
    model: Mapping[str, Any], width: int | None = None, *, with_evidence: bool = False
) -> Iterator[str]:
    """The lines for a model. All texts in them are made safe for a terminal; with ``width`` they fit it."""
    yield from _folded(f"{_text(model['model_id'])} ({model['mode']})", "", "", width)
    for heading, text in _facts(model):
        if text:
            yield from _folded(text, f"  {heading:<{_HEADING_WIDTH}}", " " * (_HEADING_WIDTH + 2), width)
    for heading, lines in _lists(model).items():
        if lines:
            yield f"  {heading}"
            for line in lines:
                yield from _folded(line, "    ", "      ", width)
    if with_evidence:
        yield "  evidence"
        indent = " " * (_HEADING_WIDTH + 2)
        for heading, text in evidence_lines(model):
            yield from _folded(text, f"    {heading:<{_HEADING_WIDTH - 2}}", indent, width)


def csv_rows(model: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """A row for each value of the JSON document of a model; ``field`` is its dotted path, list places by number."""
    for path, value in scalars(dict(model)):
        yield {"mode": model["mode"], "model_id": model["model_id"], "field": dotted(path), "value": value}


def _folded(text: str, first: str, others: str, width: int | None) -> Iterator[str]:
    """The text in lines that begin with ``first``, and then with ``others``."""
    lines = [text] if width is None else fold(text, max(width - len(others), _MIN_WIDTH))
    for number, line in enumerate(lines):
        yield f"{others if number else first}{line}"


def _text(value: object) -> str:
    return format_value(value, _TEXT_LIMIT)


def _facts(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "name", _text(model["model_name"])
    yield "provider", _text(model["provider"])
    yield "description", _text(model["description"])
    yield "cost", _text(model["credit_cost"]) or "none given"
    yield "notes", _text(model["credit_notes"])
    yield "first seen", f"{_text(model['first_seen_at'])} UTC"
    yield "unchanged since", f"{_text(model['unchanged_since'])} UTC"
    if not model["is_listed"]:
        removed_at = _text(model["removed_at"])
        yield "not listed", f"removed {removed_at} UTC" if removed_at else "at that time"


def _lists(model: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "prices": [f"{_text(entry['path'])}: {_text(entry['value'])}" for entry in model["credit_details"]],
        "params": [_param(param) for param in model["params"]],
        "inputs": [f"{_text(entry['input_name'])} ({entry['requirement']})" for entry in model["inputs"]],
        "rules": [_text(rule) for rule in model["input_rules"]],
        "capabilities": [f"{_text(entry['capability'])}: {_text(entry['value'])}" for entry in model["capabilities"]],
        "costs": [_cost(interval) for interval in model["cost_history"]],
    }


def _cost(interval: Mapping[str, Any]) -> str:
    end = _text(interval["valid_to"]) or "now"
    return f"{_text(interval['valid_from'])} to {end}: {interval['credit_cost'] or 'none given'}"


def _param(param: Mapping[str, Any]) -> str:
    details = {
        "type": param["data_type"],
        "default": param["default_value"],
        "min": param["min_value"],
        "max": param["max_value"],
        "required": {1: "yes", 0: "no", None: None}[param["is_required"]],
        "options": ", ".join(param["options"]) or None,
    }
    text = "; ".join(f"{name} {_text(value)}" for name, value in details.items() if value is not None)
    return f"{_text(param['param_name'])}: {text or _text(param['definition'])}"
