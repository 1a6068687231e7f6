"""Lone surrogates: legal in JSON text, refused by the fast decoder.

``replace_lone_surrogates`` gives a text of the same length in which the decoder finds the same structure; the pieces
are then cut from the original, so what is stored stays exactly what was sent.
"""

from __future__ import annotations

import re

_REPLACEMENT = rb"\ufffd"
_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# Text and escapes that are well, as far as they go, and then lone surrogates, as many as stand side by
# side. Nothing is tried twice, and the second part may be missing: so a long text takes one pass.
_WELL = rb"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F][0-9a-fA-F]{2})|%b%b)*+" % (_HIGH, _LOW)
_LONE = rb"((?:%b(?!%b)|%b)++)?" % (_HIGH, _LOW, _LOW)
_STRETCH = re.compile(_WELL + _LONE, re.DOTALL)


def replace_lone_surrogates(text: bytes) -> bytes:
    """The same JSON with each lone surrogate escape replaced by one of the same length."""
    copy = bytearray(text)
    for stretch in _STRETCH.finditer(text):
        start, end = stretch.span(1)
        if end > start:
            copy[start:end] = _REPLACEMENT * ((end - start) // len(_REPLACEMENT))
    return bytes(copy)
