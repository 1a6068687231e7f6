"""What is read fast is what the strict reader reads; and the two ways of writing a tree agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalog.json import decoder
from sync.catalog.json.decoder import decode_object
from sync.catalog.json.tree import MalformedError, Number, canonical_json

# Few keys and values, so that repeats and look-alikes are common.
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.sampled_from(["", "1", "a", 1, 0, 1.5]),
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=5)
)
_OBJECTS = st.dictionaries(st.text(max_size=3), _VALUES, max_size=6)


def strictly(text: str) -> Any:
    try:
        return decoder._strict(text)
    except MalformedError as error:
        return str(error)


def fast(text: str) -> Any:
    try:
        return decoder._decode_fast(text)
    except MalformedError as error:
        return str(error)


@given(_OBJECTS, st.booleans())
def test_a_model_that_is_read_fast_is_read_as_strictly(value: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001  # drawn
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)

    assert fast(text) in (None, strictly(text))


def test_an_ordinary_model_is_read_fast() -> None:
    text = '{"id":"a","n":[3,1.5,"ä",null,true],"o":{"x":{"y":[]}},"cost":0.035,"big":123456789012345678901234567890}'

    assert fast(text) == strictly(text) != None  # noqa: E711  # the fast reader's own word for no


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"b":{"c":1,"c":2}}',
        '{"a":1e400}',
        '{"a":-0}',
        '{"a":-0.0e5}',
        '{"a":1.0E3}',
        '{"a":0.1234567890123456789012345678901234567890123}',
        '{"a":NaN}',
        '{"a":"\\ud800"}',
        '{"a":"\\u0041"}',
        '{"a":"\\/"}',
        '{"a": 1}',
        '{"a":1} ',
        '{"a":1}x',
        '{"a":"\x01"}',
        '{"a":01}',
        "[1]",
        "",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_strict_reader(text: str) -> None:
    assert fast(text) is None


def test_decimals_that_are_equal_in_value_are_equal_however_they_are_spelled() -> None:
    assert decode_object('{"a":[1.50,1.5,15e-1,2.0,2]}') == {"a": [Number("1.5"), Number("2")]}


def test_every_character_is_written_as_the_encoder_of_the_standard_library_writes_it() -> None:
    for code in (*range(0x3000), *range(0xD7F0, 0xE010), 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF):
        char = chr(code)
        is_lone = 0xD800 <= code < 0xE000
        written = f'"\\u{code:04x}"' if is_lone else json.dumps(char, ensure_ascii=False)
        assert canonical_json(char) == written
        assert canonical_json([char]) == f"[{written}]"
        assert canonical_json({char: Number("1")}) == f"{{{written}:1}}"
