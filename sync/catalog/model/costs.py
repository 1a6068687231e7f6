"""Costs: exact decimal texts decide what is a change; rounded decimals are for arithmetic in SQL.

A cost is stored as the plain decimal that the API sent. The value of each NUMERIC column is computed
exactly from it and rounded half-even here, because the databases would each round in their own way.
A missing or null cost is None, never 0; zero is a price.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from msgspec import Struct

OPEN_GAP_END = datetime(9999, 12, 31, tzinfo=UTC)
"""``gap_to`` of a model's last cost interval while the model is removed; a return sets the true end."""

_COST = re.compile(r"\d{1,12}(\.\d{1,40})?")
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,80})?")  # canonical numbers beyond 80 characters have an exponent
_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)  # no number or delta here has more than 93 digits
# The cost columns are NUMERIC(24,12), those of a percentage NUMERIC(24,6).
_PLACES = Decimal("1e-12")
_COST_LIMIT = Decimal(10**12)
_PERCENT_PLACES = 6
_PERCENT_LIMIT = 10**18


class CostChange(Struct, frozen=True):
    """A cost, or another number under ``credits``, before and after a change, as exact decimal text.

    None where there is no cost. Other numbers are such as ``fits_number_column`` takes.
    """

    old: str | None
    new: str | None

    @property
    def kind(self) -> str:
        """``change_kind`` of a listed model's cost: increase, decrease, cost_set or cost_unset."""
        if self.old is None:
            return "cost_set"
        if self.new is None:
            return "cost_unset"
        return "increase" if Decimal(self.new) > Decimal(self.old) else "decrease"

    @property
    def delta(self) -> Decimal | None:
        """``new`` minus ``old``, rounded to 12 decimals; None when either is None, or it does not fit its column."""
        if self.old is None or self.new is None:
            return None
        delta = _EXACT.quantize(_EXACT.subtract(Decimal(self.new), Decimal(self.old)), _PLACES)
        return delta if abs(delta) < _COST_LIMIT else None  # only numbers of different signs are that far apart

    @property
    def percent(self) -> Decimal | None:
        """The delta in percent of ``old``, rounded to 6 decimals.

        None when either cost is None, when ``old`` is 0, and when the value does not fit into its column.
        """
        if self.old is None or self.new is None or Decimal(self.old) == 0:
            return None
        old, new = Fraction(self.old), Fraction(self.new)
        scaled = round((new - old) / old * 100 * 10**_PERCENT_PLACES)  # exact until round(), which is half-even
        if abs(scaled) >= _PERCENT_LIMIT * 10**_PERCENT_PLACES:
            return None
        return Decimal(scaled).scaleb(-_PERCENT_PLACES, _EXACT)


def is_cost(exact: str) -> bool:
    """Whether a canonical number is a valid cost: not negative, at most 12 integer digits and 40 decimals.

    A number that rounds up to 10**12 is not valid, since it would not fit into NUMERIC(24,12).
    """
    return _COST.fullmatch(exact) is not None and for_arithmetic(exact) != _COST_LIMIT


def fits_number_column(exact: str) -> bool:
    """Whether a canonical number has a value in a NUMERIC(24,12) column."""
    return _NUMBER.fullmatch(exact) is not None and abs(_rounded(exact)) < _COST_LIMIT


def for_arithmetic(exact: str | None) -> Decimal | None:
    """An exact number rounded half-even to 12 decimals, as the NUMERIC(24,12) columns hold it; None for None."""
    return None if exact is None else _rounded(exact)


def _rounded(exact: str) -> Decimal:
    return _EXACT.quantize(Decimal(exact), _PLACES)
