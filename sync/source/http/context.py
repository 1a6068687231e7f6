"""What the workers of one fetch share."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from queue import SimpleQueue

from sync.source.http.results import FetchEvent, FetchSettings


@dataclass(frozen=True)
class FetchContext:
    """The settings, sources of time and chance, and the queue of one fetch.

    ``server`` is the base URL without credentials, for messages. ``ends_at`` is the deadline on the
    monotonic clock.
    """

    settings: FetchSettings
    url: str
    server: str
    api_key: str = field(repr=False)
    mask: Callable[[str], str] = field(repr=False)
    trust_environment: bool
    ends_at: float
    clock: Callable[[], datetime]
    rng: random.Random
    events: SimpleQueue[FetchEvent]

    def seconds_left(self) -> float:
        """Seconds to the deadline; zero or less when it has passed."""
        return self.ends_at - time.monotonic()
