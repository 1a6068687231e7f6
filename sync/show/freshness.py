"""How old a catalog is: when the last successful sync observed each mode."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sync.show.values import format_duration, format_value

CLOCK_TOLERANCE = timedelta(hours=1)
"""The clocks of two hosts may differ by this much. A sync that is further ahead has no meaningful age."""
_FRESH = timedelta(days=1)


def dated_age_text(at: datetime | None, now: datetime) -> str:
    """The age of the last successful sync of a mode in words, with its date where the age says little."""
    return _text(at, now) if is_stale({"": at}, now) else _age_text(at, now)


def is_stale(last: Mapping[str, datetime | None], now: datetime) -> bool:
    """Whether the catalog is older than a day in a mode, or ahead of this host's clock.

    A mode without any sync does not count: many sync one mode only.
    """
    ages = [now - at for at in last.values() if at is not None]
    return any(not -CLOCK_TOLERANCE <= age <= _FRESH for age in ages)


def freshness_text(last: Mapping[str, datetime | None], now: datetime) -> str:
    """The time and age of the last successful sync; by mode where the modes differ."""
    modes_by_text: dict[str, list[str]] = {}
    for mode, at in last.items():
        modes_by_text.setdefault(_text(at, now), []).append(mode)
    if len(modes_by_text) == 1:
        return next(iter(modes_by_text))
    return "; ".join(f"{' and '.join(modes)}: {text}" for text, modes in modes_by_text.items())


def _text(at: datetime | None, now: datetime) -> str:
    text = _age_text(at, now)
    return text if at is None else f"{text} ({format_value(at)} UTC)"


def _age_text(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "no successful sync yet"
    if at - now > CLOCK_TOLERANCE:
        return f"last successful sync {format_duration(at - now)} ahead of this host's clock"
    return f"last successful sync {format_duration(max(now - at, timedelta(0)))} ago"
