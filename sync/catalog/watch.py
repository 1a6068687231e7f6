"""The days on which a mode was synced successfully. Pure.

A run that is pruned leaves its day, so whether the catalog was watched stays on record.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

_SECOND = timedelta(seconds=1)


class Success(Struct, frozen=True):
    """A successful sync of a mode (UTC)."""

    stamp: datetime
    previous: datetime | None
    """The stamp of the successful sync before it; None before the second."""

    @property
    def day(self) -> date:
        return self.stamp.astimezone(UTC).date()

    @property
    def gap_seconds(self) -> int | None:
        """Whole seconds since the one before; None if there is none."""
        return None if self.previous is None else max(0, (self.stamp - self.previous) // _SECOND)


class WatchDay(Struct, frozen=True):
    """A row of ``watch_days``."""

    mode: str
    day: date
    successful_syncs: int
    first_success_at: datetime
    last_success_at: datetime
    longest_gap_seconds: int | None

    def with_success(self, success: Success) -> WatchDay:
        """The row after one more successful sync on its day."""
        return replace(
            self,
            successful_syncs=self.successful_syncs + 1,
            first_success_at=min(self.first_success_at, success.stamp),
            last_success_at=max(self.last_success_at, success.stamp),
            longest_gap_seconds=longest(self.longest_gap_seconds, success.gap_seconds),
        )


def first_of_day(mode: str, success: Success) -> WatchDay:
    """The row of a day with one successful sync."""
    return WatchDay(mode, success.day, 1, success.stamp, success.stamp, success.gap_seconds)


def days_of(mode: str, successes: Iterable[Success]) -> dict[date, WatchDay]:
    """The rows that follow from successful syncs, by day."""
    days: dict[date, WatchDay] = {}
    for success in successes:
        known = days.get(success.day)
        days[success.day] = known.with_success(success) if known else first_of_day(mode, success)
    return days


def longest(*gaps: int | None) -> int | None:
    """The longest of gaps; None, which is no gap, is the shortest."""
    return max((gap for gap in gaps if gap is not None), default=None)
