"""Proves what holds runs and history together: who wrote a row and when, the state, the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from sync.catalog.modes import MODES
from sync.catalog.verify.findings import Fault, Place, Values, instant, shown, time_of, unreadable_faults

_APPLIED = ("success", "partial", "held")
_DAY = timedelta(days=1)
_NAMED = (("opened_run_id", "valid_from"), ("closed_run_id", "valid_to"), ("run_id", "changed_at"))


@dataclass(frozen=True, slots=True)
class RunLook:
    """A run as one mode saw it. Anything but a time in a time's place cannot be read."""

    status: str | None
    """What it came to in this mode; None when it did not ask for it."""
    run_status: str
    """What it came to as a whole."""
    observed_at: object = None
    asked_at: object = None
    previous_success_at: object = None
    previous_asked: frozenset[datetime] = frozenset()
    """When the success before it may have begun asking; empty when that run is no longer known."""


@dataclass(frozen=True, slots=True)
class ModeFacts:
    """What the history of a mode says of its state."""

    first_stamp: datetime | None = None
    last_stamp: datetime | None = None
    applied_runs: int = 0
    """Runs on record that were applied to it."""
    run: RunLook | None = None
    """The run that its state names."""


def history_run_faults(place: Place, rows: Iterable[Values], runs: Mapping[int, RunLook]) -> Iterator[Fault]:
    """Rows whose run is not on record, was not applied, or could not have written them then."""
    for row in rows:
        for run_column, time_column in _NAMED:
            run_id = row.get(run_column)
            if isinstance(run_id, int):
                wrong = _wrong_run(run_column, run_id, runs.get(run_id), row[time_column])
                yield from (place.fault(wrong, time_of(row)) for _ in range(bool(wrong)))
        if "not_before" in row:
            yield from _not_before_faults(place, row, runs)


def last_seen_of(last: Values, runs: Mapping[int, RunLook]) -> datetime | None:
    """When a removed model was last seen: at the last good look, or when its last version began."""
    run_id = last["closed_run_id"]
    run = runs.get(run_id) if isinstance(run_id, int) else None
    known = [at for at in (last["valid_from"], run and run.previous_success_at) if isinstance(at, datetime)]
    return max(known) if run else None


def _wrong_run(column: str, run_id: int, run: RunLook | None, stamp: object) -> str:
    if run is None:
        return f"{column} is {run_id}, and there is no such run"
    if run.status not in _APPLIED:
        return f"{column} is {run_id}, which was not applied to this mode (status {shown(run.status)})"
    if run.run_status not in _APPLIED:
        return f"{column} is {run_id}, which stored nothing (status {shown(run.run_status)} in sync_runs)"
    if not isinstance(run.observed_at, datetime):
        return f"{column} is {run_id}, whose observed_at is {shown(run.observed_at)}"
    if isinstance(stamp, datetime) and stamp < run.observed_at:
        return f"{column} is {run_id}, which observed later, at {instant(run.observed_at)}"
    return ""


def _not_before_faults(place: Place, row: Values, runs: Mapping[int, RunLook]) -> Iterator[Fault]:
    before, at, run_id = row["not_before"], row["changed_at"], row["run_id"]
    run = runs.get(run_id) if isinstance(run_id, int) else None
    if isinstance(before, datetime) and isinstance(at, datetime) and before > at:
        yield place.fault(f"not_before is {shown(before)}, later than the change", at)
    elif run and (before is None) != (run.previous_success_at is None):
        yield place.fault(
            f"not_before is {shown(before)}, and the good look before it was at {shown(run.previous_success_at)}", at
        )
    elif run and run.previous_asked and isinstance(at, datetime):
        asked = {min(one, at) for one in run.previous_asked}
        if before not in asked:
            yield place.fault(
                f"not_before is {shown(before)}, the good look before it began at {shown(min(asked))}", at
            )


