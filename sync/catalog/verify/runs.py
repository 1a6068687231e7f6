"""Proves what holds runs and history together: who wrote a row and when, the state, the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.modes import MODES
from sync.catalog.verify.findings import Finding, RowScope, Values, format_value, instant, time_of, unreadable_findings

_DAY = timedelta(days=1)
_NAMED = (("opened_run_id", "valid_from"), ("closed_run_id", "valid_to"), ("run_id", "changed_at"))


@dataclass(frozen=True, slots=True)
class RunInMode:
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
class ModeBounds:
    """What the history of a mode says of its state."""

    first_stamp: datetime | None = None
    last_stamp: datetime | None = None
    applied_runs: int = 0
    """Runs on record that were applied to it."""
    run: RunInMode | None = None
    """The run that its state names."""


def history_run_findings(place: RowScope, rows: Iterable[Values], runs: Mapping[int, RunInMode]) -> Iterator[Finding]:
    """Rows whose run is not on record, was not applied, or could not have written them then."""
    for row in rows:
        for run_column, time_column in _NAMED:
            run_id = row.get(run_column)
            if isinstance(run_id, int):
                wrong = _wrong_run(run_column, run_id, runs.get(run_id), row[time_column])
                yield from (place.fault(wrong, time_of(row)) for _ in range(bool(wrong)))
        if "not_before" in row:
            yield from _not_before_findings(place, row, runs)


def last_seen_of(last: Values, runs: Mapping[int, RunInMode]) -> datetime | None:
    """When a removed model was last seen: at the last good look, or when its last version began."""
    run_id = last["closed_run_id"]
    run = runs.get(run_id) if isinstance(run_id, int) else None
    known = [at for at in (last["valid_from"], run and run.previous_success_at) if isinstance(at, datetime)]
    return max(known) if run else None


def _wrong_run(column: str, run_id: int, run: RunInMode | None, stamp: object) -> str:
    if run is None:
        return f"{column} is {run_id}, and there is no such run"
    if run.status not in APPLIED_STATUSES:
        return f"{column} is {run_id}, which was not applied to this mode (status {format_value(run.status)})"
    if run.run_status not in APPLIED_STATUSES:
        return f"{column} is {run_id}, which stored nothing (status {format_value(run.run_status)} in sync_runs)"
    if not isinstance(run.observed_at, datetime):
        return f"{column} is {run_id}, whose observed_at is {format_value(run.observed_at)}"
    if isinstance(stamp, datetime) and stamp < run.observed_at:
        return f"{column} is {run_id}, which observed later, at {instant(run.observed_at)}"
    return ""


def _not_before_findings(place: RowScope, row: Values, runs: Mapping[int, RunInMode]) -> Iterator[Finding]:
    before, at, run_id = row["not_before"], row["changed_at"], row["run_id"]
    run = runs.get(run_id) if isinstance(run_id, int) else None
    if isinstance(before, datetime) and isinstance(at, datetime) and before > at:
        yield place.fault(f"not_before is {format_value(before)}, later than the change", at)
    elif run and (before is None) != (run.previous_success_at is None):
        yield place.fault(
            f"not_before is {format_value(before)}, and the good look before it was at {format_value(run.previous_success_at)}",
            at,
        )
    elif run and run.previous_asked and isinstance(at, datetime):
        asked = {min(one, at) for one in run.previous_asked}
        if before not in asked:
            yield place.fault(
                f"not_before is {format_value(before)}, the good look before it began at {format_value(min(asked))}", at
            )


def state_findings(rows: Sequence[Values], facts: Mapping[str, ModeBounds]) -> Iterator[Finding]:
    """What is wrong with ``sync_state``, held against the history of each mode."""
    for mode in MODES:
        place = RowScope("sync_state", mode)
        row = next((row for row in rows if row["mode"] == mode), None)
        if row is None:
            yield place.fault("the row is missing")
            continue
        unreadable = list(unreadable_findings(place, [row]))
        yield from unreadable or (place.fault(wrong) for wrong in _wrong_state(row, facts.get(mode, ModeBounds())))


def _wrong_state(row: Values, facts: ModeBounds) -> Iterator[str]:
    last, good, asked = row["observed_at"], row["good_observed_at"], row["good_asked_at"]
    version = row["version"]
    if len({version == 0, last is None, row["run_id"] is None}) != 1:
        yield f"version {format_value(version)}, observed_at {format_value(last)} and run_id {format_value(row['run_id'])} contradict"
    if (good is None) != (asked is None):
        yield "only one of good_observed_at and good_asked_at is NULL"
    if isinstance(good, datetime) and (not isinstance(last, datetime) or good > last):
        yield f"good_observed_at is {format_value(good)}, later than observed_at {format_value(last)}"
    if facts.last_stamp and (not isinstance(last, datetime) or last < facts.last_stamp):
        yield f"observed_at is {format_value(last)}, and there is history of {format_value(facts.last_stamp)}"
    if isinstance(version, int) and version < facts.applied_runs:
        yield f"version is {version}, and {facts.applied_runs} runs were applied"
    if row["run_id"] is not None:
        yield from _wrong_last_run(row, facts.run)


def _wrong_last_run(row: Values, run: RunInMode | None) -> Iterator[str]:
    """The run applied last tells what the state has to be."""
    run_id, last, good, asked = row["run_id"], row["observed_at"], row["good_observed_at"], row["good_asked_at"]
    if not isinstance(run_id, int) or run is None or run.status not in APPLIED_STATUSES:
        yield f"run_id is {format_value(run_id)}, which is no run that was applied to this mode"
        return
    if isinstance(last, datetime) and isinstance(run.observed_at, datetime) and last < run.observed_at:
        yield f"observed_at is {format_value(last)}, and run {run_id} observed at {format_value(run.observed_at)}"
    expected = last if run.status == "success" else run.previous_success_at
    if good != expected:
        yield f"good_observed_at is {format_value(good)}, run {run_id} says {format_value(expected)}"
    looks = {run.asked_at} if run.status == "success" else run.previous_asked
    if looks and asked not in looks:
        yield f"good_asked_at is {format_value(asked)}, the last good look began at {', '.join(map(format_value, looks))}"


def calendar_findings(
    rows: Sequence[Values], facts: Iterable[ModeBounds], stamped: Iterable[object]
) -> Iterator[Finding]:
    """What is wrong with ``calendar_days``, in the order of days; ``stamped`` are the last stamps of the modes."""
    place = RowScope("calendar_days")
    unreadable = list(unreadable_findings(place, rows))
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
    place: RowScope, days: Sequence[date], facts: Iterable[ModeBounds], stamped: Iterable[object]
) -> Iterator[Finding]:
    first = min((fact.first_stamp for fact in facts if fact.first_stamp), default=None)
    last = max((stamp for stamp in stamped if isinstance(stamp, datetime)), default=None)
    if first and (not days or days[0] > first.date()):
        yield place.fault(f"the day {first.date()} of the first change is missing")
    if last and (not days or days[-1] < last.date()):
        yield place.fault(f"the day {last.date()} of the last run is missing")
    if days and (last is None or days[-1] > last.date()):
        yield place.fault(f"the day {days[-1]} is later than the last run")
