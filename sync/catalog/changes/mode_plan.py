"""The plan of a mode: what a run writes for it, as a value that the store only carries out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, TypeAlias, get_args, overload

from msgspec import Struct

from sync.catalog.changes.diff import Event, RowChanges
from sync.catalog.model.records import Record, Rejected
from sync.catalog.response.parsed import ParsedResponse

Lifecycle: TypeAlias = Literal["added", "relisted", "changed", "removed", "rebuilt"]

ModeStatus: TypeAlias = Literal["success", "partial", "held"]
APPLIED_STATUSES: tuple[ModeStatus, ...] = get_args(ModeStatus)
"""What ``sync_run_modes.status`` says of a mode to which a run applied a plan; the others wrote no history."""


class ModelChange(Struct, frozen=True):
    """Everything that one run does to one model."""

    lifecycle: Lifecycle
    model_id: str
    model_pk: int | None
    """None for a model never seen before."""
    name: str | None
    provider: str | None
    record: Record | None
    """What it is from now on; None when it was removed."""
    events: tuple[Event, ...] = ()
    rows: tuple[RowChanges, ...] = ()
    """For a listed model that changed."""
    replaces_rows: bool = False
    """Whether the stored rows cannot be trusted to be the old record's: all go, all are written."""
    cost_changed: bool = False
    last_seen_at: datetime | None = None
    """For a removed model: the last look that is known to have had it."""


class Changes(Sequence[ModelChange]):  # noqa: PLW1641  # like a list, it is no key
    """What a run does to each model. Of one never seen before only the id is held: ``make`` gives its change."""

    def __init__(self, entries: Sequence[ModelChange | str], make: Callable[[str], ModelChange]) -> None:
        self._entries, self._make = entries, make

    @overload
    def __getitem__(self, place: int) -> ModelChange: ...
    @overload
    def __getitem__(self, place: slice) -> Changes: ...
    def __getitem__(self, place: int | slice) -> ModelChange | Changes:
        """A slice has its changes ready, and holds them."""
        if isinstance(place, slice):
            return Changes([*map(self._change, self._entries[place])], self._make)
        return self._change(self._entries[place])

    def __iter__(self) -> Iterator[ModelChange]:
        return map(self._change, self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    def of(self, *lifecycles: Lifecycle) -> int:
        """How many there are of these, without making any."""
        return sum(("added" if isinstance(one, str) else one.lifecycle) in lifecycles for one in self._entries)

    @property
    def events(self) -> int:
        """How many rows of the change log they come to: one for a new model."""
        return sum(1 if isinstance(one, str) else len(one.events) for one in self._entries)

    def _change(self, entry: ModelChange | str) -> ModelChange:
        return self._make(entry) if isinstance(entry, str) else entry


class ModePlan(Struct, frozen=True):
    """What a run is to write for one mode. Deciding ends here: the store only carries it out."""

    mode: str
    status: ModeStatus
    stamp: datetime
    """The time all its rows are stamped with (UTC)."""
    not_before: datetime | None
    changes: Changes
    rejected: tuple[Rejected, ...]
    removals_held: int
    response: ParsedResponse
    notes: tuple[str, ...] = ()

    def count(self, *lifecycles: Lifecycle) -> int:
        return self.changes.of(*lifecycles)
