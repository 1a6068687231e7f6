"""What a part of a campaign has done so far, told to whoever started it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_TELL_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Order:
    """What a part is to do."""

    seed: int
    kind: str
    goal: int
    """How many of what the part counts."""
    first: int
    """The number of the first life, batch or call: a broken one is repeated by beginning with it."""


@dataclass
class Ledger:
    """Counts, and says when it is enough: the goal is reached or the time is over."""

    order: Order
    ends_at: float
    """On the monotonic clock."""
    tell: Callable[[str], None]
    done: int = 0
    place: str = ""
    """Where it is, said so that it can be found again."""
    figures: dict[str, float] = field(default_factory=dict)
    _told_at: float = 0.0

    @property
    def goes_on(self) -> bool:
        return self.done < self.order.goal and time.monotonic() < self.ends_at

    def count(self, number: int = 1) -> None:
        """So many more done; progress is told now and then."""
        self.done += number
        if time.monotonic() - self._told_at > _TELL_EVERY_SECONDS:
            self._told_at = time.monotonic()
            self.tell(json.dumps({"done": self.done}))

    def add(self, name: str, number: float = 1) -> None:
        """Adds to a figure; figures are shown in the order in which they were first named."""
        self.figures[name] = self.figures.get(name, 0) + number

    def most(self, name: str, number: float) -> None:
        """Keeps the largest."""
        self.figures[name] = max(self.figures.get(name, number), number)
