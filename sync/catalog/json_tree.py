"""JSON read strictly into canonical trees: two texts that mean the same give equal trees.

No difference: the order of keys, a null against an absent field, order and repeats in a list of
scalars, the spelling of a number. ``{}``, ``[]`` and ``""`` are values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import NoReturn, TypeAlias

from msgspec import Struct

MAX_DEPTH = 64
MAX_TEXT_BYTES = 1024 * 1024
MAX_KEY_CHARACTERS = 255

# A number is written out in full up to this many characters, in scientific notation beyond.
_PLAIN_CHARACTERS = 80
_EXPONENT_DIGITS = 18
_NUMBER = re.compile(rf"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{{1,{_EXPONENT_DIGITS}}}))?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class MalformedError(ValueError):
    """A JSON text that is not taken; the message is the reason, for people."""


class Number(Struct, frozen=True):
    """A JSON number as its canonical decimal text: ``5.000``, ``5`` and ``5e0`` are all ``5``."""

    text: str


Tree: TypeAlias = "str | bool | Number | list[Tree | None] | dict[str, Tree]"


def decode_object(text: str) -> dict[str, Tree]:
    """The canonical tree of one JSON object.

    Raises ``MalformedError`` for what is not strict JSON, not an object, has a key twice in one
    object, a key that cannot be stored, or goes beyond the bounds of this module.
    """
    try:
        tree = json.loads(
            text,
            object_pairs_hook=_canonical_object,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise MalformedError(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise MalformedError(f"it is not valid JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(tree, dict):
        raise MalformedError("it is not a JSON object")
    _check_bounds(text, tree)
    return tree


def canonical_json(tree: Tree | None) -> str:
    """The one JSON text for a tree: sorted keys, no blanks, numbers as canonical decimals."""
    text = "".join(_tokens(tree))
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def scalar_text(tree: Tree | None) -> str:
    """A value as a database column shows it: strings bare, all else canonical JSON."""
    return storable(tree) if isinstance(tree, str) else canonical_json(tree)


def storable(text: str) -> str:
    """Text that every database takes: without NUL, lone surrogates replaced by U+FFFD."""
    if not _UNSTORABLE.search(text):
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def is_storable(text: str) -> bool:
    """Whether a database can keep the text unchanged."""
    return not _UNSTORABLE.search(text)


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


def _number(token: str) -> Number:
    return Number(canonical_number(token))


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedError(f"{name} is not JSON")


def _canonical_object(pairs: list[tuple[str, Tree | None]]) -> dict[str, Tree]:
    tree: dict[str, Tree] = {}
    seen = set()
    for key, value in pairs:
        if key in seen:
            raise MalformedError(f"the key {key[:80]!r} stands twice in one object")
        seen.add(key)
        if value is not None:
            tree[key] = _canonical_list(value) if isinstance(value, list) else value
    return tree


def _canonical_list(items: list[Tree | None]) -> list[Tree | None]:
    """A list of scalars as a set in canonical order; any other list keeps its order."""
    # Plain loops and no calls where they can be spared: a hostile text is dense with lists.
    for item in items:
        if isinstance(item, (list, dict)):
            break
    else:
        by_text = {item.text if isinstance(item, Number) else canonical_json(item): item for item in items}
        return [by_text[text] for text in sorted(by_text)]
    return [_canonical_list(item) if isinstance(item, list) else item for item in items]


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
        yield _scalar_json(tree)


def _scalar_json(scalar: Tree | None) -> str:
    if isinstance(scalar, str):
        return encode_basestring(scalar)
    if isinstance(scalar, Number):
        return scalar.text
    return {None: "null", True: "true", False: "false"}[scalar]  # type: ignore[index]  # only these are left


def _check_bounds(text: str, tree: Tree) -> None:
    """Depth, keys and text fields. A short text can break no length bound: only keys are looked at."""
    check_texts = len(text) > MAX_TEXT_BYTES // 4  # a character takes four bytes at most
    level: list[Tree | None] = [tree]
    for _ in range(MAX_DEPTH):
        below: list[Tree | None] = []
        for node in level:
            if isinstance(node, dict):
                for key in node:
                    _check_key(key)
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
            elif check_texts and isinstance(node, str):
                _check_text(node)
        if not below:
            return
        level = below
    if any(not is_scalar(node) for node in level):
        raise MalformedError(f"it is nested deeper than {MAX_DEPTH} levels")


def _check_key(key: str) -> None:
    if len(key) > MAX_KEY_CHARACTERS:
        raise MalformedError(f"a key is longer than {MAX_KEY_CHARACTERS} characters: {key[:40]!r}...")
    if not is_storable(key):
        raise MalformedError(f"the key {key[:80]!r} has a character that cannot be stored")


def _check_text(text: str) -> None:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise MalformedError(f"a text is longer than {MAX_TEXT_BYTES} bytes")
