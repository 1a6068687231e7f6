"""Ticks: the times at which a catalog is synced once, however many schedules and crontabs run the job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sync.errors import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHORTEST_SPAN, LONGEST_SPAN = timedelta(seconds=1), timedelta(days=1)


def last_multiple(moment: datetime, span: timedelta) -> datetime:
    """The last multiple of ``span`` since 1970 at or before a moment, in UTC: the same on every host."""
    return EPOCH + (moment - EPOCH) // span * span


def require_span(option: str, span: timedelta) -> timedelta:
    """The span of an option. Raises ``UsageError`` unless it is between a second and a day."""
    if SHORTEST_SPAN <= span <= LONGEST_SPAN:
        return span
    limit = "shorter than a second" if span < SHORTEST_SPAN else "longer than a day"
    raise UsageError(f"{option} is {limit}; give a duration between 1s and 1d, such as 15m")


def tick_text(time: datetime, modes: Sequence[str]) -> str:
    """The text that a run claims: the scheduled time and the modes, such as ``2026-03-01T12:15:00Z image,video``."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {','.join(modes)}"
