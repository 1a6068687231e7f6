"""Which differences between two texts of a model count: those of ignored fields do not.

A person ignores a field for an interval of time. A difference counts by the list that holds at the stamp of
the run that finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sync.catalog.changes.diff import Event, events_between
from sync.catalog.changes.ignored_path import ANY, PathError, Segments, covers, parse_path, split_field
from sync.catalog.json.decoder import decode_object
from sync.catalog.json.paths import dotted
from sync.catalog.json.tree import Tree
from sync.catalog.model.entities import EVENT_RULES

_PARAMS, _RAW_PARAMS = "params", "raw_available_params"


class IgnoredField(Struct, frozen=True):
    """A path and the half-open interval, in UTC, in which it is ignored."""

    path: Segments
    valid_from: datetime
    valid_to: datetime | None = None

    def holds_at(self, stamp: datetime) -> bool:
        return self.valid_from <= stamp and (self.valid_to is None or stamp < self.valid_to)

    def ended_between(self, start: datetime | None, stamp: datetime) -> bool:
        """Whether it held at the start or later, and no longer at the stamp."""
        return self.valid_to is not None and self.valid_to <= stamp and (start is None or start < self.valid_to)


def ignored_field(path: str, valid_from: datetime, valid_to: datetime | None) -> IgnoredField | None:
    """The field of a stored row; None for a path that must not be ignored, whoever wrote the row."""
    try:
        return IgnoredField(parse_path(path), valid_from, valid_to)
    except PathError:
        return None


class IgnoredFields:
    """The fields that were ever ignored."""

    def __init__(self, fields: Iterable[IgnoredField] = ()) -> None:
        self._fields = tuple(fields)

    def at(self, stamp: datetime) -> tuple[Segments, ...]:
        """The paths that are ignored at this moment."""
        return tuple(each.path for each in self._fields if each.holds_at(stamp))

    def events_between(
        self,
        old: dict[str, Tree],
        new: dict[str, Tree],
        *,
        since: datetime | None,
        stamp: datetime,
        event_rules: int = EVENT_RULES,
    ) -> tuple[Event, ...]:
        """The events of a change that a run finds at ``stamp``; none if only ignored fields differ.

        ``since`` is when the version with the old tree was opened. An event of a field that was ignored
        then or later, and is no longer, has a ``not_before``: the field may have changed at any time since
        it was ignored.
        """
        events = events_between(old, new, event_rules)
        if not self._fields:
            return tuple(events)
        held = self.at(stamp)
        kept = without_ignored(tuple(events), held)
        ended = [each for each in self._fields if each.ended_between(since, stamp)]
        # Again one by one: with several paths, an event has the earliest time of those that would have hidden it.
        for each in sorted(ended, key=lambda one: one.valid_from, reverse=True):
            shown = {id(event) for event in without_ignored(kept, (each.path, *held))}
            kept = tuple(event if id(event) in shown else replace(event, not_before=each.valid_from) for event in kept)
        return kept


def without_ignored(events: Sequence[Event], paths: Sequence[Segments]) -> tuple[Event, ...]:
    """The events of one comparison that are not about ignored fields.

    A change of ``raw_available_params`` that only repeats an ignored change of ``params`` is ignored with it.
    """
    if not paths:
        return tuple(events)
    ignored = {id(event) for event in events if _is_ignored(event, paths)}
    repeated = {_change(event) for event in events if event.entity == _PARAMS and id(event) in ignored}
    return tuple(
        event
        for event in events
        if id(event) not in ignored and not (event.entity == _RAW_PARAMS and _change(event) in repeated)
    )


def _change(event: Event) -> tuple[str | None, str | None, str | None]:
    return event.field, event.old_value, event.new_value


def _is_ignored(event: Event, paths: Sequence[Segments]) -> bool:
    field = (event.entity, *(() if event.field is None else split_field(event.field)))
    if any(covers(path, field) for path in paths):
        return True
    # An event of a whole object that differs only below: its key is too long for the fields below to have their own.
    below = [path[len(field) :] for path in paths if len(path) > len(field) and covers(path[: len(field)], field)]
    old, new = event.old_value, event.new_value
    if not below or not (old and new and old[0] == new[0] == "{"):
        return False
    return _without(decode_object(old), below) == _without(decode_object(new), below)


def _without(tree: dict[str, Tree], paths: Sequence[Segments]) -> dict[str, Tree]:
    """The tree without the values at these paths. An object that is empty then is still there."""
    return dict(_remaining(tree, paths))


def _remaining(tree: dict[str, Tree], paths: Sequence[Segments]) -> Iterator[tuple[str, Tree]]:
    for key, value in tree.items():
        matching = [path for path in paths if path[0] in (ANY, dotted((key,)))]
        if any(len(path) == 1 for path in matching):
            continue
        yield key, _without(value, [path[1:] for path in matching]) if matching and isinstance(value, dict) else value
