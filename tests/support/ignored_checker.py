"""Checks what ignored fields left out of history, without the program's code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.support.history_checker import Row, meaning, plain_json

_OWN_ENTITIES = ("credits", "params", "inputs", "capabilities", "raw_available_params")
_SEGMENT = r"(?:[^.\\]|\\.)+"


def covers(path: str, entity: str, field: str | None) -> bool:
    """Whether a path of ``ignored_fields`` covers a field of ``catalog_changes``."""
    pattern = r"\.".join(_SEGMENT if part == "*" else re.escape(part) for part in re.findall(_SEGMENT, path))
    whole = entity if field is None else f"{entity}.{field}"
    return re.match(rf"{pattern}(?:\.|\Z)", whole, re.DOTALL) is not None


def ignored_findings(versions: list[Row], events: list[Row], ignored: list[Row]) -> Iterator[str]:
    """Events of fields that were ignored, and versions that were opened for nothing else."""
    for event in events:
        paths = _paths_at(ignored, event["changed_at"])
        if event["change_kind"] == "changed" and any(covers(path, event["entity"], event["field"]) for path in paths):
            yield f"event {event['change_id']} is about a field that was ignored"
    for old, new in pairwise(versions):
        paths = _paths_at(ignored, new["valid_from"])
        if paths and old["valid_to"] == new["valid_from"] and _without(old, paths) == _without(new, paths):
            yield f"the version of {new['valid_from']} differs from the one before in nothing but ignored fields"


def earliest_time(event: Row, versions: list[Row], events: list[Row], ignored: list[Row]) -> datetime | None:
    """Since when the field of an event was ignored, if the event found what had changed meanwhile."""
    before = max((row["valid_from"] for row in versions if row["valid_from"] < event["changed_at"]), default=None)
    same = [each for each in events if each["change_id"] == event["change_id"] or _is_repeated_by(event, each)]
    starts = [
        row["valid_from"]
        for row in ignored
        for each in same
        if before is not None and row["valid_to"] is not None and before < row["valid_to"] <= event["changed_at"]
        if event["change_kind"] == "changed" and covers(row["path"], each["entity"], each["field"])
    ]
    return min(starts, default=None)


def _is_repeated_by(event: Row, other: Row) -> bool:
    keys = ("changed_at", "field", "old_value", "new_value")
    return (event["entity"], other["entity"]) == ("raw_available_params", "params") and all(
        event[key] == other[key] for key in keys
    )


def _paths_at(ignored: list[Row], moment: datetime) -> list[str]:
    return [
        row["path"]
        for row in ignored
        if row["valid_from"] <= moment and (row["valid_to"] is None or moment < row["valid_to"])
    ]


def _without(version: Row, paths: list[str]) -> Any:
    def is_ignored(entity: str, field: str | None) -> bool:
        return any(covers(path, entity, field) for path in paths)

    kept: dict[str, Any] = {}
    for name, value in plain_json(version["raw"]).items():
        entity, field = (name, None) if name in _OWN_ENTITIES else ("models", _escaped(name))
        if not is_ignored(entity, field):
            kept[name] = _kept(value, entity, field, is_ignored)
    return meaning(kept)


def _kept(value: Any, entity: str, field: str | None, is_ignored: Callable[[str, str | None], bool]) -> Any:
    if not isinstance(value, dict):
        return value
    below = {key: f"{field}.{_escaped(key)}" if field is not None else _escaped(key) for key in value}
    return {
        key: _kept(one, entity, below[key], is_ignored)
        for key, one in value.items()
        if not is_ignored(entity, below[key])
    }


def _escaped(key: str) -> str:
    text = key.replace("\\", "\\\\").replace(".", "\\.")
    return re.sub("[\x00\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)
