"""The values that travel from an answer to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias, overload

import msgspec
from msgspec import Struct

from sync.catalog.json.tree import Tree
from sync.catalog.model.costs import CostChange, for_arithmetic

Lifecycle: TypeAlias = Literal["added", "relisted", "changed", "removed", "rebuilt"]
ModeStatus: TypeAlias = Literal["success", "partial", "held"]

RawModel: TypeAlias = "bytes | msgspec.Raw"
"""A model's JSON exactly as it was sent; as a rule a view of the answer it came in, not a copy."""

Row: TypeAlias = tuple[object, ...]
"""The values of one row in the order of its table's key and value columns, without ``model_pk``."""

OPEN_GAP_END = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of a gap that has not ended: the model was removed and is not back."""


class ParsedResponse(Struct, frozen=True):
    """One mode's answer whose envelope is sound; its models are not looked into yet."""

    mode: str
    reported: int
    """The total that the answer states; equal to the number of models."""
    models: tuple[RawModel, ...]
    payload_bytes: int
    payload_sha256: str
    is_split: bool = False
    """Whether it came out of an answer for all modes, where only a model itself can say its mode."""
    is_same: bool = False
    """Whether it is byte by byte the answer that was applied last: then its models are not even cut out."""


class LastAppliedPayload(Struct, frozen=True):
    """The answer that was applied last to a mode; it was taken as a whole, by this version of the normaliser."""

    payload_sha256: str
    models: int


class Record(Struct, frozen=True):
    """A model that was taken: what it says in canonical form, and the rows it spreads over."""

    model_id: str
    tree: dict[str, Tree]
    raw: str
    fingerprint: str
    cost: str | None
    """Exact decimal text; None when the API gives no cost."""
    rows: dict[str, tuple[Row, ...]]
    """The rows by table, as ``sync.catalog.model.entities`` makes them."""
    is_cleaned: bool = False
    """Whether a text has NUL or a lone surrogate, which columns cannot keep; the raw text does."""

    def text(self, name: str) -> str | None:
        """A top-level text as it stands in the models table."""
        columns = {"name": 0, "provider": 1, "description": 2}
        value = self.rows["models"][0][columns[name]]
        return None if value is None else str(value)


class Rejected(Struct, frozen=True):
    """A model that could not be taken; what is stored of it stays as it is."""

    model_id: str | None
    """None when not even the id could be read: then nobody can say which model is missing."""
    reason: str


class Listed(Struct, frozen=True):
    """A model that is listed, as far as an unchanged one needs to be known."""

    model_pk: int
    fingerprint: str


class Stored(Struct, frozen=True):
    """A model that was seen before, with what a change of it needs to know."""

    model_pk: int
    is_listed: bool
    fingerprint: str | None
    name: str | None
    provider: str | None
    raw: str | None
    """The open version's text; None when not listed."""
    since: datetime | None
    """When the open version began; None when not listed."""
    cost: str | None
    """The cost now, or the last one before it was removed."""


class Event(Struct, frozen=True):
    """One row of the change log. Values are JSON text; None where there was or is none."""

    entity: str
    field: str | None
    kind: str
    old_value: str | None = None
    new_value: str | None = None
    cost: CostChange | None = None

    def values(self) -> Row:
        """What of a row of the change log the event itself decides, in the order of ``EVENT_COLUMNS``."""
        cost = self.cost
        said = (self.entity, self.field, self.kind, int(cost is not None), self.old_value, self.new_value)
        if cost is None:
            return *said, None, None, None, None, None, None
        exact = cost.old, cost.new
        return *said, *map(for_arithmetic, exact), *exact, cost.delta, cost.percent


EVENT_COLUMNS = (
    *("entity", "field", "change_kind", "is_cost_event", "old_value", "new_value"),
    *("old_cost", "new_cost", "old_cost_exact", "new_cost_exact", "delta_cost", "pct_change"),
)


class RowChanges(Struct, frozen=True):
    """What to do to the rows of one model in one table; rows go by their key."""

    table: str
    inserts: tuple[Row, ...] = ()
    updates: tuple[Row, ...] = ()
    deletes: tuple[Row, ...] = ()
    """Keys only."""


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
    answer: ParsedResponse
    notes: tuple[str, ...] = ()

    def count(self, *lifecycles: Lifecycle) -> int:
        return self.changes.of(*lifecycles)
