"""A text with lone surrogates has a shadow of the same length that a strict decoder takes."""

from __future__ import annotations

import json

import pytest

from sync.catalog.json.surrogates import replace_lone_surrogates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb'"\ud800"', rb'"\ufffd"'),
        (rb'"\uDBFF\u0041"', rb'"\ufffd\u0041"'),
        (rb'"\udc00\ud800"', rb'"\ufffd\ufffd"'),
        (rb'"\ud800\ud800\udc00"', rb'"\ufffd\ud800\udc00"'),
        (rb'"\\\ud800"', rb'"\\\ufffd"'),
        (rb'"\"\udfff"', rb'"\"\ufffd"'),
    ],
)
def test_a_lone_surrogate_is_replaced(text: bytes, expected: bytes) -> None:
    assert replace_lone_surrogates(text) == expected


@pytest.mark.parametrize(
    "text", [rb'"\ud83d\ude00"', rb'"\\ud800"', rb'"\\\\udfff"', rb'"\u0041\n\u0000"', "ä😀".encode(), b"\\", b""]
)
def test_all_else_stays(text: bytes) -> None:
    assert replace_lone_surrogates(text) == text


def test_the_shadow_has_the_same_length_and_structure() -> None:
    text = json.dumps([{"a\ud800": "\udfff\ud800\udc00\\"}, "\\\ud800\\\\", 1]).encode()
    plain = json.loads(replace_lone_surrogates(text))

    assert len(replace_lone_surrogates(text)) == len(text)
    assert plain == [{"a\ufffd": "\ufffd\U00010000\\"}, "\\\ufffd\\\\", 1]
