"""Whether the models that a response lacks are removed, or held back until a person accepts it.

The decision depends on counts and ids alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct


class RemovalGuard(Struct, frozen=True):
    """The limit on removals in one mode. Removals of more than ``percent`` and at least ``count`` are held back."""

    percent: float = 20
    """Of the models listed before the response."""
    count: int = 3
    """Fewer removals always pass, since in a small catalog each model is many percent."""
    accepted: int | Literal["all"] | None = None
    """The number of removals that a person accepted, of all modes of the run together."""

    def exceeds_limit(self, listed: int, missing: int, received: int) -> bool:
        """Whether the removals look like a broken response. An empty response always does."""
        if missing and not received:
            return True
        return missing >= self.count and missing * 100 > self.percent * listed


class RemovalCheck(Struct, frozen=True):
    """The models that one mode's response lacks, before it is considered what a person accepted."""

    missing: tuple[str, ...] = ()
    """Ids that may be removed, in order."""
    unsure: int = 0
    """The number of missing models that stay listed, since the response has a model with an unreadable id."""
    exceeds_limit: bool = False
    """Whether the removals are held back unless a person accepted them."""


def check_removals(
    missing: Sequence[str], guard: RemovalGuard, *, listed: int, received: int, has_unreadable: bool
) -> RemovalCheck:
    """The guard's decision about the listed ids that a mode's response lacks.

    ``listed`` is the number of models listed before, ``received`` the number in the response. With
    ``has_unreadable`` nothing is removed: any missing model may be the one with the unreadable id.
    """
    if has_unreadable:
        return RemovalCheck(unsure=len(missing))
    return RemovalCheck(tuple(missing), exceeds_limit=guard.exceeds_limit(listed, len(missing), received))


def removals_accepted(guard: RemovalGuard, checks: Iterable[RemovalCheck]) -> bool:
    """Whether a person accepted exactly the removals that all modes of the run would hold back together.

    The number protects against an acceptance that outlives its cause: a later response that lacks
    other models is held back again.
    """
    held_back = sum(len(check.missing) for check in checks if check.exceeds_limit)
    return guard.accepted in ("all", held_back)
