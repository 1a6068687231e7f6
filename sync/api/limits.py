"""The limits of one sync: how long it may take, what it accepts, and what it holds back for a person."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from sync.composition.sync_parts import ApiSettings
from sync.errors import UsageError
from sync.settings import PREFIX

_DEFAULTS = ApiSettings()
# By name: the smallest value, and the largest.
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "deadline": (math.ulp(0.0), math.inf),
    "attempts": (1, math.inf),
    "max_bytes": (1, math.inf),
    "max_models": (1, math.inf),
    "max_removal_percent": (0, 100),
    "max_removal_count": (1, math.inf),
    "max_cost_move_percent": (0, 100),
    "max_cost_move_count": (1, math.inf),
    "max_cost_move_factor": (1, math.inf),
    "database_timeout": (1, math.inf),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The settings of ``catalog-sync sync`` that are numbers, with its defaults.

    Raises ``TypeError`` for what is not a number, and ``ValueError`` for one that is out of range.
    """

    deadline: float = _DEFAULTS.deadline
    """Seconds for all requests of a sync together."""
    attempts: int = _DEFAULTS.attempts
    """Attempts for each mode."""
    max_bytes: int = _DEFAULTS.max_bytes
    """The largest response that is accepted, decompressed."""
    max_models: int = _DEFAULTS.max_models
    """The largest number of models in a response that is accepted."""
    max_removal_percent: float = _DEFAULTS.max_removal_percent
    """Removals of a larger share of a mode are held back."""
    max_removal_count: int = _DEFAULTS.max_removal_count
    """Fewer removals than this are never held back."""
    max_cost_move_percent: float = _DEFAULTS.max_cost_move_percent
    """A mode is held back when a larger share of its costs vanishes or jumps."""
    max_cost_move_count: int = _DEFAULTS.max_cost_move_count
    """Fewer such costs than this are never held back."""
    max_cost_move_factor: float = _DEFAULTS.max_cost_move_factor
    """A cost jumps when it changes by more than this factor."""
    database_timeout: float = 60.0
    """Seconds to wait for a response of the database server, and to retry an unreachable server."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _require_in_range(field.name, getattr(self, field.name), is_whole=field.type == "int")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """The limits from the variables of the command, such as ``CATALOG_SYNC_DEADLINE``; the others as by default.

        Raises ``UsageError`` that names the variable for a value that is not a number, or out of range.
        """
        given: dict[str, Any] = {}
        for field in fields(cls):
            name = PREFIX + field.name.upper()
            text = environ.get(name, "").strip()
            if not text:
                continue
            try:
                number = int(text) if field.type == "int" else float(text)
                _require_in_range(field.name, number, is_whole=field.type == "int")
            except ValueError as error:
                raise UsageError(f"{name} is refused: {error}; correct {name}") from error
            given[field.name] = number
        return cls(**given)


def _require_in_range(name: str, value: object, *, is_whole: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float):
        raise TypeError(f"{name} must be {'a whole number' if is_whole else 'a number'}, not {type(value).__name__}")
    least, most = _BOUNDS[name]
    if not math.isfinite(value) or not least <= value <= most:
        raise ValueError(f"{name} must be {_bounds_text(least, most)}, not {value}")


def _bounds_text(least: float, most: float) -> str:
    if math.isfinite(most):
        return f"from {least:g} to {most:g}"
    return f"finite and {f'at least {least:g}' if least >= 1 else 'above 0'}"
