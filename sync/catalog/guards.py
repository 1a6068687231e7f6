"""What a response may not change until a person accepts it: foreign catalogs, costs that jump, mass removals.

``GUARDS`` is the table of the guards. A guard decides from counts, ids and costs alone. What it holds back stays
as stored, and the run ends with exit code 7, until a person accepts the number of models that the error line names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from fractions import Fraction
from typing import Literal, TypeAlias

from msgspec import Struct, field

from sync.catalog.model.costs import CostChange

WINDOW = timedelta(hours=24)
"""Removals and additions of this time before a response count as if they were in it.

A catalog that loses its models in small steps would otherwise lose all of them.
"""

Accepted: TypeAlias = int | Literal["all"] | None
Flag: TypeAlias = Literal["removals", "costs"]
"""What a person accepts: the option is ``--accept-removals`` or ``--accept-costs``."""
HoldReason: TypeAlias = Literal["other_catalog", "costs", "removals"]
"""The values of ``sync_run_modes.hold_reason``."""


class GuardSettings(Struct, frozen=True):
    """The limits of the guards, and what a person accepted for this run."""

    removal_percent: float = 20
    removal_count: int = 3
    """Fewer always pass, since in a small catalog each model is many percent."""
    cost_percent: float = 20
    cost_count: int = 3
    cost_factor: float = 10
    accept_removals: Accepted = None
    """The number of missing models, of all modes of the run together."""
    accept_costs: Accepted = None
    """The number of models whose cost moved, likewise."""

    def accepts(self, flag: Flag, number: int) -> bool:
        """Whether a person accepted exactly this number.

        The number protects against an acceptance that outlives its cause: a later response that lacks other models
        is held back again.
        """
        return (self.accept_removals if flag == "removals" else self.accept_costs) in ("all", number)


class Evidence(Struct, frozen=True):
    """The response for one mode compared with what is stored, as far as the guards depend on it."""

    listed: int = 0
    """The number of models that are listed before the response."""
    received: int = 0
    missing: tuple[str, ...] = ()
    """The listed ids that the response lacks, in order. A rejected model with a readable id is not missing."""
    new: int = 0
    """The number of models that are not listed, never seen ones and returning ones, rejected ones included."""
    has_unreadable: bool = False
    """Whether the id of a rejected model could not be read. Then nothing is removed, and models may be missing or not.
    """
    removed_lately: int = 0
    """The number of models that were removed within ``WINDOW`` without a person, and are still away."""
    added_lately: int = 0
    """The number of listed models that were first seen within ``WINDOW``, likewise, but for the mode's first ones."""
    priced: int = 0
    """The number of listed models with a cost that the response has, rejected ones left out."""
    costs: Mapping[str, CostChange] = field(default_factory=dict)
    """The costs of those of them whose cost differs, by id."""


class Guard(Struct, frozen=True):
    """One row of the table of guards."""

    reason: HoldReason
    trips: str
    """When it trips; the settings stand for their values."""
    holds: Literal["the mode", "removals"]
    """What is not applied: anything of the mode's response, or the removals alone."""
    flag: Flag
    """What a person accepts to let it pass."""
    find: Callable[[Evidence, GuardSettings], Sequence[str]]
    """The ids of the models concerned, in order; none if the guard does not trip."""


class Hold(Struct, frozen=True):
    """A guard that tripped."""

    guard: Guard
    ids: tuple[str, ...]
    """The ids of the models concerned, in order: those that are missing, or those whose cost moved."""
    evidence: Evidence
    settings: GuardSettings

    @property
    def holds_mode(self) -> bool:
        return self.guard.holds == "the mode"


class Ruling(Struct, frozen=True):
    """What of one mode's response is applied."""

    removed: tuple[str, ...] = ()
    """Ids of the models to remove, in order."""
    unsure: int = 0
    """The number of missing models that stay listed, since the response has a model with an unreadable id."""
    holds: tuple[Hold, ...] = ()
    """The guards that tripped and that no person accepted, in the order of the table."""
    accepted: Mapping[Flag, int] = field(default_factory=dict)
    """What a person accepted and this mode needed: the number of models."""
    listed: int = 0
    """The number of models that are listed before the response."""

    @property
    def holds_mode(self) -> bool:
        """Whether nothing of the response is applied."""
        return any(hold.holds_mode for hold in self.holds)


def tripped(evidence: Evidence, settings: GuardSettings) -> tuple[Hold, ...]:
    """The guards that trip on one mode's response, in the order of the table, whatever a person accepted."""
    holds = [Hold(guard, tuple(guard.find(evidence, settings)), evidence, settings) for guard in GUARDS]
    found = {hold.guard.reason: hold for hold in holds if hold.ids}
    if "other_catalog" in found:
        found.pop("removals", None)  # it has the same ids and the same flag
    return tuple(found.values())


