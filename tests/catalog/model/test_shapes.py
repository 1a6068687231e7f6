"""Shapes of params, inputs and credits as public catalogs of AI models send them, and the rows that they give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.catalog.model.entities import rows_of
from sync.catalog.model.unread import unread_parts
from tests.support.made_responses import parts

CASES = json.loads((Path(__file__).parents[2] / "data/shapes.json").read_text())
OBJECT = {"type": "object", "properties": {"size": {"enum": ["1K", "2K"]}}, "required": ["size"]}
PARAM = ("data_type", "default_value", "min_value", "max_value", "is_required")


def found(fields: dict[str, Any]) -> dict[str, Any]:
    """What the rows of a model have, in the form of the cases."""
    rows: dict[str, Any] = rows_of(parts(fields))
    options = {name: [row[2] for row in rows["param_options"] if row[0] == name] for name, *_ in rows["params"]}
    return {
        "params": {
            row[0]: {**dict(zip(PARAM, row[1:6], strict=True)), "options": options[row[0]]} for row in rows["params"]
        },
        "inputs": {
            requirement: [row[1] for row in rows["inputs"] if row[0] == requirement]
            for requirement in ("required", "optional")
        },
        "rules": [row[2] for row in rows["input_rules"]],
        "credit_details": {row[0]: row[1] for row in rows["credit_details"]},
    }


def problems(fields: dict[str, Any]) -> list[str]:
    return [f"{unread.part} {' '.join(unread.problem.split()[:3])}" for unread in unread_parts(parts(fields))]


def param(entry: object) -> dict[str, Any]:
    """The columns of a parameter that are not empty."""
    return {name: value for name, value in found({"params": {"p": entry}})["params"]["p"].items() if value}


def inputs(value: object) -> tuple[list[str], list[str], list[str]]:
    rows = found({"inputs": value})
    return rows["inputs"]["required"], rows["inputs"]["optional"], rows["rules"]


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_a_shape_of_a_public_catalog_gives_its_rows(case: dict[str, Any]) -> None:
    fields: dict[str, Any] = {name: case[name] for name in ("params", "inputs", "credits") if name in case}

    assert {name: found(fields)[name] for name in case["expect"]} == case["expect"]
    assert problems(fields) == []


@pytest.mark.parametrize(
    "params",
    [
        {"size": ["1K", "2K"]},
        OBJECT,
        {"schema": OBJECT},
        {"schema": {"schema": OBJECT}},
        {"$schema": "https://json-schema.org", "properties": OBJECT["properties"]},
        {"type": "json_schema", "title": "T", "schema": OBJECT},
        {**OBJECT, "required": "size"},
        {**OBJECT, "type": None, "order": ["size"]},
        {"properties": OBJECT["properties"], "x-order": ["size"], "oneOf": [{"required": ["size"]}, {}]},
        {"size": {"schema": {"enum": ["1K", "2K"]}}},
        {"size": {"schema": {"type": "string", "oneOf": [{"const": "1K"}, {"const": "2K"}]}}},
        {"size": {"anyOf": [{"allOf": [{"enum": ["1K"]}, {"enum": ["2K", "1K"]}]}, {"type": "null"}]}},
        {"size": {"options": [{"value": "1K", "label": "a"}, {"id": "2K"}, "1K"]}},
        {"size": {"choices": {"1K": {"w": 1024}, "2K": {"w": 2048}}}},
        [{"name": "size", "allowed_values": ["1K", "2K"]}, None],
        [{"key": "size", "name": None, "values": ["1K", "2K"]}],
        [{"id": "size", "values": ["1K", "2K"]}] * 2,
    ],
)
def test_the_options_are_found_however_they_are_sent(params: object) -> None:
    assert {name: one["options"] for name, one in found({"params": params})["params"].items()} == {"size": ["1K", "2K"]}
    assert problems({"params": params}) == []


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]},
         {"data_type": "integer", "min_value": "0", "max_value": "9"}),
        ({"anyOf": [{"minimum": 0, "maximum": 9}, {"minimum": 20, "maximum": 9}]}, {"max_value": "9"}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, {}),
        ({"anyOf": [{"type": ["integer", "string"]}, {"type": "boolean"}]}, {}),
        ({"type": "select", "schema": {"type": "string", "default": "a"}},
         {"data_type": "select", "default_value": "a"}),
        ({"type": ["null", "number"], "default": None}, {"data_type": "number"}),
        ({"$ref": "#/x"}, {}),
        ({"range": [10, 5]}, {"min_value": "5", "max_value": "10"}),
        ({"range": [5, 5]}, {"min_value": "5", "max_value": "5"}),
        ({"range": {"min": 0, "maximum": 0.5}}, {"min_value": "0", "max_value": "0.5"}),
        ({"range": [1, 10], "min": 2}, {"min_value": "2", "max_value": "10"}),
        ({"range": [1, None]}, {}),
        ({"range": ["1", "4"]}, {}),
        ({"range": [1, 2, 3]}, {}),
        ({"range": "1-4"}, {}),
        ({"required": "True"}, {"is_required": 1}),
        ({"isRequired": 1}, {"is_required": 1}),
        ({"required": "yes"}, {}),
        ({"required": ["a"]}, {}),
        ({"const": True}, {"options": ["true"]}),
        ({"const": {"value": "a"}}, {"options": ["a"]}),
        ({"options": ["10s", "5s"]}, {"options": ["10s", "5s"]}),
        ({"options": ["1.0", "1", "-2", "10"]}, {"options": ["-2", "1", "1.0", "10"]}),
        ({"options": ["a", ["b"]]}, {}),
        ({"options": ["a", {"label": "B"}]}, {}),
        ({"options": [{"value": ["b"], "id": "c"}]}, {}),
        (["STRING", {"multiline": True}], {}),
        ({"options": ["9" * 50, "8" * 60, "1e1"]}, {"options": ["1e1", "9" * 50, "8" * 60]}),
        ({"options": [], "values": 5, "enum": ["a"]}, {"options": ["a"]}),
    ],
)  # fmt: skip
def test_a_column_has_what_an_entry_says_clearly(entry: object, expected: dict[str, Any]) -> None:
    assert param(entry) == expected


@pytest.mark.parametrize(
    ("params", "flags"),
    [
        ({"type": "object", "properties": {"a": {}, "b": True}, "required": ["b"]}, {"a": 0, "b": 1}),
        ({"type": "object", "properties": {"a": {"required": True}}}, {"a": 1}),
        ({"type": "object", "properties": {"a": {}}, "required": True}, {"a": None}),
        ({"type": "object", "additionalProperties": False}, {}),
        ({"type": "text", "properties": "x"}, {"type": None, "properties": None}),
        ({"prompt": {"required": True}, "schema": {"type": "object", "properties": {}}}, {"prompt": 1, "schema": None}),
        ([{"name": "a", "required": "false"}], {"a": 0}),
    ],
)
def test_a_schema_document_is_distinguished_from_params_of_the_same_names(
    params: object, flags: dict[str, Any]
) -> None:
    assert {name: one["is_required"] for name, one in found({"params": params})["params"].items()} == flags


def test_the_kind_of_a_rule_has_no_blanks_around_it() -> None:
    assert rows_of(parts({"inputs": [" one_of : a,b"]}))["input_rules"] == ((0, "one_of", " one_of : a,b"),)


def test_a_property_that_is_a_bare_schema_has_no_default() -> None:
    assert found({"params": {**OBJECT, "properties": {"a": True}}})["params"]["a"]["default_value"] is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["prompt", "one_of:a,b"], ([], ["prompt"], ["one_of:a,b"])),
        (["prompt", {"name": "image", "required": "true"}], (["image"], ["prompt"], [])),
        ({"prompt": "required", "image": "optional"}, (["prompt"], ["image"], [])),
        ({"type": "object", "properties": {"prompt": {}, "image": {}}, "required": ["prompt"]},
         (["prompt"], ["image"], [])),
        ({"schema": {"type": "object", "properties": {"prompt": {}}, "required": ["prompt"]}}, (["prompt"], [], [])),
        ({"required": {"type": "object", "properties": {"prompt": {}}}}, (["prompt"], [], [])),
        ({"required": ["a", "a", {"name": "a"}], "optional": ["a"]}, (["a"], ["a"], [])),
        ({"required": ["a"], "rules": {"any_of": [["b", "a"], ["c"]]}}, (["a"], [], ["any_of:a,b", "any_of:c"])),
        ({"required": ["a"], "examples": [["a", "b"]], "sizes": [["1:1", "a"], [1]]}, (["a"], [], [])),
        ({"required": ["a"], "rules": ["requires: mask, image"]}, (["a"], [], ["requires: mask, image"])),
        ({"one_of:a,b": {"x": 1}}, ([], [], ["one_of:a,b"])),
        ({"required": ["a", " one_of: a ,\tb "]}, (["a"], [], [" one_of: a ,\tb "])),
        ({"required": {"a": True, "b": False}, "optional": {"c": {}}}, (["a"], ["c"], [])),
        ({"required": [], "x" * 256: [["a", "b"]]}, ([], [], [])),
    ],
)  # fmt: skip
def test_inputs_and_rules_are_found_however_they_are_sent(
    value: object, expected: tuple[list[str], list[str], list[str]]
) -> None:
    assert inputs(value) == expected
    assert problems({"inputs": value}) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"params": "x"}, ["params have a shape"]),
        ({"params": ["a", "b"]}, ["params have a shape"]),
        ({"params": [{"name": "a"}, 5]}, ["params have entries of"]),
        ({"params": [{"name": "a"}, {"name": "a", "max": 1}]}, ["params have entries of"]),
        ({"params": {"allOf": [{"properties": {"a": {}}}]}}, ["params have a shape"]),
        ({"params": {"type": "object", "$ref": "#/components/schemas/Input"}}, ["params have a shape"]),
        ({"params": {"": 1}}, ["params have names that"]),
        ({"inputs": 5}, ["inputs have a shape"]),
        ({"inputs": {"audio": True}}, ["inputs have a shape"]),
        ({"inputs": {"required": ["a", 5]}}, ["inputs have entries of"]),
        ({"inputs": {"required": [["a"]]}}, ["inputs have a shape"]),
        ({"inputs": {"required": ["a", "\0"]}}, ["inputs have names that"]),
        ({"capabilities": ["edit"]}, ["capabilities have a shape"]),
        ({"capabilities": {"x": {"\ud800": 1}}}, ["capabilities have names that"]),
        ({"credits": {"x" * 256: 1, "notes": 5}}, ["credits.notes is not a", "credits have names that"]),
        ({"name": 5, "provider": [], "description": True},
         ["name is not a", "provider is not a", "description is not a"]),
        ({"params": {}, "inputs": {}, "capabilities": {}, "raw_available_params": 5}, []),
        ({"params": {"a": {"\0": 1}}, "inputs": {"required": [], "x": 1}}, []),
    ],
)  # fmt: skip
def test_what_gave_no_rows_is_named(fields: dict[str, Any], expected: list[str]) -> None:
    assert problems(fields) == expected
