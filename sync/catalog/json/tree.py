"""Canonical trees: what a JSON text says, such that two texts that mean the same are equal.

No difference: the order of keys, a null against an absent field, order and repeats in a list of
scalars, the spelling of a number. ``{}``, ``[]`` and ``""`` are values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from operator import lt
from typing import TypeAlias

import msgspec

MAX_KEY_CHARACTERS = 255

# A number is written out in full up to this many characters, in scientific notation beyond.
_PLAIN_CHARACTERS = 80
_EXPONENT_DIGITS = 18
_NUMBER = re.compile(rf"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{{1,{_EXPONENT_DIGITS}}}))?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class MalformedError(ValueError):
    """A JSON text that is not taken; the message is the reason, for people."""


class Number:
    """A JSON number as its canonical decimal text: ``5.000``, ``5`` and ``5e0`` are all ``5``. Not to be changed."""

    # Of no kind that the encoder knows by itself: it asks how to write one.
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Number({self.text!r})"


Tree: TypeAlias = "str | bool | Number | list[Tree | None] | dict[str, Tree]"


def canonical_json(tree: Tree | None) -> str:
    """The one JSON text for a tree: sorted keys, no blanks, numbers as canonical decimals."""
    if isinstance(tree, (dict, list)):
        try:
            return _ENCODER.encode(tree).decode()
        except UnicodeEncodeError:  # lone surrogates, which the encoder refuses
            return _escaped("".join(_tokens(tree)))
    return scalar_json(tree)


def scalar_json(scalar: Tree | None) -> str:
    """The same for what holds nothing else."""
    if isinstance(scalar, str):
        text = encode_basestring(scalar)
        return text if text.isascii() else _escaped(text)
    return scalar.text if isinstance(scalar, Number) else _plain_json(scalar)


def scalar_text(tree: Tree | None) -> str:
    """A value as a database column shows it: strings bare, all else canonical JSON."""
    return storable(tree) if isinstance(tree, str) else canonical_json(tree)


def storable(text: str) -> str:
    """Text that every database takes: without NUL, lone surrogates replaced by U+FFFD."""
    if is_storable(text):
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def is_storable(text: str) -> bool:
    """Whether a database can keep the text unchanged."""
    return "\0" not in text if text.isascii() else not _UNSTORABLE.search(text)


def is_scalar(tree: Tree | None) -> bool:
    return not isinstance(tree, (list, dict))


def canonical_number(token: str) -> str:
    """The canonical decimal text of a JSON number: no sign on zero, no needless zero or exponent.

    Raises ``MalformedError`` when the exponent has more digits than any number needs.
    """
    if len(token) <= _PLAIN_CHARACTERS and token.isdigit():
        return token  # as it is: JSON has no leading zeros
    match = _NUMBER.fullmatch(token)
    if match is None:
        raise MalformedError("a number is out of all bounds")
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    digits = (whole + fraction).lstrip("0")
    shift = exponent - len(fraction)
    stripped = digits.rstrip("0")
    if not stripped:
        return "0"
    return sign + _spell(stripped, shift + len(digits) - len(stripped))


def _spell(digits: str, shift: int) -> str:
    """``digits`` times ten to the power of ``shift``."""
    point = len(digits) + shift
    if abs(point - 1) >= 10**_EXPONENT_DIGITS:
        raise MalformedError("a number is out of all bounds")  # its canonical text could not be read again
    if max(len(digits), point, len(digits) - point) > _PLAIN_CHARACTERS:
        return f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}E{point - 1:+d}"
    if shift >= 0:
        return digits + "0" * shift
    if point > 0:
        return f"{digits[:point]}.{digits[point:]}"
    return f"0.{'0' * -point}{digits}"


def as_set(scalars: list[Tree | None]) -> list[Tree | None]:
    """A list of scalars without repeats, in canonical order."""
    if len(scalars) < 2:
        return scalars
    texts = [*map(scalar_json, scalars)]
    if all(map(lt, texts, texts[1:])):
        return scalars
    by_text = dict(zip(texts, scalars, strict=True))
    return [*map(by_text.__getitem__, sorted(by_text))]


def _tokens(tree: Tree | None) -> Iterator[str]:
    if isinstance(tree, dict):
        yield "{"
        for position, key in enumerate(sorted(tree)):
            yield ("," if position else "") + encode_basestring(key) + ":"
            yield from _tokens(tree[key])
        yield "}"
    elif isinstance(tree, list):
        yield "["
        for position, item in enumerate(tree):
            yield "," if position else ""
            yield from _tokens(item)
        yield "]"
    else:
        yield encode_basestring(tree) if isinstance(tree, str) else _plain_json(tree)


def _plain_json(scalar: Tree | None) -> str:
    if isinstance(scalar, Number):
        return scalar.text
    return {None: "null", True: "true", False: "false"}[scalar]  # type: ignore[index]  # only these are left


def _escaped(text: str) -> str:
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _encoded_number(number: Number) -> msgspec.Raw:
    return msgspec.Raw(number.text.encode())


_ENCODER = msgspec.json.Encoder(enc_hook=_encoded_number, order="sorted")
