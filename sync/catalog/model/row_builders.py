"""Rows from the API's loosely documented objects: one function per table.

The API documents neither the shape of an entry in ``params`` nor where ``inputs`` has its rules, so many
shapes are recognised here. What is not recognised gives no column and stays in ``definition`` and in the
version's text. Each function takes a model's canonical tree, returns rows in the order of the table's
columns, and raises ``MalformedError`` for a name that cannot be a key.

Lists of scalars are sets: ``position`` is the rank of a value in canonical order, not its place in the API's
list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sync.catalog.json.paths import dotted, leaves, strings
from sync.catalog.json.tree import (
    MAX_KEY_CHARACTERS,
    MalformedError,
    Number,
    Tree,
    canonical_json,
    is_storable,
    scalar_text,
    storable,
)
from sync.catalog.model.costs import for_arithmetic, is_cost
from sync.catalog.model.records import Row

_QUOTE_LIMIT = 80  # characters of a value in an error
_RULE = re.compile(r"[a-z_]+:")  # as in one_of:prompt,speech_text
# Of several names for the same thing the first one that is present is used.
_OPTION_FIELDS = ("options", "enum", "values", "choices")
_TYPE_FIELDS = ("type", "data_type")
_DEFAULT_FIELDS = ("default", "default_value")
_MIN_FIELDS = ("min", "minimum", "min_value")
_MAX_FIELDS = ("max", "maximum", "max_value")
_REQUIRED_FIELDS = ("required", "is_required")


def section(tree: dict[str, Tree], name: str) -> dict[str, Tree]:
    """The object in a top-level field, empty when the field is absent."""
    value = tree.get(name, {})
    if not isinstance(value, dict):
        raise MalformedError(f"{name} is not an object")
    return value


def model_rows(tree: dict[str, Tree]) -> Iterator[Row]:
    yield model_text(tree, "name"), model_text(tree, "provider"), model_text(tree, "description")


def credit_rows(tree: dict[str, Tree]) -> Iterator[Row]:
    cost = exact_cost(tree)
    yield for_arithmetic(cost), cost, cost_notes(tree)


def param_rows(tree: dict[str, Tree]) -> Iterator[Row]:
    """One row per parameter, whatever the shape of its entry. A bare scalar is the default, a bare list the options."""
    for name, entry in sorted(section(tree, "params").items()):
        definition = canonical_json(entry)
        yield _param(name, entry, definition)


def _param(name: str, entry: Tree, definition: str) -> Row:
    fields = entry if isinstance(entry, dict) else {}
    default = _first(fields, _DEFAULT_FIELDS) if isinstance(entry, (dict, list)) else entry
    required = _first(fields, _REQUIRED_FIELDS)
    return (
        _key(name, "params"),
        _column_text(_first(fields, _TYPE_FIELDS)),
        _column_text(default),
        _column_text(_first(fields, _MIN_FIELDS)),
        _column_text(_first(fields, _MAX_FIELDS)),
        int(required) if isinstance(required, bool) else None,  # no guess at other values, such as "yes"
        definition,
    )


def param_option_rows(tree: dict[str, Tree]) -> Iterator[Row]:
    for name, entry in sorted(section(tree, "params").items()):
        options = _first(entry, _OPTION_FIELDS) if isinstance(entry, dict) else entry
        if isinstance(options, dict):
            options = [*sorted(options)]  # {"small": "512 px", ...}: the keys are what a caller may send
        if isinstance(options, list):
            # The tree has a list of scalars in canonical order, so the API's order makes no difference.
            for position, option in enumerate(options):
                yield name, position, scalar_text(option)


def input_rows(tree: dict[str, Tree]) -> Iterator[Row]:
    """One row per named input. A string that is a rule is not a name."""
    inputs = section(tree, "inputs")
    for requirement in ("required", "optional"):
        names = {name for name in _input_names(inputs.get(requirement, []), requirement) if not is_rule(name)}
        for name in sorted(names):
            yield requirement, _key(name, f"inputs.{requirement}")


def input_rule_rows(tree: dict[str, Tree]) -> Iterator[Row]:
    """One row per rule, from every string in ``inputs``, keys included."""
    # Everywhere, since the API does not document where inputs has its rules.
    rules = {text for text in strings(section(tree, "inputs")) if is_rule(text)}
    for position, rule in enumerate(sorted(rules)):
        yield position, rule.partition(":")[0], storable(rule)


def capability_rows(tree: dict[str, Tree]) -> Iterator[Row]:
    """One row per value under ``capabilities``, by its dotted path; one per entry of a list."""
    for path, value in leaves(section(tree, "capabilities")):
        name = _key(dotted(path), "capabilities")
        values = value if isinstance(value, list) and value else [value]  # an empty list is one value, []
        for position, item in enumerate(values):
            yield name, position, scalar_text(item)


def exact_cost(tree: dict[str, Tree]) -> str | None:
    """The exact decimal of ``credits.default_cost``; None when it is absent or null.

    Raises ``MalformedError`` for anything that is not a valid cost: history never has a guessed one.
    """
    cost = section(tree, "credits").get("default_cost")
    if cost is None:
        return None
    if not isinstance(cost, Number):
        raise MalformedError(f"credits.default_cost is not a number: {_quoted(cost)}")
    if not is_cost(cost.text):
        raise MalformedError(
            "credits.default_cost is negative, or has more than 12 integer digits or 40 decimals:"
            f" {cost.text[:_QUOTE_LIMIT]}"
        )
    return cost.text


def cost_notes(tree: dict[str, Tree]) -> str | None:
    return model_text(section(tree, "credits"), "notes", "credits.notes")


def model_text(fields: dict[str, Tree], name: str, path: str | None = None) -> str | None:
    """A text field as a column holds it; None when it is absent. ``path`` names the field in an error."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedError(f"{path or name} is not a string: {_quoted(value)}")
    return None if value is None else storable(value)


def is_rule(text: Tree | None) -> bool:
    """Whether a string in ``inputs`` is a rule, such as ``one_of:prompt,speech_text``."""
    return isinstance(text, str) and _RULE.match(text) is not None


def _first(fields: Tree, names: tuple[str, ...]) -> Tree | None:
    if isinstance(fields, dict):
        for name in names:
            if name in fields:
                return fields[name]
    return None


def _column_text(value: Tree | None) -> str | None:
    return None if value is None else scalar_text(value)


def _input_names(entries: Tree, requirement: str) -> Iterator[str]:
    """Names come as strings, as objects with ``name``, or as the keys of one object. A null entry gives none."""
    if isinstance(entries, (str, dict)):
        yield from [entries] if isinstance(entries, str) else entries
        return
    if not isinstance(entries, list):
        raise MalformedError(f"inputs.{requirement} is not a list, an object or a string")
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(name, str):
            yield name
        elif entry is not None:
            raise MalformedError(f"inputs.{requirement} has an entry without a name: {_quoted(entry)}")


def _quoted(value: Tree) -> str:
    return canonical_json(value)[:_QUOTE_LIMIT]


def _key(text: str, where: str) -> str:
    if not text or len(text) > MAX_KEY_CHARACTERS or not is_storable(text):
        raise MalformedError(
            f"{where} has a name that is empty, longer than {MAX_KEY_CHARACTERS} characters,"
            f" or contains NUL or a lone surrogate: {text[:_QUOTE_LIMIT]!r}"
        )
    return text
