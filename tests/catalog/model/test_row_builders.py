"""Every shape in which the API may send params, inputs and capabilities, as rows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync.catalog.json.tree import MalformedError
from sync.catalog.model.entities import rows_of
from sync.catalog.model.records import Row
from sync.catalog.model.row_builders import (
    capability_rows,
    cost_notes,
    credit_detail_rows,
    input_rows,
    input_rule_rows,
    model_rows,
    param_option_rows,
    param_rows,
)
from tests.support.made_responses import parts, spelled

NOTHING = (None, None, None, None, None)


def param(entry: object) -> Row:
    """The row of a parameter, without its name and its definition."""
    (row,) = param_rows(parts({"params": {"p": entry}}))
    assert row[0] == "p"
    return row[1:6]


def options(entry: object) -> list[object]:
    rows = list(param_option_rows(parts({"params": {"p": entry}})))
    assert [row[:2] for row in rows] == [("p", position) for position in range(len(rows))]
    return [row[2] for row in rows]


def inputs(value: object) -> list[Row]:
    return list(input_rows(parts({"inputs": value})))


def rules(value: object) -> list[Row]:
    return list(input_rule_rows(parts({"inputs": value})))


def capabilities(value: object) -> list[Row]:
    return list(capability_rows(parts({"capabilities": value})))


@pytest.mark.parametrize(
    ("entry", "columns"),
    [
        ({"type": "integer", "default": 5, "min": 1, "max": 10, "required": True}, ("integer", "5", "1", "10", 1)),
        (
            {"data_type": "x", "default_value": "a", "minimum": 0, "maximum": 2, "is_required": False},
            ("x", "a", "0", "2", 0),
        ),
        ({"min_value": spelled("0.50"), "max_value": spelled("5e0")}, (None, None, "0.5", "5", None)),
        ({"type": ["integer", "null"]}, ("integer", None, None, None, None)),
        ({"type": ["integer", "string"]}, NOTHING),
        ({"type": {"x": 1}, "min": {"$ref": "x"}, "max": []}, NOTHING),
        ({"default": False}, (None, "false", None, None, None)),
        ({"default": ""}, (None, "", None, None, None)),
        ({"default": {"w": 1}}, (None, '{"w":1}', None, None, None)),
        ({"default": None, "required": "yes"}, NOTHING),
        ({"default": "a", "default_value": "b"}, (None, "a", None, None, None)),
        ({"label": "Size"}, NOTHING),
        ({}, NOTHING),
        (["1K", "2K"], NOTHING),
        ([], NOTHING),
        ("jpeg", (None, "jpeg", None, None, None)),
        (spelled("8.0"), (None, "8", None, None, None)),
        (True, (None, "true", None, None, None)),
    ],
)
def test_a_parameter_in_any_shape_becomes_a_row(entry: object, columns: Row) -> None:
    assert param(entry) == columns


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"options": ["b", "a", "b"]}, ["a", "b"]),
        ({"enum": [spelled("10"), spelled("9.0"), True, None]}, ["10", "9", "null", "true"]),
        ({"enum": [spelled("10"), spelled("9.0"), "-1.5"]}, ["-1.5", "9", "10"]),
        ({"values": [{"w": 2}, {"w": 1}]}, []),
        ({"options": [["a"], ["b"]]}, []),
        ({"choices": {"small": "512 px", "large": "1024 px"}}, ["large", "small"]),
        ({"options": ["a"], "enum": ["b"]}, ["a"]),
        ({"options": []}, []),
        ({"options": "a"}, []),
        ({"label": ["a"]}, []),
        (["2K", "1K"], ["1K", "2K"]),
        ([], []),
        ("jpeg", []),
        (5, []),
    ],
)
def test_the_options_of_a_parameter_are_found_in_any_shape(entry: object, expected: list[object]) -> None:
    assert options(entry) == expected


def test_a_definition_keeps_the_whole_entry() -> None:
    ((*_, definition),) = param_rows(parts({"params": {"p": {"x": {"y": [spelled("1.0")]}, "label": None, "max": 2}}}))

    assert definition == '{"max":2,"x":{"y":[1]}}'


def test_a_parameter_that_is_null_is_absent() -> None:
    assert list(param_rows(parts({"params": {"p": None}}))) == []


@pytest.mark.parametrize(
    "value",
    [
        {"required": ["prompt"], "optional": ["image_url", "seed", "seed"]},
        {"required": [{"name": "prompt"}], "optional": [{"name": "seed", "type": "int"}, "image_url"]},
        {"required": {"prompt": {}}, "optional": {"seed": {"type": "int"}, "image_url": True}},
        {"required": "prompt", "optional": ["seed", None, "image_url", "one_of:prompt,seed"]},
    ],
)
def test_inputs_in_any_shape_become_rows(value: object) -> None:
    assert inputs(value) == [("required", "prompt"), ("optional", "image_url"), ("optional", "seed")]


@pytest.mark.parametrize("value", [{}, {"required": []}, {"required": None}, {"optional": {}}, {"notes": ["prompt"]}])
def test_no_inputs_are_no_rows(value: object) -> None:
    assert inputs(value) == []


@pytest.mark.parametrize(
    "value",
    [
        {"rules": ["one_of:prompt,speech_text"]},
        {"rules": "one_of:prompt,speech_text"},
        {"required": ["prompt", "one_of:prompt,speech_text"]},
        {"any": {"deep": [{"rule": "one_of:prompt,speech_text"}]}},
        {"one_of:prompt,speech_text": True},
        {"rules": ["one_of:prompt,speech_text"], "optional": ["one_of:prompt,speech_text", "seed"]},
    ],
)
def test_a_rule_is_found_anywhere_in_inputs(value: object) -> None:
    assert rules(value) == [(0, "one_of", "one_of:prompt,speech_text")]


def test_rules_are_ranked_whatever_their_order() -> None:
    assert rules({"rules": ["one_of:b", "all_of:z", "one_of:a"]}) == [
        (0, "all_of", "all_of:z"),
        (1, "one_of", "one_of:a"),
        (2, "one_of", "one_of:b"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("prompt", ":a", "one-of:a", "one of:a", "", "one_of:", "one_of:a,", "one_of:a b", "one_of:a:b"),
        *("https://host/a.png", "data:image/png;base64,AAAA", "data:text", "mailto:a@host", "mailto:a", "tel:123"),
        *("localhost:8080", "12:30", "at:12:30", "hh:mm", "C:a", "urn:isbn:1", "size:10mb", "note: see the guide"),
    ],
)
def test_other_strings_are_no_rules(text: str) -> None:
    assert rules({"notes": [text]}) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"audio": True}, [("audio", 0, "true")]),
        ({"sizes": ["b", "a", "b"]}, [("sizes", 0, "a"), ("sizes", 1, "b")]),
        ({"sizes": [spelled("10"), spelled("9.0")]}, [("sizes", 0, "10"), ("sizes", 1, "9")]),
        ({"speech": {"voices": {"max": 3}}}, [("speech.voices.max", 0, "3")]),
        ({"a.b": {"c\\d": 1}}, [("a\\.b.c\\\\d", 0, "1")]),
        ({"none": None}, []),
        ({"empty": {}}, [("empty", 0, "{}")]),
        ({"empty": []}, [("empty", 0, "[]")]),
        ({"empty": ""}, [("empty", 0, "")]),
        ({"list": [{"x": 1}, "y"]}, [("list", 0, '{"x":1}'), ("list", 1, "y")]),
        ({}, []),
    ],
)
def test_capabilities_become_rows_with_dotted_paths(value: object, expected: list[Row]) -> None:
    assert capabilities(value) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a.b": 1}, {"a": {"b": 1}}), ({"a\\.b": 1}, {"a\\": {"b": 1}}), ({"a\\": {"b": 1}}, {"a.b": 1})],
)
def test_different_paths_are_never_written_alike(one: object, other: object) -> None:
    assert capabilities(one) != capabilities(other)


@pytest.mark.parametrize("value", [[], [1], "a", 5, True])
def test_credits_that_are_no_object_are_malformed(value: object) -> None:
    with pytest.raises(MalformedError, match="credits is not an object"):
        rows_of(parts({"credits": value}))


def test_texts_of_a_model_are_kept_as_they_are() -> None:
    assert list(model_rows(parts({"name": " N ", "provider": "", "description": None}))) == [(" N ", "", None)]


@pytest.mark.parametrize("value", [5, True, [], {}])
def test_a_name_that_is_no_text_is_none(value: object) -> None:
    found = parts({"name": value, "provider": value, "description": value, "credits": {"notes": value}})

    assert list(model_rows(found)) == [(None, None, None)]
    assert cost_notes(found) is None


@pytest.mark.parametrize("name", ["", "a" * 256, "a\0", "\ud800"])
@pytest.mark.parametrize("section", ["params", "capabilities", "credits"])
def test_a_name_that_cannot_be_a_key_gives_no_row(section: str, name: str) -> None:
    found = rows_of(parts({section: {name: {"options": [1]} if section == "params" else 1, "b": [2]}}))
    tables = {"params": ("params", "param_options"), "credits": ("credit_details",)}.get(section, (section,))

    assert [{str(row[0]).partition(".")[0] for row in found[table]} for table in tables] == [{"b"}] * len(tables)


def test_a_path_of_more_than_255_characters_gives_no_row() -> None:
    assert capabilities({"a" * 200: {"b" * 200: 1, "c": 1}}) == [(f"{'a' * 200}.c", 0, "1")]


@pytest.mark.parametrize("name", ["", "a" * 256, "a\0", "\ud800"])
def test_an_input_that_cannot_be_a_key_gives_no_row(name: str) -> None:
    assert inputs({"required": [name, "prompt"], "optional": {name: 1}}) == [("required", "prompt")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"default_cost": 1, "notes": "n"}, []),
        ({"default_cost": 1, "tiers": []}, [("tiers", "[]", None)]),
        ({"a.b": {"c": True, "d": None}}, [("a\\.b.c", "true", None)]),
        (
            {"tiers": [{"cost": spelled("9.50")}, [None, "x"]]},
            [("tiers.0.cost", "9.5", Decimal("9.5")), ("tiers.1.0", "x", None), ("tiers.1.1", "null", None)],
        ),
        ({"x": spelled("1e12")}, [("x", "1000000000000", None)]),
        (
            {"x": spelled("-999999999999.9999999999994")},
            [("x", "-999999999999.9999999999994", Decimal("-999999999999.999999999999"))],
        ),
        ({"x": spelled("1e-999999")}, [("x", "1E-999999", None)]),
        ({"x": "5"}, [("x", "5", None)]),
    ],
)
def test_values_beside_the_cost_become_rows_with_dotted_paths(value: object, expected: list[Row]) -> None:
    assert list(credit_detail_rows(parts({"credits": value}))) == expected


def test_a_text_for_people_loses_nul_and_lone_surrogates_and_json_shows_them() -> None:
    entry = {"default": "a\0b\ud800", "options": {"\0\udfff": 1}, "type": "\ud800"}

    assert param(entry)[:2] == ("\ufffd", "ab\ufffd")
    assert options(entry) == ["\ufffd"]


def test_rows_do_not_depend_on_the_order_of_keys() -> None:
    one = {"params": {"b": {"options": {"x": 1, "a": 2}}, "a": 1}, "capabilities": {"b": {"y": 1, "x": 2}, "a": 1}}
    other = {"capabilities": {"a": 1, "b": {"x": 2, "y": 1}}, "params": {"a": 1, "b": {"options": {"a": 2, "x": 1}}}}

    assert rows_of(parts(one)) == rows_of(parts(other))
