"""Escapes of lone surrogates: legal in JSON text, but refused by msgspec.

``replace_lone_surrogates`` returns a text of the same length and structure that msgspec decodes. Positions
found in it hold for the original too, so what is stored stays exactly what was sent.
"""

from __future__ import annotations

import re

_REPLACEMENT = rb"\ufffd"
_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# The pattern matches a stretch without lone surrogates, then all adjacent lone ones, which may be none.
# Possessive quantifiers (*+, ++) never backtrack, so even a hostile text takes linear time.
_WELL_FORMED = rb"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F][0-9a-fA-F]{2})|%b%b)*+" % (_HIGH, _LOW)
_LONE = rb"((?:%b(?!%b)|%b)++)?" % (_HIGH, _LOW, _LOW)
_STRETCH = re.compile(_WELL_FORMED + _LONE, re.DOTALL)


def replace_lone_surrogates(text: bytes) -> bytes:
    """The same JSON with the escape of U+FFFD, which has the same length, for each lone surrogate."""
    copy = bytearray(text)
    for stretch in _STRETCH.finditer(text):
        start, end = stretch.span(1)
        if end > start:
            copy[start:end] = _REPLACEMENT * ((end - start) // len(_REPLACEMENT))
    return bytes(copy)
