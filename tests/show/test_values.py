"""Values for people and for programs."""

from __future__ import annotations

import pytest

from sync.catalog.json.tree import Number
from sync.show.values import exact_value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5", -5),
        ("9" * 80, int("9" * 80)),
        ("0.1", 0.1),
        ("0.12345678901234567890123", "0.12345678901234567890123"),
        ("1.5E+400", "1.5E+400"),
        ("1E-999999999999999999", "1E-999999999999999999"),
    ],
)
def test_a_number_stays_a_number_where_that_is_exact(text: str, expected: object) -> None:
    assert exact_value(Number(text)) == expected
