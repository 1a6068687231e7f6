"""The secrets of the tests, and the search for them in output."""

from __future__ import annotations

KEY = "gva_live_q7w8e9r0.zvkTheKeyThatNobodyMaySee"
PASSWORD = "xkcdThePasswordOfTheDatabase"
_PIECES = ("q7w8e9r0", "zvkTheKey", "NobodyMaySee", "ThePasswordOf", "xkcdThe")


def require_hidden(text: str) -> None:
    """Fails if the text contains a secret or a larger piece of one."""
    found = [piece for piece in _PIECES if piece.lower() in text.lower()]
    assert not found, f"{found} in {text}"
