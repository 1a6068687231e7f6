"""The plan of a mode: everything that a run writes for it, as a value.

``sync.catalog.changes.plan`` decides it, the store writes it, and a dry run prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias, get_args, overload

from msgspec import UNSET, Struct, UnsetType, field

from sync.catalog.changes.diff import Event, RowChanges
from sync.catalog.changes.rejections import RejectionChanges
from sync.catalog.guards import Flag, Hold, HoldReason
from sync.catalog.model.records import Record, Rejected
from sync.catalog.response.parsed import ParsedResponse

Lifecycle: TypeAlias = Literal["added", "relisted", "changed", "removed", "rebuilt"]
"""What happens to a model. A rebuilt one gets new current rows without an event or a version."""

# A failed or superseded mode has no plan, so these are the statuses that a plan can have.
ModeStatus: TypeAlias = Literal["success", "partial", "held"]
APPLIED_STATUSES: tuple[ModeStatus, ...] = get_args(ModeStatus)
"""The values of ``sync_run_modes.status`` for a mode to which a run applied its plan. Other runs wrote no history."""


def combined_status(statuses: Sequence[str]) -> str:
    """The status of a run from those of its modes."""
    distinct = set(statuses)
    if len(distinct) == 1:
        return statuses[0]
    # Every mode of such a run was applied. Any other mixture has a mode that was not, or not completely.
    return "held" if distinct == {"success", "held"} else "partial"


class ModelChange(Struct, frozen=True):
    """Everything that one run does to one model."""

    lifecycle: Lifecycle
    model_id: str
    model_pk: int | None
    """None for a model that was never seen before."""
    name: str | None
    provider: str | None
    record: Record | None
    """The model from now on; None when it is removed."""
    events: tuple[Event, ...] = ()
    rows: tuple[RowChanges, ...] = ()
    """For a changed model, the rows that differ."""
    replaces_rows: bool = False
    """Whether all current rows are deleted and written again, since another normaliser made them."""
    cost_changed: bool = False
    """Whether an interval of the cost history ends or begins."""
    last_seen_at: datetime | None = None
    """For a removed model, the stamp of the last sync that saw it (UTC)."""
    not_before: datetime | UnsetType | None = UNSET
    """The time after which the events happened, where it is not that of the plan; None if nothing is known."""

    @property
    def cost_event(self) -> Event | None:
        """The event by which an interval of the cost history ends or begins."""
        return next((event for event in self.events if event.cost is not None), None)


class Changes(Sequence[ModelChange]):  # noqa: PLW1641  # not hashable, like a list
    """The changes of a mode, one for each model that changes.

    An entry that is an id means that this model is added; ``make_added`` returns its change. The plan for a
    first response consists of such entries, and as changes they would take many times its memory.
    """

    def __init__(self, entries: Sequence[ModelChange | str], make_added: Callable[[str], ModelChange]) -> None:
        self._entries, self._make_added = entries, make_added

    @overload
    def __getitem__(self, index: int) -> ModelChange: ...
    @overload
    def __getitem__(self, index: slice) -> Changes: ...
    def __getitem__(self, index: int | slice) -> ModelChange | Changes:
        """One change, or a slice in which every addition is made and kept."""
        if isinstance(index, slice):
            return Changes([*map(self._change, self._entries[index])], self._make_added)
        return self._change(self._entries[index])

    def __iter__(self) -> Iterator[ModelChange]:
        return map(self._change, self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        # By content: whether an addition is made already makes no difference.
        return isinstance(other, Sequence) and [*self] == [*other]

    def number_of(self, *lifecycles: Lifecycle) -> int:
        """The number of changes of these kinds. No addition is made for it."""
        return sum(("added" if isinstance(entry, str) else entry.lifecycle) in lifecycles for entry in self._entries)

    @property
    def event_count(self) -> int:
        """The number of rows in the change log. An added model has one."""
        return sum(1 if isinstance(entry, str) else len(entry.events) for entry in self._entries)

    def _change(self, entry: ModelChange | str) -> ModelChange:
        return self._make_added(entry) if isinstance(entry, str) else entry


class ModePlan(Struct, frozen=True):
    """What a run writes for one mode. It leaves nothing to decide."""

    mode: str
    status: ModeStatus
    stamp: datetime
    """The time of all its rows (UTC), later than any earlier stamp of the mode."""
    not_before: datetime | None
    """When the mode's previous successful sync began its request; None on the first one.

    Each change happened between this time and the stamp.
    """
    changes: Changes
    rejected: tuple[Rejected, ...]
    """The models that were rejected, but for a response that is held back as a whole."""
    response: ParsedResponse
    models_listed: int
    """The number of listed models after the run."""
    holds: tuple[Hold, ...] = ()
    """What is held back until a person accepts it."""
    accepted: Mapping[Flag, int] = field(default_factory=dict)
    """What a person accepted and the plan needed: the number of models."""
    notes: tuple[str, ...] = ()
    """Clauses for the run's note, which people read."""
    rejections: RejectionChanges = RejectionChanges()
    has_accepted: bool = True
    """Whether a model of the response was accepted."""

    @property
    def is_good(self) -> bool:
        """Whether the plan brings the mode up to what the response shows, as ``sync_run_modes.is_good`` says.

        The only place that decides it: the times of the last good observation, and so ``not_before`` and the
        reported age, follow from it. A rejected model with a readable id is excepted, since its row in
        ``rejected_models`` says since when it was not observed. A response with rejected models alone shows nothing.
        """
        is_readable = all(model.model_id is not None for model in self.rejected)
        return not self.holds and is_readable and (self.has_accepted or not self.rejected)

    @property
    def is_unchanged(self) -> bool:
        """Whether the response shows what is stored: nothing is changed, held back, or rejected otherwise."""
        return not (self.changes or self.holds or self.rejections.opened or self.rejections.closed)

    @property
    def holds_mode(self) -> bool:
        """Whether the whole response is held back: the plan is empty and only moves version and stamp on."""
        return any(hold.holds_mode for hold in self.holds)

    @property
    def hold_reason(self) -> HoldReason | None:
        return self.holds[0].guard.reason if self.holds else None

    @property
    def held_ids(self) -> tuple[str, ...]:
        """The ids of the models for which it is held back, in order: missing ones, or those whose cost moved."""
        return self.holds[0].ids if self.holds else ()

    @property
    def removals_held(self) -> int:
        """The number of models that stay listed until a person accepts their removal."""
        return sum(len(hold.ids) for hold in self.holds if hold.guard.flag == "removals")

    def not_before_of(self, change: ModelChange, event: Event) -> datetime | None:
        """The earliest of the mode's, the model's and the event's own; None, which means nothing is known, stays."""
        start = self.not_before if change.not_before is UNSET else change.not_before
        return start if start is None or event.not_before is None else min(start, event.not_before)

    def count(self, *lifecycles: Lifecycle) -> int:
        return self.changes.number_of(*lifecycles)
