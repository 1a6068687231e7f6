"""Masking the API key in quoted text."""

from __future__ import annotations

import pytest

from sync.source.api_key import mask

_KEY = "gva_live_x1y2z3.abcd1234efgh"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"no key {_KEY} here", "no key [hidden] here"),
        (f"{_KEY}{_KEY}", "[hidden]"),
        ("id gva_live_x1y2z3", "id [hidden]"),
        ("secret ABCD1234EFGH", "secret [hidden]"),
        ("begins with gva_live_x1y", "begins with [hidden]"),
        ("ends with d1234efgh!", "ends with [hidden]!"),
        ("gva_live_x1y2z3 and abcd1234efgh", "[hidden] and [hidden]"),
        ("gva abcd live 1234", "gva abcd live 1234"),
        ("\u0130 then gva_live_x1y2z3", "\u0130 then [hidden]"),
        ("", ""),
    ],
)
def test_the_key_and_its_pieces_are_hidden(text: str, masked: str) -> None:
    assert mask(text, _KEY) == masked


def test_a_short_key_is_hidden_as_a_whole() -> None:
    assert mask("key abcd, not abc", "abcd") == "key [hidden], not abc"


def test_parts_of_a_key_that_are_too_short_are_not_masked() -> None:
    assert mask("a bad b", "a.b") == "a bad b"
