"""Checks columns that follow from others, and the watched days, without the program's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import Any

Row = dict[str, Any]


def derived_findings(model: Row, costs: list[Row], events: list[Row]) -> Iterator[str]:
    """What is wrong with ``series``, ``possible_from`` and ``unsure_hours`` of a model."""
    if model["series"] != f"{model['model_id']} ({model['mode']})":
        yield f"has the series {model['series']!r}"
    opened = {event["changed_at"]: event for event in events if event["is_cost_event"]}
    for row in costs:
        event = opened.get(row["valid_from"])
        if event is None or event["not_before"] != row["possible_from"]:
            yield f"may have cost this from {row['possible_from']} on, by {event}"
    for event in events:
        start, stored = event["not_before"], event["unsure_hours"]
        if (start is None) != (stored is None):
            yield f"event {event['change_id']} is unsure for {stored} hours from {start} on"
        elif start is not None:
            hours = Fraction(str((event["changed_at"] - start).total_seconds())) / 3600
            if abs(Fraction(str(stored)) - hours) > Fraction(1, 20000):
                yield f"event {event['change_id']} is unsure for {stored} hours, not for {float(hours)}"


def watch_findings(watched: Iterable[Row], modes: Iterable[Row], runs: dict[int, Row]) -> Iterator[str]:
    """What is wrong with the watched days. Of the good runs of a day some may have been pruned."""
    good: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in modes:
        if row["is_good"] and runs[row["run_id"]]["status"] in {"success", "partial", "held"}:
            good[row["mode"], row["stamp"].date()].append(row)
    days = {(row["mode"], date.fromisoformat(str(row["day"]))): row for row in watched}
    yield from (f"{mode} was watched on {day}, which has no row" for mode, day in good.keys() - days.keys())
    for key, row in days.items():
        found, number = good[key], row["successful_syncs"]
        first, last, gap = row["first_success_at"], row["last_success_at"], row["longest_gap_seconds"]
        if not first.date() == last.date() == key[1] or number < max(1, len(found)):
            yield f"the watched day {key} has {number} syncs from {first} to {last}, {len(found)} on record"
        stamps = [one["stamp"] for one in found]
        gaps = [_seconds(one) for one in found if one["previous_success_at"] is not None]
        if number == len(found) and (first, last, gap) != (min(stamps), max(stamps), max(gaps, default=None)):
            yield f"the watched day {key} is {row}, by runs of {stamps} with gaps of {gaps}"


def _seconds(row: Row) -> int:
    before: datetime = row["previous_success_at"]
    return max(0, int((row["stamp"] - before).total_seconds()))
