"""Decides in plain Python what the guards hold back. It implements their rules again, with the default settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

_PERCENT, _COUNT, _FACTOR = 20, 3, 10
_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Comings:
    """The models that an applied run removed, or added for the first time, in a mode."""

    stamp: datetime
    removed: frozenset[str]
    added: frozenset[str]


@dataclass(frozen=True)
class Trips:
    """The guards that trip for a mode: the ids of missing models, and of those whose cost moved."""

    missing: frozenset[str] = frozenset()
    is_foreign: bool = False
    moved: frozenset[str] = frozenset()

    def left(self, *, removals: bool, costs: bool) -> Trips:
        """What is held back after a person accepted one or the other."""
        missing = frozenset[str]() if removals else self.missing
        return Trips(missing, self.is_foreign and not removals, frozenset() if costs else self.moved)

    @property
    def holds_mode(self) -> bool:
        return self.is_foreign or bool(self.moved)

    @property
    def reason(self) -> str | None:
        if self.is_foreign:
            return "other_catalog"
        return "costs" if self.moved else "removals" if self.missing else None


def trips(
    listed: Mapping[str, Decimal | None],
    sent: Mapping[str, Any],
    seen: set[str],
    *,
    received: int,
    is_readable: bool,
    recent: list[Comings],
    stamp: datetime,
) -> Trips:
    """What the guards say to a response for a mode.

    ``listed`` has the costs of the listed models, ``sent`` those of the valid models of the response, ``seen`` the
    ids of all of them. ``recent`` has what no person accepted.
    """
    missing = frozenset(listed.keys() - seen)
    lately = [each for each in recent if stamp - each.stamp < _DAY]
    away = {id_ for each in lately for id_ in each.removed} - listed.keys() - seen
    added = {id_ for each in lately for id_ in each.added} & listed.keys()
    too_many = bool(missing) and (not received or _exceeds(len(missing) + len(away), len(listed) + len(away)))
    new = len(seen - listed.keys())
    is_foreign = too_many and bool(new) and _is_foreign(new, min(len(away), len(added)), len(listed), received, missing)
    if not too_many or not (is_foreign or is_readable):
        missing = frozenset()
    priced = {id_: (cost, sent[id_]) for id_, cost in listed.items() if cost is not None and id_ in sent}
    moved = frozenset(id_ for id_, (old, cost) in priced.items() if _moved(old, cost))
    return Trips(missing, is_foreign, moved if _exceeds(len(moved), len(priced)) else frozenset())


def _is_foreign(new: int, replaced: int, listed: int, received: int, missing: frozenset[str]) -> bool:
    return _exceeds(new + replaced, listed) or _exceeds(new, received) or len(missing) == listed


def _exceeds(number: int, of: int) -> bool:
    return number >= _COUNT and number * 100 > _PERCENT * of


def _moved(old: Decimal, new: Decimal | None) -> bool:
    return new is None or max(old, new) > _FACTOR * min(old, new)
