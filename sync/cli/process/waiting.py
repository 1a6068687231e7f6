"""The line that says that a command waits for the database."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from sync.cli.process.messages import print_error
from sync.composition import waiting

# The pauses after a deadlock are shorter in all, and nobody needs to know of them.
_SILENT_SECONDS = 1.0


def pause_until(stop: threading.Event, *, silent: bool = False) -> Callable[[float], None]:
    """A pause of some seconds between two attempts; it raises ``Interrupted`` once ``stop`` is set.

    Unless it is ``silent``, one line on a terminal says that the command waits, and for what.
    """
    waited = 0.0
    said = silent or not sys.stderr.isatty()

    def say_once(seconds: float) -> None:
        nonlocal waited, said
        waited += seconds
        if waited > _SILENT_SECONDS and not said:
            said = True
            print_error("the database cannot be used at the moment; trying again, Ctrl-C stops")

    return waiting.pause_until(stop, say_once)
