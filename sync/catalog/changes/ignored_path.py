"""Paths of ignored fields: an entity and a field of the change log, in which ``*`` stands for one segment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from sync.catalog.model.entities import ENTITIES, INPUT_RULES

Segments: TypeAlias = tuple[str, ...]
"""The keys of a path, each as the change log writes it: with ``\\`` before dots and backslashes."""

MAX_PATH_CHARACTERS = 255
ANY = "*"
ENTITY_NAMES = (*(entity.name for entity in ENTITIES), INPUT_RULES)

# A dot or a backslash inside a key has a backslash before it; what no database stores is written as \uXXXX.
_SEGMENT = re.compile(r"(?:[^\\.]|\\[\\.]|\\u0000|\\ud[89a-f][0-9a-f]{2})+")
_SPLIT = re.compile(r"((?:[^\\.]|\\.)*)(?:\.|\Z)", re.DOTALL)
# What a model is, and what it costs: without a change of these there is no history worth the name.
_PROTECTED = (("models", "id"), ("models", "mode"), ("credits", "default_cost"))


class PathError(ValueError):
    """A path cannot be ignored. The message is the rest of a line that begins with the path."""


def parse_path(text: str) -> Segments:
    """The segments of a path, its entity first. Raises ``PathError`` for one that cannot be ignored."""
    if len(text) > MAX_PATH_CHARACTERS:
        raise PathError(f"it is longer than {MAX_PATH_CHARACTERS} characters; write * in place of the long names")
    entity, *fields = segments = split_field(text)
    if entity not in ENTITY_NAMES:
        raise PathError(f"it does not begin with {', '.join(ENTITY_NAMES[:-1])} or {ENTITY_NAMES[-1]}, and a dot")
    for segment in fields:
        _require_well_formed(segment)
    if entity == "models" and fields and fields[0] in ENTITY_NAMES[1:-1]:
        raise PathError(f"{fields[0]} is no field of models; write {'.'.join(fields)}")
    for protected in _PROTECTED:
        if covers(segments, protected) or segments[: len(protected)] == protected:
            raise PathError(
                f"it would hide changes of {'.'.join(protected)}, which cannot be ignored; name other fields"
            )
    return segments


def is_usable(path: str) -> bool:
    """Whether the path can be ignored."""
    try:
        parse_path(path)
    except PathError:
        return False
    return True


def split_field(text: str) -> Segments:
    """The segments of a path or of a field of the change log."""
    found: list[str] = []
    position = 0
    while True:
        match = _SPLIT.match(text, position)
        if match is None:  # a backslash at the end
            return *found, text[position:]
        found.append(match[1])
        position = match.end()
        if match[0] == match[1]:
            return tuple(found)


def covers(path: Sequence[str], field: Sequence[str]) -> bool:
    """Whether a field, with its entity before it, is at the path or under it."""
    return len(path) <= len(field) and all(one in (ANY, other) for one, other in zip(path, field, strict=False))


def path_to(entity: str, field: str | None) -> str:
    """A path that covers a field of the change log; ``*`` in place of a name that a path cannot have."""
    segments = () if field is None else split_field(field)
    return ".".join((entity, *(segment if _is_well_formed(segment) else ANY for segment in segments)))


def _require_well_formed(segment: str) -> None:
    if not segment:
        raise PathError("a name in it is empty; write * in place of a name that is")
    if ANY in segment and segment != ANY:
        raise PathError(f"{segment} is not a whole name; * stands for one whole name between dots")
    if not _is_well_formed(segment):
        raise PathError(r"a backslash in it is not before a dot or a backslash; write \\ for a backslash in a name")


def _is_well_formed(segment: str) -> bool:
    return _SEGMENT.fullmatch(segment) is not None and (ANY not in segment or segment == ANY)
