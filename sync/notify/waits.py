"""How long a destination waits after failures. Pure."""

from __future__ import annotations

from datetime import timedelta

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)


def wait_after(failures: int) -> timedelta:
    """The wait after the last of a number of failures in a row: it doubles, up to ``LONGEST_WAIT``."""
    # From the tenth doubling on it is the longest one; a larger exponent would overflow some day.
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(max(failures, 1) - 1, 10)))
