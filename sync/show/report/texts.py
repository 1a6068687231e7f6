"""The texts of a report: costs, changes, times, names. Those of the API are made printable; the templates escape."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal

from sync.catalog.history.report_data import Period
from sync.catalog.model.costs import CostChange
from sync.catalog.text import one_line
from sync.show.direction import DOWN, UP
from sync.show.values import format_decimal, format_duration, format_percent, format_signed

_READABLE = Context(prec=6)  # digits of a mean below 1
_EXACT, _PLACES = Context(prec=60), Decimal("1e-4")
_SHORT = Context(prec=4)  # digits beside an axis
_LONGEST_PLAIN = 7  # characters beside an axis


@dataclass(frozen=True, slots=True)
class ChangeText:
    """A change of a cost in parts: ``direction`` is up, down or empty, and has its sign."""

    old: str
    new: str
    direction: str
    sign: str
    delta: str
    percent: str

    @property
    def delta_size(self) -> str:
        """The difference without its sign, for behind the word of the direction."""
        return self.delta.lstrip("+-")

    @property
    def percent_size(self) -> str:
        """The percentage without its sign."""
        return self.percent.lstrip("+-")


def change_text(change: CostChange) -> ChangeText:
    """A change for people. From 0 there is no percentage."""
    delta, percent = change.delta, change.percent
    rises = None if change.old is None or change.new is None else Decimal(change.new) - Decimal(change.old)
    direction = UP if rises and rises > 0 else DOWN if rises else None
    return ChangeText(
        old=cost_text(change.old),
        new=cost_text(change.new),
        direction=direction.word if direction else "",
        sign=direction.sign if direction else "",
        delta=format_signed(delta) or "",
        percent="" if percent is None else f"{format_percent(percent)} %",
    )


def printable(text: str | None) -> str:
    """A text of the API without characters that control its surroundings, such as those that reverse a line."""
    return one_line(text or "", sys.maxsize)


def cost_text(cost: str | None) -> str:
    """An exact cost, or that there is none."""
    return "no cost" if cost is None else cost


def mean_text(cost: Decimal | None) -> str:
    """A calculated cost with six digits, and with four decimals however large it is."""
    if cost is None:
        return ""
    return format_decimal(_READABLE.plus(cost) if abs(cost) < 1 else _EXACT.quantize(cost, _PLACES))


def axis_cost(cost: float) -> str:
    """A cost with few digits, such as 12.5, 1e-12 or 1.25e11."""
    short = _SHORT.create_decimal_from_float(cost)
    plain = format_decimal(short)
    if len(plain) <= _LONGEST_PLAIN:
        return plain
    digits, _, exponent = f"{short.normalize():e}".partition("e")
    return f"{digits}e{int(exponent)}"


def time_text(moment: datetime | None) -> str:
    """A time in UTC to the minute."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def duration_text(period: Period) -> str:
    """The length of a period: in days, if it has several."""
    duration = period.until - period.since
    return f"{round(duration.total_seconds() / 86400):,} days" if duration.days > 1 else format_duration(duration)


def span_text(start: datetime, end: datetime) -> str:
    """A span of time in UTC."""
    return f"{time_text(start)} to {time_text(end)}"
