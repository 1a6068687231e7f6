"""Two JSON texts that mean the same give equal trees; what is not strict JSON is refused."""

from __future__ import annotations

import json

import pytest

from sync.catalog.json.decoder import MAX_DEPTH, MAX_TEXT_BYTES, decode_object, require_storable_keys
from sync.catalog.json.tree import (
    MAX_KEY_CHARACTERS,
    MalformedError,
    Number,
    canonical_json,
    canonical_number,
    scalar_text,
    storable,
)


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("5", "5"),
        ("5.000", "5"),
        ("5e0", "5"),
        ("50E-1", "5"),
        ("0.5e+1", "5"),
        ("-0", "0"),
        ("-0.0e5", "0"),
        ("0E999", "0"),
        ("-1.50", "-1.5"),
        ("100", "100"),
        ("1e2", "100"),
        ("0.0010", "0.001"),
        ("1e-3", "0.001"),
        ("0.1", "0.1"),
        ("0.049999999999999996", "0.049999999999999996"),
        ("12345678901234567890.0987654321", "12345678901234567890.0987654321"),
        ("1e79", "1" + "0" * 79),
        ("1e80", "1E+80"),
        ("1e999", "1E+999"),
        ("10E+998", "1E+999"),
        ("-12.5e999", "-1.25E+1000"),
        ("1e-80", "0." + "0" * 79 + "1"),
        ("1e-81", "1E-81"),
        ("1E+999999", "1E+999999"),
    ],
)
def test_a_number_has_one_canonical_spelling(sent: str, canonical: str) -> None:
    assert canonical_number(sent) == canonical


def test_a_number_of_5000_digits_keeps_them_all() -> None:
    digits = "7" * 5000

    assert canonical_number(digits) == f"7.{digits[1:]}E+4999"


@pytest.mark.parametrize("sent", ["1e9999999999999999999", "1E-9999999999999999999", "10e999999999999999999"])
def test_an_exponent_beyond_all_bounds_is_refused(sent: str) -> None:
    with pytest.raises(MalformedError, match="exponent of a number has more than 18 digits"):
        decode_object(f'{{"a": {sent}}}')


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_is_not_json_is_refused(constant: str) -> None:
    with pytest.raises(MalformedError, match="is not valid JSON"):
        decode_object(f'{{"a": {constant}}}')


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
        ('{"a": null}', "{}"),
        ('{"a": {"b": [{"c": null}]}}', '{"a": {"b": [{}]}}'),
        ('{"a": ["x", "y", "x"]}', '{"a": ["y", "x"]}'),
        ('{"a": [2, 1.0, 1]}', '{"a": [1, 2.00]}'),
        ('{"a": [[2, 1], {}]}', '{"a": [[1, 2], {}]}'),
        ('{"a": [true, null, "a", 1]}', '{"a": [1, "a", null, true, true]}'),
        ('{"a": "\\u0041\\/"}', '{"a": "A/"}'),
    ],
)
def test_texts_that_mean_the_same_are_equal(one: str, other: str) -> None:
    assert decode_object(one) == decode_object(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": {}}', "{}"),
        ('{"a": []}', "{}"),
        ('{"a": ""}', "{}"),
        ('{"a": {}}', '{"a": []}'),
        ('{"a": false}', "{}"),
        ('{"a": 0}', "{}"),
        ('{"a": [null]}', '{"a": []}'),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": 0}', '{"a": false}'),
        ('{"a": "1"}', '{"a": 1}'),
        ('{"a": [1, "1"]}', '{"a": [1]}'),
        ('{"a": [{"b": 1}, {"c": 1}]}', '{"a": [{"c": 1}, {"b": 1}]}'),
        ('{"a": [[1], [2]]}', '{"a": [[2], [1]]}'),
        ('{"a": "A"}', '{"a": "a"}'),
        ('{"a": "x "}', '{"a": "x"}'),
    ],
)
def test_texts_that_differ_in_meaning_are_not_equal(one: str, other: str) -> None:
    assert decode_object(one) != decode_object(other)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '{"b": [{"a": 1, "\\u0061": 2}]}', '{"a": null, "a": 1}'])
def test_a_key_twice_in_one_object_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="'a' appears twice"):
        decode_object(text)


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": 1,}', "{'a': 1}", '{"a": 01}', '{"a": "\t"}', '{"a": 1} {}', '{"a": .5}']
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="not valid JSON"):
        decode_object(text)


@pytest.mark.parametrize("text", ["[]", "1", "null", '"a"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="not a JSON object"):
        decode_object(text)


def nested(levels: int) -> str:
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def test_64_levels_are_taken() -> None:
    assert decode_object(nested(MAX_DEPTH))


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 100_000])
def test_more_levels_are_refused(levels: int) -> None:
    with pytest.raises(MalformedError, match="deeper than 64"):
        decode_object(nested(levels))


def test_a_key_of_255_characters_is_taken_and_a_longer_one_refused() -> None:
    require_storable_keys({"ä" * MAX_KEY_CHARACTERS: "x"})
    with pytest.raises(MalformedError, match="longer than 255"):
        require_storable_keys({"a": [{"ä" * (MAX_KEY_CHARACTERS + 1): "x"}]})


@pytest.mark.parametrize("key", ["a\0", "\ud800"])
def test_a_key_that_cannot_be_stored_is_refused(key: str) -> None:
    with pytest.raises(MalformedError, match="contains NUL or a lone surrogate"):
        require_storable_keys({"a": {key: "x"}})


def test_a_text_of_one_mebibyte_is_taken_and_a_longer_one_refused() -> None:
    assert decode_object(json.dumps({"a": "ä" * (MAX_TEXT_BYTES // 2)}, ensure_ascii=False))
    with pytest.raises(MalformedError, match="longer than 1048576 bytes"):
        decode_object(json.dumps({"a": ["ä" * (MAX_TEXT_BYTES // 2) + "a"]}, ensure_ascii=False))
    with pytest.raises(MalformedError, match="longer than 1048576 bytes"):
        decode_object(json.dumps({"a": {"x" * (MAX_TEXT_BYTES + 1): 1}}))


def test_canonical_json_sorts_keys_and_has_no_blanks() -> None:
    text = '{ "b" : [ {"d": 1.50, "c": null} , true ], "a" : "\\u00e4\\u0000\\ud800" }'

    assert canonical_json(decode_object(text)) == '{"a":"ä\\u0000\\ud800","b":[{"d":1.5},true]}'


def test_a_column_shows_strings_bare_and_all_else_as_json() -> None:
    values = ["a", "", True, None, Number("1.5"), [Number("1"), "x"], {}]

    assert [scalar_text(value) for value in values] == ["a", "", "true", "null", "1.5", '[1,"x"]', "{}"]  # type: ignore[arg-type]  # a list of all kinds


def test_storable_text_has_no_nul_and_no_lone_surrogate() -> None:
    assert storable("a\0b\ud800c\U0001f600") == "ab\ufffdc\U0001f600"
