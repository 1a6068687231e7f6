"""Lone surrogates: legal in JSON text, refused by the fast decoder.

``shadow`` gives a text of the same length in which the decoder finds the same structure; the pieces
are then cut from the original, so what is stored stays exactly what was sent.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}(?P<low>\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
    rb"|(?P<lone>u[dD][c-fC-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_HIGH = re.compile(rb"\\u[dD][89abAB]")


def shadow(text: bytes) -> bytes:
    """The same JSON with each lone surrogate escape replaced by one of the same length."""
    return _ESCAPE.sub(_replace_lone, text)


def _replace_lone(match: re.Match[bytes]) -> bytes:
    is_lone = match["lone"] or (_HIGH.match(match[0]) and not match["low"])
    return rb"\ufffd" if is_lone else match[0]