def accepted_flags(holds: Iterable[Hold], settings: GuardSettings) -> frozenset[Flag]:
    """What a person accepted, given the guards that tripped in all modes of the run."""
    numbers = numbers_by_flag(holds)
    return frozenset(flag for flag, number in numbers.items() if settings.accepts(flag, number))


def numbers_by_flag(holds: Iterable[Hold]) -> dict[Flag, int]:
    """The number of models that each option has to name, over all modes of a run."""
    numbers: dict[Flag, int] = {}
    for hold in holds:
        numbers[hold.guard.flag] = numbers.get(hold.guard.flag, 0) + len(hold.ids)
    return numbers


def rule(evidence: Evidence, holds: Sequence[Hold], accepted: AbstractSet[Flag]) -> Ruling:
    """What of a mode's response is applied. Each guard that trips needs its own acceptance."""
    kept = tuple(hold for hold in holds if hold.guard.flag not in accepted)
    if any(hold.holds_mode for hold in kept):
        return Ruling(holds=kept, listed=evidence.listed)
    needed = {hold.guard.flag: len(hold.ids) for hold in holds if hold.guard.flag in accepted}
    removed = () if kept or evidence.has_unreadable else evidence.missing
    unsure = len(evidence.missing) if evidence.has_unreadable else 0
    return Ruling(removed, unsure, kept, needed, evidence.listed)


def _missing_from_whole(evidence: Evidence, settings: GuardSettings) -> Sequence[str]:
    # Which models are missing is then unknown, so none is removed and nothing is to be held back.
    return () if evidence.has_unreadable else _too_many_missing(evidence, settings)


def _too_many_missing(evidence: Evidence, settings: GuardSettings) -> Sequence[str]:
    missing, lately = len(evidence.missing), evidence.removed_lately
    exceeds = _exceeds(missing + lately, evidence.listed + lately, settings.removal_percent, settings.removal_count)
    return evidence.missing if exceeds or not evidence.received else ()


def _missing_beside_new(evidence: Evidence, settings: GuardSettings) -> Sequence[str]:
    missing, new = _too_many_missing(evidence, settings), evidence.new
    if not missing or not new:
        return ()
    percent, count = settings.removal_percent, settings.removal_count
    # Against the response, too: a foreign catalog may be much smaller than this one.
    # A catalog that has only grown lately has replaced nothing.
    replaced_lately = min(evidence.added_lately, evidence.removed_lately)
    too_many_new = _exceeds(new + replaced_lately, evidence.listed, percent, count)
    too_many_new = too_many_new or _exceeds(new, evidence.received, percent, count)
    return missing if too_many_new or len(missing) == evidence.listed else ()


def _moved(evidence: Evidence, settings: GuardSettings) -> Sequence[str]:
    factor = Fraction(str(settings.cost_factor))
    moved = sorted(model_id for model_id, cost in evidence.costs.items() if has_moved(cost, factor))
    return moved if _exceeds(len(moved), evidence.priced, settings.cost_percent, settings.cost_count) else ()


def has_moved(cost: CostChange, factor: Fraction) -> bool:
    """Whether a cost was unset, or changed more than ``factor``-fold. From or to 0 is such a change."""
    if cost.old is None:
        return False
    if cost.new is None:
        return True
    low, high = sorted((Fraction(cost.old), Fraction(cost.new)))
    return high > low * factor


def _exceeds(number: int, of: int, percent: float, count: int) -> bool:
    return number >= count and number * 100 > percent * of


GUARDS = (
    Guard(
        reason="other_catalog",
        trips="`removals` trips, and new models are over the same limits: of the models listed, together with those"
        " that took the place of others in the 24 hours before, or of the response; or the response has new models and"
        " none of the listed ones. A model with an unreadable id makes no difference",
        holds="the mode",
        flag="removals",
        find=_missing_beside_new,
    ),
    Guard(
        reason="costs",
        trips="of the listed models with a cost that the response has, more than `MAX_COST_MOVE_PERCENT`, and at least"
        " `MAX_COST_MOVE_COUNT`, lose their cost, or change it more than `MAX_COST_MOVE_FACTOR`-fold, from or to 0"
        " included",
        holds="the mode",
        flag="costs",
        find=_moved,
    ),
    Guard(
        reason="removals",
        trips="listed models that the response lacks, together with those removed in the 24 hours before that are"
        " still away and that no person accepted, are more than `MAX_REMOVAL_PERCENT` of all these and the listed"
        " models, and at least `MAX_REMOVAL_COUNT`; or the response is empty",
        holds="removals",
        flag="removals",
        find=_missing_from_whole,
    ),
)
"""The guards. ``hold_reason`` is the first one that trips and that no person accepted."""

MODE_HOLD_REASONS = frozenset(guard.reason for guard in GUARDS if guard.holds == "the mode")
"""The values of ``hold_reason`` with which nothing of a response was applied."""
