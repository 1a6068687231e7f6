"""What a call of the library is checked for before anything else. A secret is quoted in no message."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sync.catalog.modes import MODES
from sync.catalog.ticks import LONGEST_SPAN, SHORTEST_SPAN, last_multiple


def require_type(name: str, value: object, *types: type[Any]) -> None:
    """Raises ``TypeError`` that names the argument, and never its value."""
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        wanted = " or ".join("None" if each is type(None) else each.__name__ for each in types)
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def require_text(name: str, value: object, *, optional: bool = False) -> None:
    """Raises ``ValueError`` for a text that no database takes: with a lone surrogate or NUL."""
    require_type(name, value, str, *([type(None)] if optional else []))
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= char <= "\udfff" for char in value)):
        raise ValueError(f"{name} has a character that is none: a lone surrogate or NUL")


def require_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raises ``ValueError`` for a text that is none of the choices."""
    require_text(name, value)
    if value not in choices:
        raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")


def checked_choices(name: str, values: object, choices: Sequence[str]) -> Sequence[str]:
    """A collection of choices, each once."""
    if isinstance(values, str) or not isinstance(values, Collection):
        raise TypeError(f"{name} must be a collection of texts, not {type(values).__name__}")
    for value in values:
        require_choice(f"each of {name}", value, choices)
    return tuple(choice for choice in choices if choice in values)


def checked_mode(mode: object) -> str:
    """A mode. Raises ``ValueError`` for another text."""
    require_choice("mode", mode, MODES)
    return str(mode)


def checked_modes(modes: object) -> Sequence[str]:
    """The modes, each once and in the usual order."""
    chosen = checked_choices("modes", modes, MODES)
    if not chosen:
        raise ValueError("modes is empty; give at least one mode")
    return chosen


def require_accepted(name: str, value: object) -> None:
    """Raises unless it is a number of models, ``"all"`` or None."""
    if value is None or value == "all":
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, 'all' or None, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")


def checked_moment(name: str, value: object) -> datetime:
    """A time in UTC. Raises ``TypeError`` for what is none, and ``ValueError`` for one without a time zone."""
    if not isinstance(value, datetime):
        raise TypeError(f"{name} must be datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{name} has no time zone; give an aware datetime, such as datetime(2026, 3, 1, tzinfo=UTC)")
    return value.astimezone(UTC)


def checked_optional_moment(name: str, value: object) -> datetime | None:
    return None if value is None else checked_moment(name, value)


def checked_tick(tick: object, now: datetime) -> datetime | None:
    """The scheduled time of a tick, of which a span gives the last one."""
    if tick is None or isinstance(tick, datetime):
        return checked_optional_moment("tick", tick)
    if not isinstance(tick, timedelta):
        raise TypeError(f"tick must be timedelta, datetime or None, not {type(tick).__name__}")
    if not SHORTEST_SPAN <= tick <= LONGEST_SPAN:
        raise ValueError(f"tick must be from {SHORTEST_SPAN} to {LONGEST_SPAN}, not {tick}")
    return last_multiple(now, tick)
