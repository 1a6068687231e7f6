"""Counts what one part of a campaign has done, and decides when the part ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_REPORT_INTERVAL_SECONDS = 0.5


@dataclass(frozen=True)
class PartOptions:
    """What one part of a campaign does on one kind of database."""

    seed: int
    kind: str
    goal: int
    """The part ends when it has counted this many."""
    first: int
    """The number of the first scenario, batch or call: a failure is repeated by starting with its number."""


@dataclass
class Progress:
    """The counts of a part. The part ends when it reaches its goal or its time is over."""

    options: PartOptions
    ends_at: float
    """On the monotonic clock."""
    report: Callable[[str], None]
    """Called with a line of JSON from time to time."""
    done: int = 0
    position: str = ""
    """What the part is doing, with the number that ``PartOptions.first`` takes."""
    figures: dict[str, float] = field(default_factory=dict)
    """The figures by name, in the order of the table in docs/reliability.md."""
    _reported_at: float = 0.0

    @property
    def continues(self) -> bool:
        return self.done < self.options.goal and time.monotonic() < self.ends_at

    def count(self, number: int = 1) -> None:
        """Adds to the count that is compared with the goal."""
        self.done += number
        if time.monotonic() - self._reported_at > _REPORT_INTERVAL_SECONDS:
            self._reported_at = time.monotonic()
            self.report(json.dumps({"done": self.done}))

    def add(self, name: str, number: float = 1) -> None:
        """Adds to a figure."""
        self.figures[name] = self.figures.get(name, 0) + number

    def keep_maximum(self, name: str, number: float) -> None:
        """Sets a figure if the number is larger."""
        self.figures[name] = max(self.figures.get(name, number), number)
