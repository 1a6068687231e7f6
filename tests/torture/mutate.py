"""Mutates responses: their bytes, or the structure of their JSON."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Beyond the range or the digits of a double, of int() or of a column, or not JSON.
_UNUSUAL_NUMBERS = (
    "1e999",
    "-1",
    "-0",
    "1E+999999999",
    "9" * 5000,
    "0." + "1" * 60,
    "NaN",
    "Infinity",
    "1e-400",
    "01",
    "0x1",
)
# Lone surrogates, NUL, bidi and terminal controls, a formula, and more characters than a key may have.
_UNUSUAL_TEXTS = (
    "\\ud800",
    "\\udc00\\ud800",
    "\\u0000",
    "\\u202e",
    "=1+1",
    "\\ud83d",
    "\x7f",
    "\\/",
    "x" * 300,
    "\\u001b[2J",
)
# Bytes that are not UTF-8, an overlong slash, an encoded surrogate, a byte order mark, and the syntax of JSON.
_UNUSUAL_BYTES = (
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\0",
    b'"',
    b"\\",
    b"[",
    b"{",
    b"}",
    b"]",
    b",",
    b":",
    b"-",
)
# About twice the limit for a text.
_MAX_LENGTH = 2_000_000
# A node may be copied into itself, so the size would grow without a limit.
_MAX_COPY_LENGTH = 20_000


@dataclass(frozen=True)
class RawJson:
    """Text in place of a value, written to the response unchanged."""

    text: str


@dataclass(frozen=True)
class Pairs:
    """An object in which a key may be repeated."""

    pairs: list[tuple[str, Any]]


def mutate(body: bytes, rng: random.Random) -> bytes:
    """The response with one to three mutations; some of them leave it valid."""
    return rng.choice((_mutate_bytes, _mutate_structure, _mutate_structure))(body, rng)


def _mutate_bytes(body: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 3))):
        body = rng.choice(_BYTE_CHANGES)(body, rng)
    return body


def _truncate(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _flip_bit(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body)) if body else 0
    return body[:at] + bytes([body[at] ^ (1 << rng.randrange(8))]) + body[at + 1 :] if body else body


def _copy_bytes(body: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randrange(len(body) + 1) for _ in range(2))
    to = rng.randrange(len(body) + 1)
    return body[:to] + body[start : min(end, start + 4000)] + body[to:]


def _cut_bytes(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(body) + 1)
    return body[:start] + body[start + rng.choice((1, 2, 30, 400)) :]


def _insert_bytes(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.choice(_UNUSUAL_BYTES) * rng.choice((1, 1, 1, 70, 1000)) + body[at:]


def _change_encoding(body: bytes, rng: random.Random) -> bytes:
    encoding = rng.choice(("utf-16", "utf-8-sig", "utf-32", "latin-1"))
    return body.decode("utf-8", "replace").encode(encoding, "replace")


_BYTE_CHANGES = (
    _truncate,
    _flip_bit,
    _flip_bit,
    _copy_bytes,
    _cut_bytes,
    _insert_bytes,
    _insert_bytes,
    _change_encoding,
)


def _mutate_structure(body: bytes, rng: random.Random) -> bytes:
    tree = json.loads(body)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        parent, key = _random_node(tree, rng)
        rng.choice(_CHANGES)(tree, parent, key, rng)
    # With a wrong total a response is rejected before its models are read.
    if rng.random() < 0.4:
        _correct_total(tree)
    return to_json(tree).encode("utf-8", "surrogatepass")[: 4 * _MAX_LENGTH]


def _random_node(tree: Any, rng: random.Random) -> tuple[Any, Any]:
    """A random node, as its container and its key or index there; most of the time inside a model."""
    parent: Any
    key: Any
    data = tree.get("data")
    models = data.get("models") if isinstance(data, dict) else None
    if isinstance(models, list) and models and rng.random() < 0.7:
        at = rng.randrange(len(models))
        parent, key, node = models, at, models[at]
    else:
        parent, key = tree, rng.choice(sorted(tree))
        node = tree[key]
    while isinstance(node, (dict, list)) and node and rng.random() < 0.7:
        parent = node
        key = rng.choice(sorted(node)) if isinstance(node, dict) else rng.randrange(len(node))
        node = parent[key]
    return parent, key


Change = Callable[[Any, Any, Any, random.Random], None]


def _swap_type(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    parent[key] = rng.choice([None, True, 0, -1, 1.5, "", "1", [], {}, [[]], {"": None}, [None], "NaN"])


def _unusual_number(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    parent[key] = RawJson(rng.choice(_UNUSUAL_NUMBERS))


def _unusual_text(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    parent[key] = RawJson(f'"{rng.choice(_UNUSUAL_TEXTS)}"')


def _long_text(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    length = rng.choice((256, 5000, 70_000, 70_000, _MAX_LENGTH)) if rng.random() < 0.1 else 256
    parent[key] = "y" * length


def _nest_deeply(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    # Around the limit of 64 levels, and beyond the limits of decoders.
    depth = rng.choice((10, 62, 63, 64, 65, 66, 500, 3000, 100_000))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    parent[key] = RawJson(opening * depth + "1" + closing * (depth if rng.random() < 0.9 else depth - 1))


def _delete(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    del parent[key]


def _repeat_key(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    node = parent[key]
    if isinstance(node, dict) and node:
        repeated = rng.choice(sorted(node))
        value = copy.deepcopy(node[repeated]) if rng.random() < 0.5 else rng.choice([None, 1, "x", []])
        pairs = [*node.items(), (repeated, value)]
        rng.shuffle(pairs)
        parent[key] = Pairs(pairs)


def _add_unusual_key(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    node = parent[key]
    if isinstance(node, dict):
        node[rng.choice(["", "x" * 256, "\0", "\ud800", "a.b", "id ", "ID", "__proto__"])] = rng.choice([1, {}, None])


def _replace_with_other_node(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    other_parent, other_key = _random_node(tree, rng)
    node = copy.deepcopy(other_parent[other_key])
    if len(to_json(node)) < _MAX_COPY_LENGTH:
        parent[key] = node


def _duplicate(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    if isinstance(parent, list) and len(parent) < 1000:
        parent += [copy.deepcopy(parent[key]) for _ in range(rng.choice((1, 1, 2, 40)))]


def _delete_models(tree: Any, parent: Any, key: Any, rng: random.Random) -> None:
    data = tree.get("data")
    models = data.get("models") if isinstance(data, dict) else None
    if isinstance(models, list) and models:
        for _ in range(min(len(models), rng.choice((1, 2, 3, 5, 100)))):
            models.pop(rng.randrange(len(models)))


_CHANGES: tuple[Change, ...] = (
    _swap_type,
    _swap_type,
    _unusual_number,
    _unusual_text,
    _long_text,
    _nest_deeply,
    _delete,
    _repeat_key,
    _add_unusual_key,
    _replace_with_other_node,
    _duplicate,
    _delete_models,
)


def _correct_total(tree: Any) -> None:
    data = tree.get("data")
    models = data.get("models") if isinstance(data, dict) else None
    if isinstance(models, list):
        data["total"] = len(models)


def to_json(tree: Any) -> str:
    """The JSON text of a tree that may have ``RawJson`` and ``Pairs`` in it."""
    if isinstance(tree, RawJson):
        return tree.text
    if isinstance(tree, (dict, Pairs)):
        pairs = tree.items() if isinstance(tree, dict) else tree.pairs
        return "{" + ",".join(f"{json.dumps(key)}:{to_json(value)}" for key, value in pairs) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(to_json, tree)) + "]"
    return json.dumps(tree)