def state_faults(rows: Sequence[Values], facts: Mapping[str, ModeFacts]) -> Iterator[Fault]:
    """What is wrong with ``sync_state``, held against the history of each mode."""
    for mode in MODES:
        place = Place("sync_state", mode)
        row = next((row for row in rows if row["mode"] == mode), None)
        if row is None:
            yield place.fault("the row is missing")
            continue
        unreadable = list(unreadable_faults(place, [row]))
        yield from unreadable or (place.fault(wrong) for wrong in _wrong_state(row, facts.get(mode, ModeFacts())))


def _wrong_state(row: Values, facts: ModeFacts) -> Iterator[str]:
    last, good, asked = row["observed_at"], row["good_observed_at"], row["good_asked_at"]
    version = row["version"]
    if len({version == 0, last is None, row["run_id"] is None}) != 1:
        yield f"version {shown(version)}, observed_at {shown(last)} and run_id {shown(row['run_id'])} contradict"
    if (good is None) != (asked is None):
        yield "only one of good_observed_at and good_asked_at is NULL"
    if isinstance(good, datetime) and (not isinstance(last, datetime) or good > last):
        yield f"good_observed_at is {shown(good)}, later than observed_at {shown(last)}"
    if facts.last_stamp and (not isinstance(last, datetime) or last < facts.last_stamp):
        yield f"observed_at is {shown(last)}, and there is history of {shown(facts.last_stamp)}"
    if isinstance(version, int) and version < facts.applied_runs:
        yield f"version is {version}, and {facts.applied_runs} runs were applied"
    if row["run_id"] is not None:
        yield from _wrong_last_run(row, facts.run)


def _wrong_last_run(row: Values, run: RunLook | None) -> Iterator[str]:
    """The run applied last tells what the state has to be."""
    run_id, last, good, asked = row["run_id"], row["observed_at"], row["good_observed_at"], row["good_asked_at"]
    if not isinstance(run_id, int) or run is None or run.status not in _APPLIED:
        yield f"run_id is {shown(run_id)}, which is no run that was applied to this mode"
        return
    if isinstance(last, datetime) and isinstance(run.observed_at, datetime) and last < run.observed_at:
        yield f"observed_at is {shown(last)}, and run {run_id} observed at {shown(run.observed_at)}"
    expected = last if run.status == "success" else run.previous_success_at
    if good != expected:
        yield f"good_observed_at is {shown(good)}, run {run_id} says {shown(expected)}"
    looks = {run.asked_at} if run.status == "success" else run.previous_asked
    if looks and asked not in looks:
        yield f"good_asked_at is {shown(asked)}, the last good look began at {', '.join(map(shown, looks))}"


def calendar_faults(rows: Sequence[Values], facts: Iterable[ModeFacts], stamped: Iterable[object]) -> Iterator[Fault]:
    """What is wrong with ``calendar_days``, in the order of days; ``stamped`` are the last stamps of the modes."""
    place = Place("calendar_days")
    unreadable = list(unreadable_faults(place, rows))
    yield from unreadable
    if unreadable:
        return
    days = [row["day"] for row in rows if isinstance(row["day"], date)]
    for row in rows:
        day = row["day"]
        start = datetime.combine(day, time(), UTC) if isinstance(day, date) else None
        if start and (row["day_start_at"], row["day_end_at"]) != (start, start + _DAY):
            yield place.fault(f"the day {day} has other bounds than {instant(start)} and a day later", start)
    for before, after in pairwise(days):
        if after - before != _DAY:
            yield place.fault(f"the days between {before} and {after} are missing")
    yield from _missing_ends(place, days, facts, stamped)


def _missing_ends(
    place: Place, days: Sequence[date], facts: Iterable[ModeFacts], stamped: Iterable[object]
) -> Iterator[Fault]:
    first = min((fact.first_stamp for fact in facts if fact.first_stamp), default=None)
    last = max((stamp for stamp in stamped if isinstance(stamp, datetime)), default=None)
    if first and (not days or days[0] > first.date()):
        yield place.fault(f"the day {first.date()} of the first change is missing")
    if last and (not days or days[-1] < last.date()):
        yield place.fault(f"the day {last.date()} of the last run is missing")
    if days and (last is None or days[-1] > last.date()):
        yield place.fault(f"the day {days[-1]} is later than the last run")
