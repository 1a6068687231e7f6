"""Canonical trees: JSON values in a form in which two texts that mean the same are equal.

Differences that do not change the catalog disappear: the order of keys, a null in place of an absent field
at any depth, order and repeats in a list of scalars, the spelling of a number. ``{}``,
``[]`` and ``""`` are values and differ from an absent field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from operator import lt
from typing import TypeAlias

import msgspec

MAX_KEY_CHARACTERS = 255  # the width of the key columns

# A canonical number has at most this many characters before it is in scientific notation. Without the
# limit 1e999999999 would be a text of a gigabyte. A valid cost always fits: 12 digits, a point, 40 decimals.
_PLAIN_CHARACTERS = 80
_EXPONENT_DIGITS = 18  # an exponent then fits into 64 bits, and no real number needs more
_NUMBER = re.compile(rf"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{{1,{_EXPONENT_DIGITS}}}))?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL in text; no UTF-8 has surrogates
_SURROGATE = re.compile("[\ud800-\udfff]")


class MalformedError(ValueError):
    """A JSON text is rejected. The message is the reason, a clause for a line that people read."""

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind or message
        """The reason without what was sent, which may differ in every response."""


class Number:
    """A JSON number as its canonical decimal text: ``5.000``, ``5`` and ``5e0`` are all ``5``. Never mutated."""

    # A plain class: msgspec would write a Struct or a dataclass itself, and not call the hook of _ENCODER.
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
"""A canonical value. A null is kept inside a list, where it has a position, and nowhere else."""


def canonical_json(tree: Tree | None) -> str:
    """The one JSON text of a tree: keys sorted, no blanks, numbers as canonical decimals.

    Lone surrogates are written as escapes, so the text can always be encoded as UTF-8.
    """
    if isinstance(tree, (dict, list)):
        try:
            return _ENCODER.encode(tree).decode()
        except UnicodeEncodeError:  # msgspec refuses lone surrogates
            return _escape_surrogates("".join(_tokens(tree)))
    return scalar_json(tree)


def scalar_json(scalar: Tree | None) -> str:
    """``canonical_json`` of a value that is not a list or an object."""
    if isinstance(scalar, str):
        text = encode_basestring(scalar)
        return text if text.isascii() else _escape_surrogates(text)
    return scalar.text if isinstance(scalar, Number) else _plain_json(scalar)


def scalar_text(tree: Tree | None) -> str:
    """A value as a text column holds it: a string without quotes, anything else as canonical JSON."""
    return storable(tree) if isinstance(tree, str) else canonical_json(tree)


def storable(text: str) -> str:
    """The text without NUL and with U+FFFD for each lone surrogate, which every database can store."""
    if is_storable(text):
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def is_storable(text: str) -> bool:
    """Whether every database can store the text unchanged."""
    return "\0" not in text if text.isascii() else not _UNSTORABLE.search(text)


def is_scalar(tree: Tree | None) -> bool:
    return not isinstance(tree, (list, dict))


def canonical_number(token: str) -> str:
    """The canonical decimal text of a JSON number: zero without a sign, no needless zero or exponent.

    Raises ``MalformedError`` when the exponent has more than 18 digits.
    """
    if len(token) <= _PLAIN_CHARACTERS and token.isdigit():
        return token  # JSON forbids leading zeros, so an integer is canonical
    match = _NUMBER.fullmatch(token)
    if match is None:
        raise _exponent_too_long()
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    digits = (whole + fraction).lstrip("0")
    shift = exponent - len(fraction)
    stripped = digits.rstrip("0")
    if not stripped:
        return "0"
    return sign + _shifted(stripped, shift + len(digits) - len(stripped))


def _shifted(digits: str, shift: int) -> str:
    """``digits`` times ten to the power of ``shift``, as canonical text."""
    point = len(digits) + shift
    if abs(point - 1) >= 10**_EXPONENT_DIGITS:
        raise _exponent_too_long()  # the canonical text is parsed again when a stored version is read
    if max(len(digits), point, len(digits) - point) > _PLAIN_CHARACTERS:
        return f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}E{point - 1:+d}"
    if shift >= 0:
        return digits + "0" * shift
    if point > 0:
        return f"{digits[:point]}.{digits[point:]}"
    return f"0.{'0' * -point}{digits}"


def _exponent_too_long() -> MalformedError:
    return MalformedError(f"the exponent of a number has more than {_EXPONENT_DIGITS} digits")


def as_set(scalars: list[Tree | None]) -> list[Tree | None]:
    """A list of scalars without repeats, in the order of their JSON texts."""
    if len(scalars) < 2:
        return scalars
    texts = [*map(scalar_json, scalars)]
    if all(map(lt, texts, texts[1:])):
        return scalars
    by_text = dict(zip(texts, scalars, strict=True))
    return [*map(by_text.__getitem__, sorted(by_text))]


def _tokens(tree: Tree | None) -> Iterator[str]:
    """The canonical JSON of a tree in parts, with lone surrogates as they are."""
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
    return {None: "null", True: "true", False: "false"}[scalar]  # type: ignore[index]  # no other scalar is left


def _escape_surrogates(text: str) -> str:
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _encoded_number(number: Number) -> msgspec.Raw:
    return msgspec.Raw(number.text.encode())


_ENCODER = msgspec.json.Encoder(enc_hook=_encoded_number, order="sorted")
