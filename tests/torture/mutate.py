"""Answers made wrong: in their bytes, and in their structure."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_ODD_NUMBERS = (
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
_ODD_TEXTS = (
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
_ODD_BITS = (
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
_LARGEST = 2_000_000


@dataclass(frozen=True)
class Text:
    """Stands in a tree for text that goes out as it is."""

    text: str


@dataclass(frozen=True)
class Pairs:
    """An object that may have a key more than once."""

    pairs: list[tuple[str, Any]]


def mutated(body: bytes, chance: random.Random) -> bytes:
    """The answer made wrong in one to three places, or in a way that leaves it right."""
    return chance.choice((_of_bytes, _of_structure, _of_structure))(body, chance)


def _of_bytes(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 3))):
        body = chance.choice(_BYTE_CHANGES)(body, chance)
    return body


def _truncated(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _bit_flipped(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body)) if body else 0
    return body[:at] + bytes([body[at] ^ (1 << chance.randrange(8))]) + body[at + 1 :] if body else body


def _spliced(body: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
    to = chance.randrange(len(body) + 1)
    return body[:to] + body[start : min(end, start + 4000)] + body[to:]


def _cut_out(body: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(body) + 1)
    return body[:start] + body[start + chance.choice((1, 2, 30, 400)) :]


def _put_in(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(_ODD_BITS) * chance.choice((1, 1, 1, 70, 1000)) + body[at:]


def _encoded_otherwise(body: bytes, chance: random.Random) -> bytes:
    encoding = chance.choice(("utf-16", "utf-8-sig", "utf-32", "latin-1"))
    return body.decode("utf-8", "replace").encode(encoding, "replace")


_BYTE_CHANGES = (_truncated, _bit_flipped, _bit_flipped, _spliced, _cut_out, _put_in, _put_in, _encoded_otherwise)


def _of_structure(body: bytes, chance: random.Random) -> bytes:
    tree = json.loads(body)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        parent, key = _place(tree, chance)
        chance.choice(_CHANGES)(tree, parent, key, chance)
    if chance.random() < 0.4:
        _count_again(tree)
    return written(tree).encode("utf-8", "surrogatepass")[: 4 * _LARGEST]


def _place(tree: Any, chance: random.Random) -> tuple[Any, Any]:
    """Somewhere in the tree, as a container and a key or index in it; most of the time inside a model."""
    parent: Any
    key: Any
    data = tree.get("data")
    models = data.get("models") if isinstance(data, dict) else None
    if isinstance(models, list) and models and chance.random() < 0.7:
        at = chance.randrange(len(models))
        parent, key, node = models, at, models[at]
    else:
        parent, key = tree, chance.choice(sorted(tree))
        node = tree[key]
    while isinstance(node, (dict, list)) and node and chance.random() < 0.7:
        parent = node
        key = chance.choice(sorted(node)) if isinstance(node, dict) else chance.randrange(len(node))
        node = parent[key]
    return parent, key


Change = Callable[[Any, Any, Any, random.Random], None]


def _swap_type(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    parent[key] = chance.choice([None, True, 0, -1, 1.5, "", "1", [], {}, [[]], {"": None}, [None], "NaN"])


def _odd_number(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    parent[key] = Text(chance.choice(_ODD_NUMBERS))


def _odd_text(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    parent[key] = Text(f'"{chance.choice(_ODD_TEXTS)}"')


def _long_text(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    longest = chance.choice((256, 5000, 70_000, 70_000, _LARGEST)) if chance.random() < 0.1 else 256
    parent[key] = "y" * longest


def _deep(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    depth = chance.choice((10, 62, 63, 64, 65, 66, 500, 3000, 100_000))
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}")))
    parent[key] = Text(opening * depth + "1" + closing * (depth if chance.random() < 0.9 else depth - 1))


def _without(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    del parent[key]


def _key_twice(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    node = parent[key]
    if isinstance(node, dict) and node:
        again = chance.choice(sorted(node))
        other = copy.deepcopy(node[again]) if chance.random() < 0.5 else chance.choice([None, 1, "x", []])
        pairs = [*node.items(), (again, other)]
        chance.shuffle(pairs)
        parent[key] = Pairs(pairs)


def _odd_key(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    node = parent[key]
    if isinstance(node, dict):
        node[chance.choice(["", "x" * 256, "\0", "\ud800", "a.b", "id ", "ID", "__proto__"])] = chance.choice(
            [1, {}, None]
        )


def _spliced_in(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    """Another part of the answer in place of this one; its size is bounded, since parts may be put into themselves."""
    where, name = _place(tree, chance)
    part = copy.deepcopy(where[name])
    if len(written(part)) < 20_000:
        parent[key] = part


def _doubled(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    if isinstance(parent, list) and len(parent) < 1000:
        parent += [copy.deepcopy(parent[key]) for _ in range(chance.choice((1, 1, 2, 40)))]


def _models_gone(tree: Any, parent: Any, key: Any, chance: random.Random) -> None:
    data = tree.get("data")
    models = data.get("models") if isinstance(data, dict) else None
    if isinstance(models, list) and models:
        for _ in range(min(len(models), chance.choice((1, 2, 3, 5, 100)))):
            models.pop(chance.randrange(len(models)))


_CHANGES: tuple[Change, ...] = (
    _swap_type,
    _swap_type,
    _odd_number,
    _odd_text,
    _long_text,
    _deep,
    _without,
    _key_twice,
    _odd_key,
    _spliced_in,
    _doubled,
    _models_gone,
)


def _count_again(tree: Any) -> None:
    data = tree.get("data")
    models = data.get("models") if isinstance(data, dict) else None
    if isinstance(models, list):
        data["total"] = len(models)


def written(tree: Any) -> str:
    """The tree as JSON, with what stands in it for something odd."""
    if isinstance(tree, Text):
        return tree.text
    if isinstance(tree, (dict, Pairs)):
        pairs = tree.items() if isinstance(tree, dict) else tree.pairs
        return "{" + ",".join(f"{json.dumps(key)}:{written(value)}" for key, value in pairs) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(written, tree)) + "]"
    return json.dumps(tree)
