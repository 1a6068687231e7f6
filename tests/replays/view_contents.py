"""The rows of views as plain values, and the rows that the truth requires."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from tests.replays.truth import Cost, CostEvent, Key, Truth, cleaned, cost_of
from tests.support.history_checker import meaning

_TIMES = ("_at", "_since", "not_before", "valid_from", "valid_to")


def rows(connection: Connection, columns: str, view: str) -> Iterator[tuple[Any, ...]]:
    """Columns of a view, times in UTC, numbers as the driver returns them."""
    is_time = [name.endswith(_TIMES) for name in columns.split(", ")]
    query = f"SELECT {columns} FROM {view}"
    for row in connection.exec_driver_sql(query, execution_options={"stream_results": True}):
        yield tuple(moment(value) if timed else value for value, timed in zip(row, is_time, strict=True))


def moment(value: Any) -> datetime | None:
    if value is None:
        return None
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    in_utc: datetime = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return in_utc


def differences(what: str, found: Iterable[Any], expected: Iterable[Any]) -> Iterator[str]:
    """The differences of two collections, in any order."""
    actual, wanted = Counter(found), Counter(expected)
    yield from (f"{what}: {row} occurs {count} times too often" for row, count in (actual - wanted).items())
    yield from (f"{what}: {row} is missing {count} times" for row, count in (wanted - actual).items())


def plain(cost: Cost) -> str | None:
    """The exact decimal as it is stored: no exponent, no trailing zeros, no sign on zero."""
    if cost is None:
        return None
    text = f"{cost.copy_abs():f}"  # abs() would round
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(number: Fraction | None, places: int = 12) -> Fraction | None:
    """Rounded half to even."""
    return None if number is None else Fraction(round(number * 10**places), 10**places)


def fraction(cost: Cost) -> Fraction | None:
    return None if cost is None else Fraction(cost)


@dataclass(frozen=True)
class Figures:
    """Compares numbers exactly, or to the 15 digits that SQLite keeps."""

    is_exact: bool

    def agree(self, stored: Any, right: Fraction | None, *, slack: Fraction = Fraction(0)) -> bool:
        if stored is None or right is None:
            return stored is None and right is None
        allowed = slack if self.is_exact else max(slack, abs(right) / 10**14)
        return abs(_number(stored) - right) <= allowed


@lru_cache(maxsize=100_000)
def _number(stored: Any) -> Fraction:
    return Fraction(str(stored))


def cost_events(truth: Truth) -> Iterator[tuple[Any, ...]]:
    for event in truth.costs:
        named = (*event.key, event.name, event.provider)
        yield event.at, event.not_before, *named, event.kind, plain(event.old), plain(event.new)


def figures_of(event: CostEvent) -> tuple[Fraction | None, ...]:
    """The numbers of a cost event: old, new, delta, percent."""
    old, new = fraction(event.old), fraction(event.new)
    delta = percent = None
    if old is not None and new is not None and event.kind in {"increase", "decrease", "relisted"}:
        delta = rounded(new - old)
        percent = rounded((new - old) / old * 100, 6) if old else None
        percent = None if percent is not None and abs(percent) >= 10**18 else percent
    return rounded(old), rounded(new), delta, percent


def field_events(truth: Truth) -> Iterator[tuple[Any, ...]]:
    for event in truth.fields:
        was, now = (None if one is None else _frozen(one) for one in (event.old, event.new))
        yield event.at, event.not_before, *event.key, event.entity, event.field, was, now


def price_figures(truth: Truth) -> dict[tuple[Any, ...], tuple[Fraction | None, Fraction | None]]:
    """Delta and percent of the changes of prices beside the cost, by time, model and field."""
    figures = {}
    for event in truth.fields:
        if event.numbers is not None:
            old, new = map(Fraction, event.numbers)
            percent = rounded((new - old) / old * 100, 6) if old else None
            fits = percent is None or abs(percent) < 10**18
            figures[event.at, *event.key, event.field] = (rounded(new - old), percent if fits else None)
    return figures


def price_details(truth: Truth) -> Iterator[tuple[Any, ...]]:
    """The rows of v_model_credit_details: the prices of made-up models are under two names."""
    for key, story in truth.stories.items():
        credits_ = (story[-1].value or {}).get("credits") or {}
        if "per_second" in credits_ and credits_["per_second"] is not None:
            yield *key, "per_second", plain(credits_["per_second"])
        for place, tier in enumerate(credits_.get("tiers") or ()):
            for name, value in tier.items():
                if value is not None:
                    yield *key, f"tiers.{place}.{name}", plain(value) if isinstance(value, Decimal) else value


def value_of(text: str | None) -> Any:
    """The meaning of a change's JSON text, in the form of ``field_events``."""
    return None if text is None else _frozen(meaning(json.loads(text, parse_float=Decimal, parse_int=Decimal)))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return "object", frozenset((key, _frozen(one)) for key, one in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def intervals(truth: Truth) -> Iterator[tuple[Any, ...]]:
    for one in truth.intervals():
        named = truth.last_named(one.key)
        names = (cleaned(named.get("name")), cleaned(named.get("provider")))
        yield *one.key, *names, plain(one.cost), one.start, one.end, int(one.end is None)


def catalog(truth: Truth) -> Iterator[tuple[Any, ...]]:
    """The rows of v_current_catalog."""
    since = {one.key: one.start for one in truth.intervals() if one.end is None}
    for key, story in truth.stories.items():
        value = story[-1].value
        if value is not None:
            named = (cleaned(value.get(name)) for name in ("name", "provider", "description"))
            notes = (value.get("credits") or {}).get("notes")
            seen = max(filter(None, (truth.good.get(key[0]), since[key])))
            yield *key, *named, plain(cost_of(value)), notes, since[key], story[0].since, seen


def catalog_at(truth: Truth, when: datetime) -> Iterator[tuple[Any, ...]]:
    """The catalog at a moment: names, cost, the begin of the cost, and ``first_seen_at``."""
    since: dict[Key, datetime] = {
        one.key: one.start for one in truth.intervals() if one.start <= when and (one.end is None or when < one.end)
    }
    for key, story in truth.stories.items():
        value = truth.value_at(key, when)
        if value is not None:
            named = (cleaned(value.get(name)) for name in ("name", "provider"))
            notes = (value.get("credits") or {}).get("notes")
            yield *key, *named, plain(cost_of(value)), notes, since[key], story[0].since
