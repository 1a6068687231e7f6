"""Random JSON spellings of a value with the same meaning, with every digit of a Decimal."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any


class Verbatim(str):
    """JSON text that is sent unchanged."""

    __slots__ = ()


def written(value: Any, chance: random.Random) -> str:
    """A value with random key order and spelling; a None field is null or left out."""
    if isinstance(value, dict):
        fields = [(key, one) for key, one in value.items() if one is not None or chance.random() < 0.5]
        chance.shuffle(fields)
        texts = (f"{_string(key, chance)}:{_blank(chance)}{written(one, chance)}" for key, one in fields)
        return "{" + f",{_blank(chance)}".join(texts) + "}"
    if isinstance(value, list):
        return "[" + f",{_blank(chance)}".join(_items(value, chance)) + "]"
    if isinstance(value, Verbatim):
        return value
    if isinstance(value, Decimal):
        return spelled(value, chance)
    return _string(value, chance) if isinstance(value, str) else json.dumps(value)


def spelled(number: Decimal, chance: random.Random) -> str:
    """A random spelling of a number, such as 5, 5.000, 5e0, 0.05E+2 or 500e-2."""
    sign, figures, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, figures)).lstrip("0")
    if not digits:
        return chance.choice(("0", "0", "-0", "0.0", "0.000", "0e0", "-0.0E-7", "0e12"))
    way = chance.randrange(4)
    if way == 0:
        return f"{number:f}"
    if way == 1:
        return f"{number:f}" + ("0" if exponent < 0 else ".") + "0" * chance.randint(1, 5)
    mark = chance.choice(("e", "E")) + chance.choice(("", "+") if exponent >= 0 else ("",))
    if way == 2 and len(digits) > 1:
        power = exponent + len(digits) - 1
        return f"{'-' * sign}{digits[0]}.{digits[1:]}{mark[0]}{power}"
    zeros = chance.randrange(4)
    return f"{'-' * sign}{digits}{'0' * zeros}{mark if zeros <= exponent else mark[0]}{exponent - zeros}"


def _items(value: list[Any], chance: random.Random) -> list[str]:
    """The items; those of a list of scalars, which is a set, in random order and some twice."""
    items = [written(one, chance) for one in value]
    if not any(isinstance(one, (dict, list)) for one in value):
        items += [one for one in items if chance.random() < 0.2]
        chance.shuffle(items)
    return items


def _string(text: str, chance: random.Random) -> str:
    has_surrogate = any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(text, ensure_ascii=has_surrogate or chance.random() < 0.5)


def _blank(chance: random.Random) -> str:
    return chance.choice(("", " ", "", "\t"))
