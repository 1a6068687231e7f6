"""Text from outside made safe to print."""

from __future__ import annotations

import pytest

from sync.catalog.text import one_line


@pytest.mark.parametrize(("text", "line"), [("a\r\n\tb", "a b"), ("", ""), ("\x00", ""), ("abcdefghij", "abcde...")])
def test_one_line_is_one_line(text: str, line: str) -> None:
    assert one_line(text, 8) == line
