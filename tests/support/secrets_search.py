"""The secrets of these tests, and the search for them."""

from __future__ import annotations

KEY = "gva_live_q7w8e9r0.zvkTheKeyThatNobodyMaySee"
PASSWORD = "xkcdThePasswordOfTheDatabase"
_PIECES = ("q7w8e9r0", "zvkTheKey", "NobodyMaySee", "ThePasswordOf", "xkcdThe")


def require_hidden(text: str) -> None:
    """No secret, and no larger piece of one, is in the text."""
    found = [piece for piece in _PIECES if piece.lower() in text.lower()]
    assert not found, f"{found} in {text}"
