"""Where a time and a cost are in a chart. Pure arithmetic in the units of the drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from sync.catalog.history.report_data import Period

_LOG_FROM = 50
"""From this ratio of the highest to the lowest cost a chart is logarithmic: the lowest would be less than 2 % high."""
_ZERO_BAND = 0.2  # of the height, below the lowest cost of a logarithmic chart: there is no place for 0 on its scale
_ROOM = 0.04  # of the height, between the lowest cost of a logarithmic chart and its lower end


class TimeScale:
    """Times of a period, which is not empty, from left to right."""

    def __init__(self, period: Period, width: float) -> None:
        self.period = period
        self.width = width
        self._length = period.until - period.since

    def x(self, moment: datetime) -> float:
        """The place of a time; one outside the period is at its end."""
        share = (moment - self.period.since) / self._length
        return round(min(max(share, 0.0), 1.0) * self.width, 2)


@dataclass(frozen=True, slots=True)
class LinearScale:
    """Costs from 0 at the bottom to the highest at the top."""

    top: float
    bottom: float
    highest: float

    is_log = False

    def y(self, cost: float) -> float:
        """The place of a cost."""
        return round(self.bottom - (self.bottom - self.top) * cost / self.highest, 2)

    def ticks(self) -> list[float]:
        """The costs to label, the highest first."""
        return [self.highest, 0.0]


@dataclass(frozen=True, slots=True)
class LogScale:
    """Costs on a logarithmic scale, with a place for 0 below the lowest one if there is a 0."""

    top: float
    bottom: float
    lowest: float
    highest: float
    has_zero: bool

    is_log = True

    def y(self, cost: float) -> float:
        """The place of a cost."""
        if cost <= 0:
            return round(self.bottom, 2)
        height = self.bottom - self.top
        usable = height * (1 - (_ZERO_BAND if self.has_zero else _ROOM))
        share = math.log(cost / self.lowest) / math.log(self.highest / self.lowest)
        return round(self.top + usable * (1 - share), 2)

    def ticks(self) -> list[float]:
        """The costs to label, the highest first."""
        return [self.highest, self.lowest, *([0.0] if self.has_zero else [])]


CostScale: TypeAlias = LinearScale | LogScale


def cost_scale(costs: Iterable[Decimal], top: float, bottom: float) -> CostScale:
    """The scale for these costs: from 0, or logarithmic where the small ones would not be seen."""
    known = sorted({float(cost) for cost in costs})
    above = [cost for cost in known if cost > 0]
    if not above:
        return LinearScale(top, bottom, 1.0)
    if above[-1] / above[0] < _LOG_FROM:
        return LinearScale(top, bottom, above[-1])
    return LogScale(top, bottom, above[0], above[-1], has_zero=known[0] == 0)


def number(value: float) -> str:
    """A coordinate with at most two decimals, as short as it can be written."""
    return f"{round(value, 2):.6g}"
