"""Strict decoding of JSON text into canonical trees, within bounds.

msgspec decodes fast but accepts some texts that are rejected here, such as an object with a repeated key.
When encoding its result gives exactly the text again, the text has nothing that msgspec overlooks, and the
result is used. Any other text is decoded by ``json``, whose hooks see every key and number.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from sync.catalog.json.tree import (
    MAX_KEY_CHARACTERS,
    MalformedError,
    Number,
    Tree,
    as_set,
    canonical_number,
    is_scalar,
    is_storable,
)

MAX_DEPTH = 64
"""Levels of lists and objects, the outermost object included."""
MAX_TEXT_BYTES = 1024 * 1024
"""UTF-8 bytes of one string or key."""

_SHORT = 40


def _decimal(token: str) -> Decimal:
    # Longer numbers are hostile or mistaken. The strict decoder never converts them, it keeps their text.
    if len(token) > _SHORT:
        raise ValueError("a number too long to be read fast")
    return Decimal(token)


_DECODER = msgspec.json.Decoder(float_hook=_decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def decode_object(text: str) -> dict[str, Tree]:
    """The canonical tree of one JSON object.

    Raises ``MalformedError`` when the text is not strict JSON or not an object, when a key appears
    twice in one object, and when a bound of this module is exceeded.
    """
    tree = _decode_fast(text)
    if tree is None:
        tree = _strict(text)
    if len(text) > MAX_TEXT_BYTES // 4:  # a character takes at most four bytes: a shorter text has no such string
        _check_strings(tree)
    return tree


def require_storable_keys(tree: Tree | None) -> None:
    """Raises ``MalformedError`` when a key anywhere in a tree is too long, or cannot be stored."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            _check_key(key)
            require_storable_keys(value)
    elif isinstance(tree, list):
        for item in tree:
            if isinstance(item, (dict, list)):
                require_storable_keys(item)


def _check_key(key: str) -> None:
    if len(key) > MAX_KEY_CHARACTERS:
        kind = f"a key is longer than {MAX_KEY_CHARACTERS} characters"
        raise MalformedError(f"{kind}: {key[:40]!r}...", kind)
    if not is_storable(key):
        raise MalformedError(
            f"the key {key[:80]!r} contains NUL or a lone surrogate", "a key contains NUL or a lone surrogate"
        )


def _decode_fast(text: str) -> dict[str, Tree] | None:
    """The tree of a text that msgspec encodes the same way again; None for any other text."""
    try:
        plain = _DECODER.decode(text)
        if not isinstance(plain, dict) or _ENCODER.encode(plain) != text.encode():
            return None
    except (msgspec.MsgspecError, ArithmeticError, ValueError, RecursionError):
        return None
    return _object(plain, MAX_DEPTH)


# _object and _list see every value of a catalog, so they loop plainly and avoid calls.
def _object(plain: dict[str, Any], levels: int) -> dict[str, Tree]:
    if not levels:
        raise _too_deep()
    tree: dict[str, Tree] = {}
    for key, value in plain.items():
        kind = type(value)
        if kind is str or kind is bool:
            tree[key] = value
        elif kind is dict:
            tree[key] = _object(value, levels - 1)
        elif value is not None:
            tree[key] = _list(value, levels - 1) if kind is list else _number(value)
    return tree


def _list(items: list[Any], levels: int) -> list[Tree | None]:
    if not levels:
        raise _too_deep()
    tree: list[Tree | None] = []
    is_set = True
    for item in items:
        kind = type(item)
        if kind is str or kind is bool or item is None:
            tree.append(item)
        elif kind is dict or kind is list:
            is_set = False
            tree.append(_object(item, levels - 1) if kind is dict else _list(item, levels - 1))
        else:
            tree.append(_number(item))
    return as_set(tree) if is_set else tree


def _number(value: int | Decimal) -> Number:
    """The canonical number. A decimal still has the spelling of the text, since it was encoded the same way."""
    return Number(canonical_number(str(value)))


def _strict(text: str) -> dict[str, Tree]:
    try:
        tree = json.loads(
            text,
            object_pairs_hook=_strict_object,
            parse_float=_strict_number,
            parse_int=_strict_number,
            parse_constant=_reject_constant,
        )
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        kind = "the text is not valid JSON"
        raise MalformedError(f"{kind}: {error.msg} at character {error.pos}", kind) from None
    if not isinstance(tree, dict):
        raise MalformedError("the text is not a JSON object")
    _check_depth(tree)
    return tree


def _strict_number(token: str) -> Number:
    return Number(canonical_number(token))


def _reject_constant(name: str) -> NoReturn:
    """Rejects NaN and the infinities, which ``json`` would accept."""
    raise MalformedError(f"{name} is not valid JSON", "NaN and infinities are not valid JSON")


def _strict_object(pairs: list[tuple[str, Tree | None]]) -> dict[str, Tree]:
    tree: dict[str, Tree] = {}
    seen = set()
    for key, value in pairs:
        # Which of two values is meant cannot be known, and another reader of the text may choose differently.
        if key in seen:
            raise MalformedError(
                f"the key {key[:80]!r} appears twice in one object", "a key appears twice in one object"
            )
        seen.add(key)
        if value is not None:  # a null field is an absent one
            tree[key] = _strict_list(value) if isinstance(value, list) else value
    return tree


def _strict_list(items: list[Tree | None]) -> list[Tree | None]:
    """A list of scalars as a set in canonical order; any other list keeps its order."""
    # A plain loop, since a hostile text may consist of short lists only.
    for item in items:
        if isinstance(item, (list, dict)):
            return [_strict_list(item) if isinstance(item, list) else item for item in items]
    return as_set(items)


# These two walk level by level, so no text can exhaust the stack.
def _check_depth(tree: Tree) -> None:
    level: list[Tree | None] = [tree]
    for _ in range(MAX_DEPTH):
        level = _below(level)
        if not level:
            return
    if any(not is_scalar(node) for node in level):
        raise _too_deep()


def _check_strings(tree: Tree) -> None:
    level: list[Tree | None] = [tree]
    while level:
        for node in level:
            for text in node if isinstance(node, dict) else (node,):
                if isinstance(text, str) and len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
                    raise MalformedError(f"a string is longer than {MAX_TEXT_BYTES} bytes")
        level = _below(level)


def _below(level: list[Tree | None]) -> list[Tree | None]:
    below: list[Tree | None] = []
    for node in level:
        if isinstance(node, dict):
            below.extend(node.values())
        elif isinstance(node, list):
            below.extend(node)
    return below


def _too_deep() -> MalformedError:
    return MalformedError(f"the text is nested deeper than {MAX_DEPTH} levels")
