"""Pauses between two attempts to reach the database, which an event ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sync.errors import Interrupted


def ignore_pause(_: float) -> None:
    """The default of ``before``."""


def pause_until(stop: threading.Event, before: Callable[[float], None] = ignore_pause) -> Callable[[float], None]:
    """A pause of some seconds; it raises ``Interrupted`` once ``stop`` is set. ``before`` gets the seconds, first."""

    def pause(seconds: float) -> None:
        before(seconds)
        if stop.wait(seconds):
            raise Interrupted(
                "stopped while the database was unreachable; run catalog-sync status to see what was stored"
            )

    return pause
