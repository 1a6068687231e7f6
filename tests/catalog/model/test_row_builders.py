"""Every shape in which the API may send params, inputs and capabilities, as rows."""

from __future__ import annotations

import pytest

from sync.catalog.json.tree import MalformedError
from sync.catalog.model.entities import rows_of
from sync.catalog.model.records import Row
from sync.catalog.model.row_builders import (
    capability_rows,
    input_rows,
    input_rule_rows,
    model_rows,
    param_option_rows,
    param_rows,
)
from tests.support.made_responses import spelled, tree

NOTHING = (None, None, None, None, None)


def param(entry: object) -> Row:
    """The row of a parameter, without its name and its definition."""
    (row,) = param_rows(tree({"params": {"p": entry}}))
    assert row[0] == "p"
    return row[1:6]


def options(entry: object) -> list[object]:
    rows = list(param_option_rows(tree({"params": {"p": entry}})))
    assert [row[:2] for row in rows] == [("p", position) for position in range(len(rows))]
    return [row[2] for row in rows]


def inputs(value: object) -> list[Row]:
    return list(input_rows(tree({"inputs": value})))


def rules(value: object) -> list[Row]:
    return list(input_rule_rows(tree({"inputs": value})))


def capabilities(value: object) -> list[Row]:
    return list(capability_rows(tree({"capabilities": value})))


@pytest.mark.parametrize(
    ("entry", "columns"),
    [
        ({"type": "integer", "default": 5, "min": 1, "max": 10, "required": True}, ("integer", "5", "1", "10", 1)),
        (
            {"data_type": "x", "default_value": "a", "minimum": 0, "maximum": 2, "is_required": False},
            ("x", "a", "0", "2", 0),
        ),
        ({"min_value": spelled("0.50"), "max_value": spelled("5e0")}, (None, None, "0.5", "5", None)),
        ({"type": ["integer", "null"]}, ('["integer","null"]', None, None, None, None)),
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
        ({"values": [{"w": 2}, {"w": 1}]}, ['{"w":2}', '{"w":1}']),
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
    ((*_, definition),) = param_rows(tree({"params": {"p": {"x": {"y": [spelled("1.0")]}, "label": None, "max": 2}}}))

    assert definition == '{"max":2,"x":{"y":[1]}}'


def test_a_parameter_that_is_null_is_absent() -> None:
    assert list(param_rows(tree({"params": {"p": None}}))) == []


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
    [{"required": 5}, {"optional": True}, {"required": [5]}, {"required": [["prompt"]]}, {"optional": [{"id": "a"}]}],
)
def test_an_input_without_a_name_is_malformed(value: object) -> None:
    with pytest.raises(MalformedError, match=r"inputs\.(required|optional)"):
        inputs(value)


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


@pytest.mark.parametrize("text", ["prompt", "One_of:a", ":a", "one-of:a", "one of:a", ""])
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


@pytest.mark.parametrize("section", ["credits", "params", "inputs", "capabilities"])
@pytest.mark.parametrize("value", [[], [1], "a", 5, True])
def test_a_section_that_is_no_object_is_malformed(section: str, value: object) -> None:
    with pytest.raises(MalformedError, match=f"{section} is not an object"):
        rows_of(tree({section: value}))


def test_texts_of_a_model_are_kept_as_they_are() -> None:
    assert list(model_rows(tree({"name": " N ", "provider": "", "description": None}))) == [(" N ", "", None)]


@pytest.mark.parametrize("field", ["name", "provider", "description"])
@pytest.mark.parametrize("value", [5, True, [], {}])
def test_a_name_that_is_no_text_is_malformed(field: str, value: object) -> None:
    with pytest.raises(MalformedError, match=f"{field} is not a string"):
        list(model_rows(tree({field: value})))


@pytest.mark.parametrize(
    "value",
    [
        {"params": {"": 1}},
        {"inputs": {"required": [""]}},
        {"inputs": {"required": ["a" * 256]}},
        {"inputs": {"optional": ["a\0"]}},
        {"inputs": {"optional": ["\ud800"]}},
        {"capabilities": {"": 1}},
        {"capabilities": {"a" * 200: {"b" * 200: 1}}},
    ],
)
def test_a_name_that_cannot_be_a_key_is_malformed(value: object) -> None:
    with pytest.raises(MalformedError, match="has a name that is empty, longer than 255 characters, or contains"):
        rows_of(tree(value))


def test_a_text_for_people_loses_nul_and_lone_surrogates_and_json_shows_them() -> None:
    entry = {"default": "a\0b\ud800", "options": [["\0\udfff"]]}

    assert param(entry)[1] == "ab\ufffd"
    assert options(entry) == ['["\\u0000\\udfff"]']


def test_rows_do_not_depend_on_the_order_of_keys() -> None:
    one = {"params": {"b": {"options": {"x": 1, "a": 2}}, "a": 1}, "capabilities": {"b": {"y": 1, "x": 2}, "a": 1}}
    other = {"capabilities": {"a": 1, "b": {"x": 2, "y": 1}}, "params": {"a": 1, "b": {"options": {"a": 2, "x": 1}}}}

    assert rows_of(tree(one)) == rows_of(tree(other))
