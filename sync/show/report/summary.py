"""The first lines of a report: how many models, what moved, how it was watched, and what waits for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sync.catalog.history.period_costs import interval_before
from sync.catalog.history.report_data import (
    Acceptance,
    Held,
    IgnoredField,
    Period,
    RejectedModel,
    ReportData,
    WatchedMode,
)
from sync.show.freshness import CLOCK_TOLERANCE, dated_age_text
from sync.show.report.scales import number
from sync.show.report.texts import printable, time_text
from sync.show.values import format_count, format_duration

STRIP_WIDTH, STRIP_HEIGHT = 1000, 10
_NAMED_IDS = 20
_KINDS = {
    "added": "added",
    "removed": "removed",
    "relisted": "relisted",
    "cost_set": "got a cost",
    "cost_unset": "lost the cost",
}
_HELD = {"other_catalog": "another catalog", "costs": "costs", "removals": "removals"}


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of the summary."""

    label: str
    value: str
    note: str
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """The days of the period on which a mode was watched, as a strip: paths of the days with a sync and without one."""

    mode: str
    text: str
    watched: str
    unwatched: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should know."""

    when: str
    what: str
    why: str


def tiles(data: ReportData, now: datetime) -> Iterator[Tile]:
    """The numbers of the summary."""
    found = ((each, interval_before(each.intervals, data.period.until)) for each in data.models)
    listed = {model: interval for model, interval in found if interval is not None}
    modes = sorted(Counter(model.mode for model in listed).items())
    yield Tile("Models listed", f"{len(listed):,}", ", ".join(f"{count:,} {mode}" for mode, count in modes))
    unpriced = sum(interval.credit_cost is None for interval in listed.values())
    priced = f"{format_count(unpriced, 'model')} without a cost" if unpriced else "every model has a cost"
    yield Tile("Providers", f"{len({model.provider for model in listed}):,}", priced if listed else "")
    counts = data.event_counts
    for kind, label, direction in (("increase", "Costs up", "up"), ("decrease", "Costs down", "down")):
        yield Tile(label, f"{counts.get(kind, 0):,}", "changes in the period", direction)
    came = ", ".join(f"{counts[kind]:,} {text}" for kind, text in _KINDS.items() if counts.get(kind))
    yield Tile("Other events", f"{sum(counts.get(kind, 0) for kind in _KINDS):,}", came or "no model came or went")
    yield _last_sync(data, now)


def _last_sync(data: ReportData, now: datetime) -> Tile:
    """The age of the last successful sync; of several modes, of the one that is behind."""
    last = min((each.last_success for each in _synced(data) if each.last_success), default=None)
    if last is None:
        return Tile("Last successful sync", "none", "")
    if last - now > CLOCK_TOLERANCE:
        return Tile("Last successful sync", "ahead", f"{time_text(last)} UTC: this host's clock is behind")
    age = format_duration(max(now - last, timedelta(0)))
    return Tile("Last successful sync", age, f"ago, {time_text(last)} UTC")


def _synced(data: ReportData) -> Sequence[WatchedMode]:
    """The modes that were ever synced; all where none was."""
    return [each for each in data.watched if each.last_success is not None] or data.watched


def watches(data: ReportData, now: datetime) -> Iterator[Watch]:
    """The strip of each mode that was ever synced, or of both where none was."""
    days = _days(data.period)
    for each in _synced(data):
        states = [_is_watched(day, each) for day in days]
        missed, known = states.count(False), len(days) - states.count(None)
        text = f"{missed:,} of {format_count(known, 'day')} without a successful sync" if known else "not on record"
        watched, unwatched = _strips(states)
        yield Watch(each.mode, f"{dated_age_text(each.last_success, now)}; {text}", watched, unwatched)


def _days(period: Period) -> list[date]:
    """The UTC days of which the period has a part."""
    first = period.since.astimezone(UTC).date()
    last = (period.until.astimezone(UTC) - timedelta(microseconds=1)).date()
    return [first + timedelta(days=number_of_day) for number_of_day in range(max((last - first).days, 0) + 1)]


def _is_watched(day: date, mode: WatchedMode) -> bool | None:
    """Whether the mode was synced on a day; None before the first day on record."""
    if mode.first_day is not None and day < mode.first_day:
        return None
    return day.isoformat() in mode.watched_days


def _strips(states: Sequence[bool | None]) -> tuple[str, str]:
    """Bars for the days with a sync, and for those without; neighbours are one bar."""
    width = STRIP_WIDTH / len(states)
    bars: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    start = 0
    for place, is_watched in enumerate(states):
        if place + 1 < len(states) and states[place + 1] == is_watched:
            continue
        length = number((place + 1 - start) * width)
        bars[is_watched].append(f"M{number(start * width)} 0h{length}v{STRIP_HEIGHT}h-{length}z")
        start = place + 1
    return "".join(bars[True]), "".join(bars[False])


def held_notes(held: Sequence[Held]) -> list[Note]:
    """What is held back when the report is made."""
    return [
        Note(
            f"run {each.run_id}",
            f"{each.mode}: {_HELD.get(each.reason, each.reason)} of {format_count(each.number, 'model')} held back",
            printable(_some(each.model_ids)),
        )
        for each in held
    ]


def rejected_notes(rejected: Sequence[RejectedModel]) -> list[Note]:
    """The models that were rejected in the period."""
    return [
        Note(
            _since(each.since, each.until),
            printable(f"{each.mode}: {'a model without a readable id' if each.model_id is None else each.model_id}"),
            printable(each.reason),
        )
        for each in rejected
    ]


def ignored_notes(ignored: Sequence[IgnoredField]) -> list[Note]:
    """The fields that were ignored in the period."""
    return [
        Note(_since(each.since, each.until), printable(each.path), printable(f"{each.reason} (by {each.added_by})"))
        for each in ignored
    ]


def accepted_notes(accepted: Sequence[Acceptance]) -> list[Note]:
    """What persons accepted in the period."""
    return [
        Note(
            f"run {each.run_id}, {time_text(each.at)}",
            printable(f"{each.accepted.get('by') or 'somebody'} accepted {' and '.join(_accepted(each.accepted))}"),
            printable(str(each.accepted.get("why") or "no reason given")),
        )
        for each in accepted
    ]


def _accepted(accepted: Mapping[str, Any]) -> Iterator[str]:
    if base_url := accepted.get("base_url"):
        yield f"the base URL {base_url['to']}"
    for flag, noun in (("removals", "removal"), ("costs", "moved cost")):
        for mode, count in accepted.get(flag, {}).items():
            yield f"{format_count(count, noun)} of {mode}"


def _since(start: datetime, end: datetime | None) -> str:
    return f"since {time_text(start)}" if end is None else f"{time_text(start)} to {time_text(end)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_IDS} more" if len(names) > _NAMED_IDS else ""
    return ", ".join(names[:_NAMED_IDS]) + more
