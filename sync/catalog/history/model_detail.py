"""One model in full, as the API described it at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync.catalog.json.decoder import decode_object
from sync.catalog.json.tree import Tree
from sync.catalog.model.entities import MODELS, TABLES, rows_of
from sync.catalog.model.parts import ModelParts

_BY_TABLE = {shape.table: shape for shape in (MODELS, *TABLES)}


@dataclass(frozen=True, slots=True)
class ModelDetail:
    """The content of a version. Each list has the rows of its table, as objects by column."""

    model_name: str | None
    provider: str | None
    description: str | None
    credit_cost: str | None
    """Exact decimal."""
    credit_notes: str | None
    credit_details: list[dict[str, Any]]
    params: list[dict[str, Any]]
    inputs: list[dict[str, Any]]
    input_rules: list[str]
    capabilities: list[dict[str, Any]]
    raw_available_params: Tree | None


def model_detail(raw: str) -> ModelDetail:
    """The detail of a stored version's text. Raises ``MalformedError`` when the text is not an accepted model."""
    tree = decode_object(raw)
    rows = {table: _by_column(table, table_rows) for table, table_rows in rows_of(ModelParts(tree)).items()}
    model, credit = rows["models"][0], rows["credits"][0]
    # Readers want the options with their parameter, although they are rows of a separate table.
    options: dict[str, list[str]] = {}
    for option in rows["param_options"]:
        options.setdefault(option["param_name"], []).append(option["option_value"])
    return ModelDetail(
        model_name=model["name"],
        provider=model["provider"],
        description=model["description"],
        credit_cost=credit["default_cost_exact"],
        credit_notes=credit["notes"],
        credit_details=[{name: row[name] for name in ("path", "value")} for row in rows["credit_details"]],
        params=[{**param, "options": options.get(param["param_name"], [])} for param in rows["params"]],
        inputs=rows["inputs"],
        input_rules=[rule["rule"] for rule in rows["input_rules"]],
        capabilities=rows["capabilities"],
        raw_available_params=tree.get("raw_available_params"),
    )


def _by_column(table: str, rows: Any) -> list[dict[str, Any]]:
    shape = _BY_TABLE[table]
    return [dict(zip((*shape.key, *shape.values), row, strict=True)) for row in rows]
