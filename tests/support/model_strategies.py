"""Hypothesis strategies for valid models, and random spellings of the same model."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Json = Any

texts = st.text(max_size=6) | st.sampled_from(["\0", "\ud800", "\udfff\ud800", "one_of:prompt,text", "a b", "\\", '"'])
keys = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4
) | st.sampled_from(["a", "a.b", "a\\", "type", "options", "default", "required", "name"])
numbers = st.decimals(-(10**6), 10**6, places=3) | st.sampled_from(
    [
        Decimal(text)
        for text in ("0", "1", "10", "1e300", "-1e-300", "0.049999999999999996", "123456789012345678901234567890")
    ]
)
costs = st.decimals(0, 10**6, places=6) | st.just(Decimal("0.0000000000000000000000000000000000000001"))
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
rules = st.sampled_from(["one_of:a", "one_of:a,b", "all_of:b", "one_of:\ud800"])
names = st.sampled_from(["prompt", "seed", "image_url", "A", "a"]) | rules
named = names | st.fixed_dictionaries({"name": names}, optional={"type": values})
input_lists = st.lists(named, max_size=4) | st.dictionaries(keys, values, max_size=3) | names
listed_inputs = st.fixed_dictionaries(
    {},
    optional={
        "required": input_lists,
        "optional": input_lists,
        "rules": st.lists(rules, max_size=3) | rules,
        "more": values,
    },
)
any_keys = keys | st.sampled_from(["", "\0", "\ud800", "\\u0000", "x" * 256, "\\ud800"])
any_values = st.recursive(
    scalars | st.just("https://host/a"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_keys, inner, max_size=4),
    max_leaves=12,
)
sections = st.dictionaries(keys, values, max_size=4) | any_values
# Words that the readers of params and inputs know, in every combination.
words = st.sampled_from(
    ["type", "properties", "required", "optional", "schema", "enum", "const", "anyOf", "range", "min", "name", "value"]
)
entries = st.recursive(
    scalars | st.sampled_from(["object", "null", "true", "required", "one_of:a,b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
shapes = sections | entries | st.dictionaries(keys, entries, max_size=3)
inputs = listed_inputs | shapes


def models(ids: st.SearchStrategy[str] = st.just("a")) -> st.SearchStrategy[dict[str, Json]]:  # noqa: B008  # a value
    """A model that is not rejected, with any of the documented fields and some unknown ones."""
    fields = {
        "name": texts | values,
        "provider": texts,
        "description": texts | values,
        "credits": st.none()
        | st.fixed_dictionaries(
            {}, optional={"default_cost": st.none() | costs, "notes": texts | values, "tiers": any_values, "x": numbers}
        ),
        "capabilities": sections,
        "inputs": inputs,
        "params": shapes,
        "raw_available_params": any_values,
        "tags": values,
        "x.y": values,
    }
    return st.fixed_dictionaries({"id": ids}, optional=fields)


def catalogs() -> st.SearchStrategy[list[dict[str, Json]]]:
    ids = st.sampled_from(["a", "A", "a ", "b", "c", "d", "e", "ä"])
    return st.lists(models(ids), max_size=6, unique_by=lambda one: one["id"])


def written(value: Json) -> str:
    """The value as plain JSON."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def rewritten(value: Json, chance: random.Random) -> str:
    """The value as JSON in another spelling with the same meaning."""
    blank = chance.choice(["", " ", "\n\t"])
    if isinstance(value, dict):
        fields = [(json.dumps(key), rewritten(one, chance)) for key, one in value.items()]
        absent = f"z{chance.random()}"
        fields += [(f'"{absent}"', "null")] * chance.randrange(2)
        return "{" + blank + ",".join(f"{key}{blank}:{one}" for key, one in _shuffled(fields, chance)) + "}"
    if isinstance(value, list):
        items = [rewritten(one, chance) for one in value]
        if not any(isinstance(one, (list, dict)) for one in value):
            items = _shuffled(items + [one for one in items if chance.random() < 0.5], chance)
        return "[" + f"{blank},".join(items) + blank + "]"
    if isinstance(value, Decimal):
        return _respelled(value, chance)
    return json.dumps(value, ensure_ascii=chance.random() < 0.5 or _has_surrogate(value))


def _respelled(number: Decimal, chance: random.Random) -> str:
    """The same number with another exponent, and zeros to match."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    padding = chance.randrange(4)
    whole = "".join(map(str, digits)).lstrip("0") or "0"
    if whole == "0":
        return chance.choice(["0", "-0", "0.000", "0e7", "-0.0E-3"])
    mantissa = f"{whole}{'0' * padding}" + chance.choice(["", ".0", ".000"])
    return f"{'-' * sign}{mantissa}{chance.choice('eE')}{exponent - padding:{chance.choice(['+', ''])}d}"


def _has_surrogate(value: Json) -> bool:
    return isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value)


def _shuffled(items: Iterable[Any], chance: random.Random) -> list[Any]:
    mixed = list(items)
    chance.shuffle(mixed)
    return mixed


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of them deleted, doubled or replaced."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(whole) + 1)
        end = min(len(whole), start + chance.choice([0, 1, 1, 2, 30]))
        middle = chance.choice([b"", whole[start:end] * 2, chance.choice(_FRAGMENTS), bytes([chance.randrange(256)])])
        whole = whole[:start] + middle + whole[end:]
    return whole


_FRAGMENTS = (
    b'"',
    b"\\",
    b"[",
    b"{",
    b"}",
    b"]",
    b",",
    b"null",
    b"NaN",
    b"1e9999",
    rb"\ud800",
    rb"\u0000",
    b"\xff",
    b'"id":',
)
