"""The differences between two records of one model: events for people, row changes for tables.

Both compare canonical trees or rows made of them, so a difference that does not change the catalog gives neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from sync.catalog.json.paths import Path, differences, dotted
from sync.catalog.json.tree import Number, Tree, canonical_json, is_scalar
from sync.catalog.model.costs import CostChange, fits_number_column, for_arithmetic
from sync.catalog.model.entities import EVENT_RULES, TABLES, TableShape, entity_fields, split_by_entity
from sync.catalog.model.records import Record, Row


class Event(Struct, frozen=True):
    """One row of the change log.

    Values are canonical JSON text, None where a value is absent. ``field`` is a dotted path inside the
    entity, None when the event is about the entity as a whole.
    """

    entity: str
    field: str | None
    kind: str
    old_value: str | None = None
    new_value: str | None = None
    cost: CostChange | None = None
    number: CostChange | None = None
    """For a change of another number under credits; such an event is not one of the cost."""
    not_before: datetime | None = None
    """An earlier bound than that of the run (UTC), where the field was ignored before."""

    def values(self) -> Row:
        """The values of the ``EVENT_COLUMNS``, in their order."""
        cost = self.cost
        change = (self.entity, self.field, self.kind, int(cost is not None), self.old_value, self.new_value)
        if cost is None:
            number = self.number or CostChange(None, None)
            return *change, None, None, None, None, number.delta, number.percent
        rounded = for_arithmetic(cost.old), for_arithmetic(cost.new)
        return *change, *rounded, cost.old, cost.new, cost.delta, cost.percent


EVENT_COLUMNS = (
    *("entity", "field", "change_kind", "is_cost_event", "old_value", "new_value"),
    *("old_cost", "new_cost", "old_cost_exact", "new_cost_exact", "delta_cost", "pct_change"),
)
"""The columns of ``catalog_changes`` that follow from the event alone."""


class RowChanges(Struct, frozen=True):
    """The rows of one model in one table to insert, update and delete. Rows are matched by their key."""

    table: str
    inserts: tuple[Row, ...] = ()
    updates: tuple[Row, ...] = ()
    deletes: tuple[Row, ...] = ()
    """Keys only."""


def events_between(old: dict[str, Tree], new: dict[str, Tree], event_rules: int = EVENT_RULES) -> Iterator[Event]:
    """One event per changed field, in the order of entities and paths; none when the trees are equal.

    A change of ``default_cost`` has its own kinds. A parameter that is added or removed is a change from
    or to None of its field. ``event_rules`` are those of the run that records the events.
    """
    for (entity, before), (_, after) in zip(entity_fields(old), entity_fields(new), strict=True):
        for path, old_value, new_value in _entity_differences(before, after):
            # Events of the cost carry both costs as numbers too, for arithmetic in SQL.
            if entity == "credits" and path == ("default_cost",):
                yield _cost_event(old_value, new_value)
                continue
            number = _number_change(old_value, new_value) if entity == "credits" and event_rules > 1 else None
            for owner, old_part, new_part in split_by_entity(entity, path, old_value, new_value, event_rules):
                yield Event(owner, _field(path), "changed", _json(old_part), _json(new_part), number=number)


def row_changes(old: Record | None, new: Record | None) -> tuple[RowChanges, ...]:
    """What turns the old record's rows into the new one's. None means no rows at all."""
    changes = (_table_changes(shape, old, new) for shape in TABLES)
    return tuple(change for change in changes if change.inserts or change.updates or change.deletes)


def _entity_differences(old: Tree | None, new: Tree | None) -> Iterator[tuple[Path, Tree | None, Tree | None]]:
    """As ``differences``, but an entity that is added or removed gives one difference for each of its fields."""
    # Otherwise the first parameters of a model would be one event with all of them in one JSON text.
    if old is None and isinstance(new, dict) and new:
        old = {}
    if new is None and isinstance(old, dict) and old:
        new = {}
    return differences(old, new)


def _cost_event(old: Tree | None, new: Tree | None) -> Event:
    change = CostChange(
        old.text if isinstance(old, Number) else None,
        new.text if isinstance(new, Number) else None,
    )
    # The JSON text of a number is its canonical decimal, so the exact costs are the event's values too.
    return Event("credits", "default_cost", change.kind, change.old, change.new, change)


def _number_change(old: Tree | None, new: Tree | None) -> CostChange | None:
    """The one number that differs between two values; None when anything else does.

    A list is one value of the change log, so the price of a tier is a number somewhere inside. A list of
    scalars is a set, in which no number is the successor of another.
    """
    if isinstance(old, Number) and isinstance(new, Number):
        is_small = fits_number_column(old.text) and fits_number_column(new.text)
        return CostChange(old.text, new.text) if is_small else None
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        pairs: list[tuple[Tree | None, Tree | None]] = [(old[key], new[key]) for key in old]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and not all(map(is_scalar, old)):
        pairs = [*zip(old, new, strict=True)]
    else:
        return None
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    return _number_change(*differing[0]) if len(differing) == 1 else None


def _table_changes(shape: TableShape, old: Record | None, new: Record | None) -> RowChanges:
    width = len(shape.key)
    before = _by_key(old, shape, width)
    after = _by_key(new, shape, width)
    # A row whose key changes is deleted and inserted; an update changes value columns only.
    return RowChanges(
        shape.table,
        inserts=tuple(row for key, row in after.items() if key not in before),
        updates=tuple(row for key, row in after.items() if key in before and before[key] != row),
        deletes=tuple(key for key in before if key not in after),
    )


def _by_key(record: Record | None, shape: TableShape, width: int) -> dict[Row, Row]:
    return {} if record is None else {row[:width]: row for row in record.rows[shape.table]}


def _field(path: Path) -> str | None:
    return dotted(path) if path else None


def _json(value: Tree | None) -> str | None:
    return None if value is None else canonical_json(value)
