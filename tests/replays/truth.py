"""The truth about a made-up history, derived from the values that were listed at each observation.

It follows the documented rules and uses none of the program's code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from tests.support.history_checker import meaning

Listing: TypeAlias = Mapping[str, Mapping[str, Any] | None]
Key: TypeAlias = tuple[str, str]
Cost: TypeAlias = Decimal | None

_SECTIONS = ("credits", "params", "inputs", "capabilities", "raw_available_params")


@dataclass(frozen=True)
class CostEvent:
    at: datetime
    not_before: datetime | None
    key: Key
    name: str | None
    provider: str | None
    kind: str
    old: Cost
    new: Cost


@dataclass(frozen=True)
class FieldEvent:
    at: datetime
    not_before: datetime | None
    key: Key
    entity: str
    field: str | None
    old: Any
    new: Any
    numbers: tuple[Decimal, Decimal] | None = None
    """The two prices, if the event is about one."""


@dataclass(frozen=True)
class State:
    """A model's value from a moment on; None when it is not listed from then on."""

    since: datetime
    value: dict[str, Any] | None


@dataclass(frozen=True)
class Interval:
    key: Key
    start: datetime
    end: datetime | None
    cost: Cost


@dataclass
class Truth:
    """Grows with each observation, and is read after the last one."""

    costs: list[CostEvent] = field(default_factory=list)
    fields: list[FieldEvent] = field(default_factory=list)
    stories: dict[Key, list[State]] = field(default_factory=dict)
    observed: list[datetime] = field(default_factory=list)
    good: dict[str, datetime] = field(default_factory=dict)
    """The last observation of each mode. The id of every rejected model can be read."""
    rejected: dict[Key, datetime | None] = field(default_factory=dict)
    """The models that are rejected, with the last observation before, which dates their next event."""

    def observe(self, at: datetime, listings: Mapping[str, Listing]) -> None:
        self.observed.append(at)
        for mode, listing in listings.items():
            known = {key[1] for key, story in self.stories.items() if key[0] == mode and story[-1].value is not None}
            known |= {id_ for of_mode, id_ in self.rejected if of_mode == mode}
            for id_ in sorted(known | listing.keys()):
                sent = listing.get(id_, {})
                if sent is None:
                    self.rejected.setdefault((mode, id_), self.good.get(mode))
                else:
                    self._compare((mode, id_), at, dict(sent) or None)
                    self.rejected.pop((mode, id_), None)
            self.good[mode] = at

    def not_before(self, key: Key) -> datetime | None:
        """After when a change of the model happened that is seen now."""
        return self.rejected.get(key, self.good.get(key[0]))

    def value_at(self, key: Key, moment: datetime) -> dict[str, Any] | None:
        """The model's value at a moment."""
        values = [state.value for state in self.stories[key] if state.since <= moment]
        return values[-1] if values else None

    def intervals(self) -> Iterator[Interval]:
        """The interval of each cost, with a gap while the model was not listed."""
        for key, story in self.stories.items():
            start: State | None = None
            for state in story:
                if start is not None and (state.value is None or cost_of(state.value) != cost_of(start.value)):
                    yield Interval(key, start.since, state.since, cost_of(start.value))
                    start = None
                if start is None and state.value is not None:
                    start = state
            if start is not None:
                yield Interval(key, start.since, None, cost_of(start.value))

    def last_named(self, key: Key) -> dict[str, Any]:
        """The model's last value, whether it is listed or not."""
        return next(state.value for state in reversed(self.stories[key]) if state.value is not None)

    def _compare(self, key: Key, at: datetime, value: dict[str, Any] | None) -> None:
        story = self.stories.get(key, [])
        before = story[-1].value if story else None
        if _is_same(before, value) or meaning(before) == meaning(value):
            return
        if before is None or value is None:
            self._add_or_remove(key, at, story, value)
        else:
            self._change(key, at, before, value)
        self.stories.setdefault(key, []).append(State(at, value))

    def _add_or_remove(self, key: Key, at: datetime, story: list[State], value: dict[str, Any] | None) -> None:
        last = self.last_named(key) if story else None
        kind = "added" if last is None else "removed" if value is None else "relisted"
        self._cost(key, at, value or last or {}, kind, cost_of(last), cost_of(value))

    def _change(self, key: Key, at: datetime, before: dict[str, Any], value: dict[str, Any]) -> None:
        old, new = cost_of(before), cost_of(value)
        if old != new:
            self._cost(key, at, value, _kind(old, new), old, new)
        for entity, path, was, now in _differences(before, value):
            numbers = _prices(was, now) if entity == "credits" else None
            self.fields.append(FieldEvent(at, self.not_before(key), key, entity, path, was, now, numbers))

    def _cost(self, key: Key, at: datetime, value: Mapping[str, Any], kind: str, old: Cost, new: Cost) -> None:
        name, provider = cleaned(value.get("name")), cleaned(value.get("provider"))
        self.costs.append(CostEvent(at, self.not_before(key), key, name, provider, kind, old, new))


def _is_same(before: dict[str, Any] | None, value: dict[str, Any] | None) -> bool:
    """Whether the same objects are in both; true for most models, and faster than a comparison by meaning."""
    if before is None or value is None:
        return before is value
    return before.keys() == value.keys() and all(before[name] is one for name, one in value.items())


def cost_of(value: Mapping[str, Any] | None) -> Cost:
    cost: Cost = ((value or {}).get("credits") or {}).get("default_cost")
    return cost


def cleaned(text: str | None) -> str | None:
    """A text as a column stores it."""
    return None if text is None else re.sub("[\ud800-\udfff]", "\ufffd", text.replace("\0", ""))


def _kind(old: Cost, new: Cost) -> str:
    if old is None or new is None:
        return "cost_set" if old is None else "cost_unset"
    return "increase" if new > old else "decrease"


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str | None, Any, Any]]:
    """Entity, field, old and new meaning of every change but that of the cost."""
    old, new = meaning(before), meaning(after)
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if name not in _SECTIONS:
            yield from (("models", _dotted(path), *both) for path, *both in _walk((name,), was, now))
            continue
        if was or now:  # a section is added or removed field by field, an empty one as a whole
            was, now = was or {}, now or {}
        for path, *both in _walk((), was, now):
            if (name, *path) != ("credits", "default_cost"):
                yield "input_rules" if (name, *path) == ("inputs", "rules") else name, _dotted(path), *both


def _prices(was: Any, now: Any) -> tuple[Decimal, Decimal] | None:
    """The prices that differ, if one is all that differs, in a value or in a list of tiers of the same size."""
    if isinstance(was, tuple) and isinstance(now, tuple):
        (one, old), (other, new) = was, now
        return (old, new) if one == other == "Decimal" else None
    pairs: list[tuple[Any, Any]] = []
    if isinstance(was, dict) and isinstance(now, dict) and was.keys() == now.keys():
        pairs = [(was[key], now[key]) for key in was]
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        pairs = [*zip(was, now, strict=True)]
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    return _prices(*changed[0]) if len(changed) == 1 else None


def _walk(path: tuple[str, ...], was: Any, now: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            yield from _walk((*path, key), was.get(key), now.get(key))
    elif was != now:
        yield path, was, now


def _dotted(path: tuple[str, ...]) -> str | None:
    return ".".join(re.sub(r"([.\\])", r"\\\1", key) for key in path) or None
