"""Checks history without the program's code: intervals, costs and events are derived again from the versions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.support.sent_shapes import number_of

Row = dict[str, Any]


def interval_findings(table: str, rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row["valid_to"] is not None and row["valid_to"] <= row["valid_from"]:
            yield f"{table} has an empty or backward interval at {row['valid_from']}"
    for row, following in pairwise(rows):
        if row["valid_to"] is None or row["valid_to"] > following["valid_from"]:
            yield f"{table} overlaps at {following['valid_from']}"


def cost_of(version: Row) -> Decimal | None:
    cost = (plain_json(version["raw"]).get("credits") or {}).get("default_cost")
    assert cost is None or isinstance(cost, Decimal)
    return cost


def plain_json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def meaning(value: Any) -> Any:
    """A form of a JSON value that is equal for exactly those values that mean the same."""
    if isinstance(value, dict):
        return {key: meaning(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        items = [meaning(one) for one in value]
        return items if any(isinstance(one, (dict, list)) for one in value) else frozenset(items)
    return (type(value).__name__, value)


def cost_history_findings(versions: list[Row], costs: list[Row]) -> Iterator[str]:
    expected: list[list[Any]] = []
    for version in versions:
        if expected and expected[-1][1:] == [version["valid_from"], cost_of(version)]:
            expected[-1][1] = version["valid_to"]
        else:
            expected.append([version["valid_from"], version["valid_to"], cost_of(version)])
    stored = [[row["valid_from"], row["valid_to"], exact(row["default_cost_exact"])] for row in costs]
    if stored != expected:
        yield f"credit_history is {stored}, its versions give {expected}"
    yield from (
        f"the cost of {row['valid_from']} is rounded wrong" for row in costs if not _is_rounded(row, "default_cost")
    )


def exact(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _is_rounded(row: Row, column: str) -> bool:
    return _is_near(row[column], None if row[f"{column}_exact"] is None else Fraction(row[f"{column}_exact"]))


def _is_near(stored: Any, exact: Fraction | None, places: int = 12) -> bool:
    """Whether a NUMERIC column has this number; SQLite keeps about 15 digits of it."""
    if stored is None or exact is None:
        return stored is None and exact is None
    return abs(Fraction(str(stored)) - exact) <= max(abs(exact) / 10**14, Fraction(1, 2 * 10**places))


def _expected_cost_events(versions: list[Row]) -> Iterator[tuple[datetime, str, Decimal | None, Decimal | None]]:
    last: Row | None = None
    for version in versions:
        now, before = cost_of(version), None if last is None else cost_of(last)
        if last is None or last["valid_to"] < version["valid_from"]:
            if last is not None:
                yield last["valid_to"], "removed", before, None
            yield version["valid_from"], "added" if last is None else "relisted", before, now
        elif now != before:
            yield version["valid_from"], _kind(before, now), before, now
        last = version
    if last is not None and last["valid_to"] is not None:
        yield last["valid_to"], "removed", cost_of(last), None


def _kind(old: Decimal | None, new: Decimal | None) -> str:
    if old is None or new is None:
        return "cost_set" if old is None else "cost_unset"
    return "increase" if new > old else "decrease"


def event_findings(versions: list[Row], events: list[Row]) -> Iterator[str]:
    cost_events = [event for event in events if event["is_cost_event"]]
    stored = [
        (event["changed_at"], event["change_kind"], exact(event["old_cost_exact"]), exact(event["new_cost_exact"]))
        for event in cost_events
    ]
    expected = list(_expected_cost_events(versions))
    if stored != expected:
        yield f"the cost events are {stored}, the versions give {expected}"
    yield from (
        f"the figures of event {event['change_id']} are wrong" for event in cost_events if not _figures_are_right(event)
    )
    runs = {(row["valid_from"], row["opened_run_id"]) for row in versions}
    runs |= {(row["valid_to"], row["closed_run_id"]) for row in versions}
    for event in events:
        if (event["changed_at"], event["run_id"]) not in runs:
            yield f"event {event['change_id']} is not at the begin or end of a version"
        if event["not_before"] is not None and event["not_before"] > event["changed_at"]:
            yield f"event {event['change_id']} has a not_before later than itself"
        if (event["change_kind"] == "changed") == bool(event["is_cost_event"]):
            yield f"event {event['change_id']} has the wrong is_cost_event"
    changed = {event["changed_at"] for event in events}
    for old, new in pairwise(versions):
        if old["valid_to"] == new["valid_from"] and meaning(plain_json(old["raw"])) == meaning(plain_json(new["raw"])):
            yield f"the version of {new['valid_from']} means the same as the one before"
        if new["valid_from"] not in changed:
            yield f"the version of {new['valid_from']} has no event"


def changed_findings(events: list[Row], rules: dict[int, int]) -> Iterator[str]:
    """Events of kind changed whose figures or whose entity do not follow from their values and their run's rules."""
    for event in events:
        if event["change_kind"] == "changed":
            old, new = (None if event[name] is None else plain_json(event[name]) for name in ("old_value", "new_value"))
            is_price = event["entity"] == "credits" and rules[event["run_id"]] > 1
            pair = _numbers(old, new) if is_price else None
            delta = pair and pair[1] - pair[0]
            percent = delta / pair[0] * 100 if pair and delta is not None and pair[0] else None
            if not _is_near(event["delta_cost"], None if delta is None or abs(delta) >= 10**12 else delta) or not (
                _is_near(event["pct_change"], None if percent is None or abs(percent) >= 10**18 else percent, 6)
            ):
                yield f"the figures of event {event['change_id']} are wrong"
            if event["entity"] == "input_rules" and not any(
                _is_rule(text, rules[event["run_id"]]) for text in _texts([event["field"], old, new])
            ):
                yield f"event {event['change_id']} is about a rule and has none"


def _numbers(old: Any, new: Any) -> tuple[Fraction, Fraction] | None:
    """The two numbers, if a number is all that differs between the values."""
    if meaning(old) == meaning(new):
        return None
    if isinstance(old, Decimal) and isinstance(new, Decimal):
        is_held = number_of(old) is not None and number_of(new) is not None
        return (Fraction(old), Fraction(new)) if is_held else None
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        below = [(old[key], new[key]) for key in old]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        is_set = not any(isinstance(one, (dict, list)) for one in old)
        below = [] if is_set else [*zip(old, new, strict=True)]
    else:
        return None
    different = [pair for pair in below if meaning(pair[0]) != meaning(pair[1])]
    return _numbers(*different[0]) if len(different) == 1 else None


def _is_rule(text: str, rules: int) -> bool:
    if rules == 1:
        return re.match("[a-z_]+:", text) is not None
    kind, colon, names = text.partition(":")
    return bool(colon and re.fullmatch(r"\s*\w+\s*", kind) and not re.search(r"[/:]|^$", names))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(one)


def _figures_are_right(event: Row) -> bool:
    old, new, delta, percent = event["old_cost_exact"], event["new_cost_exact"], None, None
    if event["change_kind"] in {"increase", "decrease", "relisted"} and None not in {old, new}:
        delta = Fraction(new) - Fraction(old)
        percent = delta / Fraction(old) * 100 if Fraction(old) else None
        percent = None if percent is not None and abs(percent) >= 10**18 else percent
    return (
        _is_rounded(event, "old_cost")
        and _is_rounded(event, "new_cost")
        and _is_near(event["delta_cost"], delta)
        and _is_near(event["pct_change"], percent, 6)
    )
