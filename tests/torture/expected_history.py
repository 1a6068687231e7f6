"""The history that one model must have, in plain Python: half-open intervals of what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.support.made_responses import Model

Interval = tuple[datetime, datetime | None, Any]
"""Beginning, end (None while it is open) and value."""


@dataclass
class ModelHistory:
    """The versions and costs of one model."""

    versions: list[Interval] = field(default_factory=list)
    costs: list[Interval] = field(default_factory=list)

    @property
    def is_listed(self) -> bool:
        return bool(self.versions) and self.versions[-1][1] is None

    def store(self, model: Model, stamp: datetime, *, ignores_x: bool = False) -> bool:
        """Stores the model as it was sent; whether it changed, with ``ignores_x`` in more than its parameter."""
        content = (cost_of(model), model["params"]["x"])
        if self.is_listed and self.versions[-1][2] == content:
            return False
        if self.is_listed and ignores_x and self.costs[-1][2] == content[0]:
            return False
        cost = cost_of(model)
        # A relisted model begins a new interval even if its cost is the old one.
        if not self.is_listed or self.costs[-1][2] != cost:
            close(self.costs, stamp)
            self.costs.append((stamp, None, cost))
        close(self.versions, stamp)
        self.versions.append((stamp, None, content))
        return True

    def remove(self, stamp: datetime) -> None:
        close(self.versions, stamp)
        close(self.costs, stamp)


def cost_of(model: Model) -> Decimal | None:
    cost = model["credits"]["default_cost"]
    return None if cost is None else Decimal(cost)


def close(intervals: list[Interval], stamp: datetime) -> None:
    if intervals and intervals[-1][1] is None:
        intervals[-1] = (intervals[-1][0], stamp, intervals[-1][2])
