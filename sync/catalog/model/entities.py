"""The one schema of entities: which tables a model spreads over, and what the change log calls them.

A new table is an entry here, a function in ``shapes`` and a migration; diff, apply and change log
follow by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from sync.catalog.json.paths import Path, strings
from sync.catalog.json.tree import Tree
from sync.catalog.model import row_builders
from sync.catalog.model.records import Row

# Goes up when the same raw text would give other rows: the tables are then rebuilt from the open
# versions, without events. Only rows of TABLES may differ: names, costs and what the change log calls
# a field (ENTITIES) stand in rows of history that are never written again.
NORMALISER_VERSION = "1"


class TableShape(Struct, frozen=True):
    """A table that a model's rows go to; its columns are ``model_pk``, then key, then values."""

    table: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    make_rows: Callable[[dict[str, Tree]], Iterable[Row]]


class Entity(Struct, frozen=True):
    """What the change log calls one top-level field of a model."""

    name: str
    field: str | None
    """The API's field; None for the entity that takes every field without an entity of its own."""


MODELS = TableShape("models", (), ("name", "provider", "description"), row_builders.model_rows)

# Children stand after the tables they refer to: rows are inserted in this order, deleted in reverse.
TABLES = (
    TableShape("credits", (), ("default_cost", "default_cost_exact", "notes"), row_builders.credit_rows),
    TableShape(
        "params",
        ("param_name",),
        ("data_type", "default_value", "min_value", "max_value", "is_required", "definition"),
        row_builders.param_rows,
    ),
    TableShape("param_options", ("param_name", "position"), ("option_value",), row_builders.param_option_rows),
    TableShape("inputs", ("requirement", "input_name"), (), row_builders.input_rows),
    TableShape("input_rules", ("position",), ("rule_kind", "rule"), row_builders.input_rule_rows),
    TableShape("capabilities", ("capability", "position"), ("value",), row_builders.capability_rows),
)

ENTITIES = (
    Entity("models", None),
    Entity("credits", "credits"),
    Entity("params", "params"),
    Entity("inputs", "inputs"),
    Entity("capabilities", "capabilities"),
    Entity("raw_available_params", "raw_available_params"),
)
INPUT_RULES = "input_rules"  # has no field of its own: its values are found among the inputs


def rows_of(tree: dict[str, Tree]) -> dict[str, tuple[Row, ...]]:
    """Every row of a model by table. Raises ``MalformedError`` for what cannot be keyed."""
    return {shape.table: tuple(shape.make_rows(tree)) for shape in (MODELS, *TABLES)}


def entity_fields(tree: dict[str, Tree]) -> Iterator[tuple[str, Tree | None]]:
    """Each entity's name with the part of the tree that it covers, in the order of the change log."""
    own = {entity.field for entity in ENTITIES if entity.field}
    yield "models", {key: value for key, value in tree.items() if key not in own}
    for entity in ENTITIES:
        if entity.field:
            yield entity.name, tree.get(entity.field)


def split_by_entity(
    entity: str, path: Path, old: Tree | None, new: Tree | None
) -> Iterator[tuple[str, Tree | None, Tree | None]]:
    """A changed value under the entity it belongs to: rules found among the inputs go to input_rules."""
    if entity != "inputs":
        yield entity, old, new
        return
    if path and row_builders.is_rule(path[-1]) and (old is None or new is None):
        yield INPUT_RULES, old, new
        return
    old_names, old_rules = _without_rules(old)
    new_names, new_rules = _without_rules(new)
    rules_differ = old_rules != new_rules
    if rules_differ:
        yield INPUT_RULES, old_rules, new_rules
    if old_names != new_names and not (rules_differ and _is_nothing(old_names) and _is_nothing(new_names)):
        yield entity, old_names, new_names
    elif not rules_differ and old_names == new_names:
        yield entity, old, new  # only the place of a rule among other things changed


def _without_rules(value: Tree | None) -> tuple[Tree | None, Tree | None]:
    """The value without its rules, and its rules; one deeper inside stays in the value too, which needs it."""
    if row_builders.is_rule(value):
        return None, value
    rules: list[Tree | None] = [*sorted(set(filter(row_builders.is_rule, strings(value))))]
    if isinstance(value, list) and rules:
        return [item for item in value if not row_builders.is_rule(item)] or None, rules
    return value, rules or None


def _is_nothing(value: Tree | None) -> bool:
    return value is None or value == []
