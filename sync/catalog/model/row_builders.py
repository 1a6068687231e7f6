"""Rows from the API's loosely documented objects: one function per table.

Each function takes the parts of a model and returns rows in the order of the table's columns. What has a
shape that is not recognised, or a name that cannot be a key, gives no row; ``sync.catalog.model.unread``
names it. Only a cost that cannot be trusted raises ``MalformedError``.

Lists of scalars are sets: ``position`` is the rank of a value in canonical order, not its place in the API's
list.
"""

from __future__ import annotations

from collections.abc import Iterator

from sync.catalog.json.tree import MalformedError, Number, Tree, canonical_json, scalar_text, storable
from sync.catalog.model.costs import fits_number_column, for_arithmetic, is_cost
from sync.catalog.model.parts import ModelParts, is_key
from sync.catalog.model.records import Row

_QUOTE_LIMIT = 80  # characters of a value in an error


def model_rows(parts: ModelParts) -> Iterator[Row]:
    tree = parts.tree
    yield model_text(tree, "name"), model_text(tree, "provider"), model_text(tree, "description")


def credit_rows(parts: ModelParts) -> Iterator[Row]:
    cost = exact_cost(parts)
    yield for_arithmetic(cost), cost, cost_notes(parts)


def credit_detail_rows(parts: ModelParts) -> Iterator[Row]:
    """One row per value under ``credits`` beside the cost and its notes, by its dotted path."""
    for name, value in parts.credit_details:
        if name is not None:
            number = value.text if isinstance(value, Number) and fits_number_column(value.text) else None
            yield name, scalar_text(value), for_arithmetic(number)


def param_rows(parts: ModelParts) -> Iterator[Row]:
    """One row per parameter, whatever the shape of its entry."""
    for param in parts.params:
        if is_key(param.name):
            bounds = (param.minimum, param.maximum)
            yield param.name, param.data_type, param.default, *bounds, param.is_required, param.definition


def param_option_rows(parts: ModelParts) -> Iterator[Row]:
    for param in parts.params:
        if param.options and is_key(param.name):
            for position, option in enumerate(param.options):
                yield param.name, position, option


def input_rows(parts: ModelParts) -> Iterator[Row]:
    """One row per named input. A string that is a rule is not a name."""
    return (pair for pair in parts.inputs.names if is_key(pair[1]))


def input_rule_rows(parts: ModelParts) -> Iterator[Row]:
    for position, rule in enumerate(parts.inputs.rules):
        yield position, rule.partition(":")[0].strip(), storable(rule)


def capability_rows(parts: ModelParts) -> Iterator[Row]:
    """One row per value under ``capabilities``, by its dotted path; one per entry of a list."""
    for name, value in parts.capabilities:
        if name is not None:
            values = value if isinstance(value, list) and value else [value]  # an empty list is one value, []
            for position, item in enumerate(values):
                yield name, position, scalar_text(item)


def exact_cost(parts: ModelParts) -> str | None:
    """The exact decimal of ``credits.default_cost``; None when it is absent or null.

    Raises ``MalformedError`` for anything that is not a valid cost: history never has a guessed one.
    """
    cost = parts.credits.get("default_cost")
    if cost is None:
        return None
    if not isinstance(cost, Number):
        kind = "credits.default_cost is not a number"
        raise MalformedError(f"{kind}: {canonical_json(cost)[:_QUOTE_LIMIT]}", kind)
    if not is_cost(cost.text):
        kind = "credits.default_cost is negative, or has more than 12 integer digits or 40 decimals"
        raise MalformedError(f"{kind}: {cost.text[:_QUOTE_LIMIT]}", kind)
    return cost.text


def cost_notes(parts: ModelParts) -> str | None:
    return model_text(parts.credits, "notes")


def model_text(fields: dict[str, Tree], name: str) -> str | None:
    """A text field as a column holds it; None when it is absent or not a string."""
    value = fields.get(name)
    return storable(value) if isinstance(value, str) else None
