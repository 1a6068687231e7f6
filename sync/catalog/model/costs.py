"""Costs: exact decimal texts decide what is a change; rounded decimals are for arithmetic.

A cost is kept as the plain decimal the API sent. What goes into a NUMERIC column is computed
exactly from it and rounded half-even here, since the databases would each round in their own way.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from msgspec import Struct

OPEN_GAP_END = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of a gap that has not ended: the model was removed and is not back."""

_COST = re.compile(r"\d{1,12}(\.\d{1,40})?")
_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("1e-12")
_COST_LIMIT = Decimal(10**12)  # NUMERIC(24,12)
_PERCENT_PLACES = 6
_PERCENT_LIMIT = 10**18  # NUMERIC(24,6)


class CostChange(Struct, frozen=True):
    """A cost before and after, exact; None where there was none."""

    old: str | None
    new: str | None

    @property
    def kind(self) -> str:
        """The change kind of a listed model's cost: increase, decrease, cost_set or cost_unset."""
        if self.old is None:
            return "cost_set"
        if self.new is None:
            return "cost_unset"
        return "increase" if Decimal(self.new) > Decimal(self.old) else "decrease"

    @property
    def delta(self) -> Decimal | None:
        """New less old, rounded to 12 places; None when either is missing."""
        if self.old is None or self.new is None:
            return None
        return _EXACT.quantize(_EXACT.subtract(Decimal(self.new), Decimal(self.old)), _PLACES)

    @property
    def percent(self) -> Decimal | None:
        """The delta in percent of the old cost, to 6 places; None from 0 or when it does not fit."""
        if self.old is None or self.new is None or Decimal(self.old) == 0:
            return None
        from fractions import Fraction  # late: few runs see a cost change, and it loads as long as ten of our modules

        old, new = Fraction(self.old), Fraction(self.new)
        scaled = round((new - old) / old * 100 * 10**_PERCENT_PLACES)  # half-even, and exact before it
        if abs(scaled) >= _PERCENT_LIMIT * 10**_PERCENT_PLACES:
            return None
        return Decimal(scaled).scaleb(-_PERCENT_PLACES, _EXACT)


def is_cost(exact: str) -> bool:
    """Whether a canonical number is a cost: not negative, 12 integer digits and 40 decimals at most.

    The largest of these is not: rounded for arithmetic it would have 13 integer digits.
    """
    return _COST.fullmatch(exact) is not None and for_arithmetic(exact) != _COST_LIMIT


def for_arithmetic(exact: str | None) -> Decimal | None:
    """An exact cost rounded half-even to the 12 places of a NUMERIC(24,12) column."""
    return None if exact is None else _EXACT.quantize(Decimal(exact), _PLACES)
