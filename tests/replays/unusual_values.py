"""Ids, names and costs that programs often handle wrongly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

IDS = (
    *("acme/sketch", "acme/Sketch", "ACME/SKETCH", "acme/sketch ", "acme/sketch  ", " acme/sketch", "acme/sketch\xa0"),
    *("caf\u00e9", "cafe\u0301", "cafe", "stra\u00dfe", "strasse", "STRASSE", "\u0130", "i\u0307", "\u0131", "\u017f"),
    *("na\u00efve/\ufb01ne", "naive/fine", "\uff46\uff49\uff4e\uff45", "\u00c5", "A\u030a", "\u212b"),
    *("it's", '"quoted"', "`ticked`", "[brackets]", "100%", "a_b", "a%b", "a\\b", "a\\\\b", "\\", "\\n", "a/../b"),
    *("\U0001f680", "\U0001f468\u200d\U0001f469", "\U0001f1e9\U0001f1ea", "\U0010ffff", "\uffff", "\ufeff", "?x=1&y"),
    *("\u05e9\u05dc\u05d5\u05dd", "\u202eabc\u202c", "a\u200fb", "a\u200bb", "a\u00adb", "\ue000"),
    *("two\nlines", "two\r\nlines", "a\tb", "\t", "\n", " ", "\x01", "\x7f", "\x85", "\u2028"),
    *("NULL", "null", "SELECT", "select", "DROP TABLE models; --", "'; DELETE FROM credits; --", "DEFAULT", "TRUE"),
    *("0", "00", "007", "1e5", "-1", "NaN", "2026-03-01", "0x1F", ":name", "%s", "%(id)s", "{id}", "$1", "#", "--"),
    *("x" * 255, "x" * 254, "X" * 255, "\u00e9" * 255, "\U0001f680" * 255, "e\u0301" * 127, "\\" * 255, "%" * 255),
)
NAMES = (
    *("", " ", "Plain", "plain", "\u00c4rger", "A\u0308rger", "\U0001f3a8 Art", "two\nlines", "NUL\0inside"),
    *("cut\ud83d", "\udc00", "it's", "\\", "%_", "\u05e9\u05dc\u05d5\u05dd", "x" * 3000),
)
PROVIDERS = (None, "", "Acme", "acme", "ACME ", "Caf\u00e9", "Cafe\u0301", "O'Hara", "\U0001f680", "B%")

# Ties in rounding to twelve places, the limits of accepted costs, and prices as floats print them.
COSTS = (
    *("0", "1", "5", "0.1", "0.3", "0.30000000000000004", "0.049999999999999996", "1.5e-7", "2e-7", "0.00000075"),
    *("0.0000000000005", "0.0000000000015", "0.0000000000025", "1.0000000000005", "7.00000000000049999999999999"),
    *("1e-40", "9e-40", "999999999999", "999999999999.999999999999", f"999999999999.9999999999994{'9' * 27}"),
    *("123456789012.1234567890123456789012345678901234567890", "0.12345678901234567890123", "100000000000"),
)
REJECTED = (
    *("-1", "-1e-40", '"5"', "true", "[5]", "{}", "1e12", "999999999999.9999999999995", "1e-41", "1e400"),
    *("12345678901234", f"0.{'1' * 41}"),
)


def ids(chance: random.Random) -> Iterator[str]:
    """Endlessly many distinct ids, the unusual ones first."""
    unusual = [*IDS]
    chance.shuffle(unusual)
    yield from unusual
    number = 0
    while True:
        number += 1
        yield f"{chance.choice(IDS)[:200]}/{number}"


def cost(chance: random.Random) -> Decimal | None:
    """A random cost; None for a model without a cost."""
    kind = chance.randrange(10)
    if kind == 0:
        return None
    if kind < 4:
        return Decimal(chance.choice(COSTS))
    if kind < 7:
        return Decimal(chance.randrange(1, 4000)).scaleb(-2)
    whole = chance.randrange(10 ** chance.randrange(12))
    places = chance.choice((1, 6, 12, 13, 23, 40))
    return Decimal(f"{whole}.{chance.randrange(10**places):0{places}}")


def close_to(number: Decimal | None, chance: random.Random) -> Decimal | None:
    """A cost that differs from this one in the last place; a random one for None and for the largest."""
    if number is None or number >= Decimal(999999999999):
        return cost(chance)
    whole, _, places = f"{number:f}".partition(".")
    last = places.ljust(40, "0")
    return Decimal(f"{whole}.{last[:-1]}{(int(last[-1]) + chance.randrange(1, 10)) % 10}")
