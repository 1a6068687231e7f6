"""A model's canonical tree with its loosely documented parts, each read once however many tables need it."""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias

from sync.catalog.json.paths import Path, dotted, leaves, scalars
from sync.catalog.json.tree import MAX_KEY_CHARACTERS, MalformedError, Tree, is_storable
from sync.catalog.model.entries import Entries, named_entries
from sync.catalog.model.inputs import Inputs, read_inputs
from sync.catalog.model.params import Param, read_params

KeyedValue: TypeAlias = "tuple[str | None, Tree | None]"
"""A value with its dotted path; None for a path that cannot be a key."""

_COST_FIELDS = ("default_cost", "notes")  # they have columns in credits


class ModelParts:
    """The parts of one model. What cannot be a key is among them."""

    def __init__(self, tree: dict[str, Tree]) -> None:
        self.tree = tree

    @cached_property
    def credits(self) -> dict[str, Tree]:
        """Empty when absent. Raises ``MalformedError`` when it is not an object."""
        value = self.tree.get("credits", {})
        if not isinstance(value, dict):
            raise MalformedError("credits is not an object")  # a cost may be in it, and nobody can say which
        return value

    @cached_property
    def credit_details(self) -> list[KeyedValue]:
        """Each value under ``credits`` beside the cost and its notes."""
        details = ((name, value) for name, value in sorted(self.credits.items()) if name not in _COST_FIELDS)
        return [(key_of(path), value) for name, part in details for path, value in scalars(part, (name,))]

    @cached_property
    def param_entries(self) -> Entries:
        return named_entries(self.tree.get("params", {}))

    @cached_property
    def params(self) -> list[Param]:
        """In the order of their names."""
        return [*read_params(self.param_entries)]

    @cached_property
    def inputs(self) -> Inputs:
        return read_inputs(self.tree.get("inputs", {}))

    @cached_property
    def capabilities(self) -> list[KeyedValue]:
        """Each value under ``capabilities``; a list is one value."""
        section = self.tree.get("capabilities")
        return [(key_of(path), value) for path, value in leaves(section)] if isinstance(section, dict) else []


def key_of(path: Path) -> str | None:
    """The dotted name of a path; None when it cannot be a key."""
    if sum(map(len, path)) > MAX_KEY_CHARACTERS:
        return None  # before the keys are joined: many values may be under one key of a mebibyte
    name = dotted(path)
    return name if is_key(name) and all(map(is_storable, path)) else None


def is_key(text: str) -> bool:
    """Whether every database can keep a text as a key and tell it from all others."""
    return 0 < len(text) <= MAX_KEY_CHARACTERS and is_storable(text)
