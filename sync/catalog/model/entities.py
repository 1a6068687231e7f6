"""The one schema of entities: the tables that hold a model, and the names of its parts in the change log.

A new table is an entry here, a function in ``row_builders`` and a migration. Diff, apply and change log
are generic and read the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from sync.catalog.json.paths import Path, strings
from sync.catalog.json.tree import Tree
from sync.catalog.model import row_builders
from sync.catalog.model.inputs import is_rule
from sync.catalog.model.parts import ModelParts
from sync.catalog.model.records import Row

# Raise it when the same raw text gives other rows. The next run then rebuilds the tables from the open
# versions, without events. Only rows of TABLES may differ between versions: names, costs and the entities
# of the change log are also in rows of history, which are never written again.
NORMALISER_VERSION = "2"


class TableShape(Struct, frozen=True):
    """A table with rows of models: its columns are ``model_pk``, then ``key``, then ``values``."""

    table: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    make_rows: Callable[[ModelParts], Iterable[Row]]


class Entity(Struct, frozen=True):
    """The name in the change log of one top-level field of a model."""

    name: str
    field: str | None
    """The API's field; None for the entity of all fields that have no other."""


MODELS = TableShape("models", (), ("name", "provider", "description"), row_builders.model_rows)

# A table comes after the tables it refers to: rows are inserted in this order and deleted in the reverse one.
TABLES = (
    TableShape("credits", (), ("default_cost", "default_cost_exact", "notes"), row_builders.credit_rows),
    TableShape("credit_details", ("path",), ("value", "value_number"), row_builders.credit_detail_rows),
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
EVENT_RULES = 2
"""The rules by which this version of the program makes events; ``sync_runs`` has those of each run.

By rules 1, of version 0.1, any string in inputs with lower-case letters before a colon was a rule, and a
number under credits beside the cost had no delta.
"""
# Not in ENTITIES, since it has no top-level field: rules are strings inside inputs.
INPUT_RULES = "input_rules"


def rows_of(parts: ModelParts) -> dict[str, tuple[Row, ...]]:
    """Every row of a model, by table. Raises ``MalformedError`` when the cost cannot be trusted."""
    return {shape.table: tuple(shape.make_rows(parts)) for shape in (MODELS, *TABLES)}


def entity_fields(tree: dict[str, Tree]) -> Iterator[tuple[str, Tree | None]]:
    """Each entity's name and its part of the tree, in the order of the change log.

    Together they cover the whole tree, so a change of an unknown field is an event of models.
    """
    fields = {entity.field for entity in ENTITIES if entity.field}
    yield "models", {key: value for key, value in tree.items() if key not in fields}
    for entity in ENTITIES:
        if entity.field:
            yield entity.name, tree.get(entity.field)


def split_by_entity(
    entity: str, path: Path, old: Tree | None, new: Tree | None, event_rules: int = EVENT_RULES
) -> Iterator[tuple[str, Tree | None, Tree | None]]:
    """A changed value, split into the entities that it belongs to: rules inside inputs are input_rules.

    Every change gives at least one part. A list with names and rules may give two.
    """
    if entity != "inputs":
        yield entity, old, new
        return
    if path and is_rule(path[-1], event_rules) and (old is None or new is None):
        yield INPUT_RULES, old, new
        return
    old_names, old_rules = _without_rules(old, event_rules)
    new_names, new_rules = _without_rules(new, event_rules)
    rules_differ = old_rules != new_rules
    if rules_differ:
        yield INPUT_RULES, old_rules, new_rules
    if old_names != new_names and not (rules_differ and _is_empty(old_names) and _is_empty(new_names)):
        yield entity, old_names, new_names
    elif not rules_differ and old_names == new_names:
        yield entity, old, new  # only the position of a rule changed


def _without_rules(value: Tree | None, event_rules: int) -> tuple[Tree | None, Tree | None]:
    """The value without its rules, and its rules. A rule deeper inside also stays in the value, to keep its shape."""
    if is_rule(value, event_rules):
        return None, value
    rules: list[Tree | None] = [*sorted({text for text in strings(value) if is_rule(text, event_rules)})]
    if isinstance(value, list) and rules:
        return [item for item in value if not is_rule(item, event_rules)] or None, rules
    return value, rules or None


def _is_empty(value: Tree | None) -> bool:
    return value is None or value == []
