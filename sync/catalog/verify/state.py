"""The rules of ``sync_state`` and ``calendar_days``, which follow from history, and of ``catalog_identity``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.modes import MODES
from sync.catalog.times import is_month_end, month_of
from sync.catalog.verify.findings import (
    Finding,
    RowScope,
    StoredRow,
    format_time,
    format_value,
    unreadable_findings,
)
from sync.catalog.verify.runs import RunInMode

_DAY = timedelta(days=1)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ModeBounds:
    """What history and runs require of the state of a mode."""

    first_stamp: datetime | None = None
    last_stamp: datetime | None = None
    applied_runs: int = 0
    """The number of runs on record that were applied to the mode. Older ones may have been pruned."""
    run: RunInMode | None = None
    """The run that the state names; None when it is not on record."""
    listed: int = 0
    """The number of models that are listed now."""


def state_findings(rows: Sequence[StoredRow], bounds: Mapping[str, ModeBounds]) -> Iterator[Finding]:
    """What is wrong with the rows of ``sync_state``, which must be one for each mode."""
    for mode in MODES:
        scope = RowScope("sync_state", mode)
        row = next((row for row in rows if row["mode"] == mode), None)
        if row is None:
            yield scope.finding("the row is missing")
            continue
        unreadable = list(unreadable_findings(scope, [row]))
        problems = () if unreadable else _state_problems(row, bounds.get(mode, ModeBounds()))
        yield from unreadable or map(scope.finding, problems)


def _state_problems(row: StoredRow, bounds: ModeBounds) -> Iterator[str]:
    version, observed_at, run_id = row["version"], row["observed_at"], row["run_id"]
    good_observed_at, good_asked_at = row["good_observed_at"], row["good_asked_at"]
    observed = f"observed_at is {format_value(observed_at)}"
    # Before the first applied run all three are as the migration left them: 0, NULL and NULL.
    if len({version == 0, observed_at is None, run_id is None}) != 1:
        yield (
            f"version is {format_value(version)}, {observed} and run_id is {format_value(run_id)},"
            " which contradict each other"
        )
    if (good_observed_at is None) != (good_asked_at is None):
        yield "only one of good_observed_at and good_asked_at is NULL"
    if isinstance(good_observed_at, datetime) and not _reaches(observed_at, good_observed_at):
        good = format_value(good_observed_at)
        yield f"good_observed_at is {good}, later than observed_at {format_value(observed_at)}"
    if bounds.last_stamp and not _reaches(observed_at, bounds.last_stamp):
        yield f"{observed}, but the mode has history of {format_value(bounds.last_stamp)}"
    # Each applied run raised the version by one. It is higher than the count where runs were pruned.
    if isinstance(version, int) and version < bounds.applied_runs:
        yield f"version is {version}, but {bounds.applied_runs} runs were applied"
    if run_id is not None and row["models_listed"] != bounds.listed:
        yield f"models_listed is {format_value(row['models_listed'])}, but {bounds.listed} models are listed"
    if run_id is not None:
        yield from _last_run_problems(row, bounds.run)


def _last_run_problems(row: StoredRow, run: RunInMode | None) -> Iterator[str]:
    """Where the state differs from what the run that was applied last must have left."""
    run_id, observed_at = row["run_id"], row["observed_at"]
    good_observed_at, good_asked_at = row["good_observed_at"], row["good_asked_at"]
    if not isinstance(run_id, int) or run is None or run.status not in APPLIED_STATUSES:
        yield f"run_id is {format_value(run_id)}, which is not a run that was applied to this mode"
        return
    if isinstance(observed_at, datetime) and isinstance(run.observed_at, datetime) and observed_at < run.observed_at:
        yield (
            f"observed_at is {format_value(observed_at)},"
            f" but run {run_id} observed the catalog at {format_value(run.observed_at)}"
        )
    # A run that was not wholly successful leaves the good times of the successful run before it.
    is_good = run.is_good == 1
    expected = observed_at if is_good else run.previous_success_at
    if good_observed_at != expected:
        yield f"good_observed_at is {format_value(good_observed_at)}, but run {run_id} gives {format_value(expected)}"
    expected_asked_at = run.good_starts if is_good else run.previous_asked_at
    if expected_asked_at and good_asked_at not in expected_asked_at:
        yield (
            f"good_asked_at is {format_value(good_asked_at)}, but the last successful sync began its request at"
            f" {' or '.join(map(format_value, expected_asked_at))}, less the age of its response"
        )
    if observed_at != run.stamp:
        yield f"observed_at is {format_value(observed_at)}, but the stamp of run {run_id} is {format_value(run.stamp)}"
    # A run of an older version counted no listed models. A response that is held as a whole may be another API's.
    if run.models_listed is not None and row["models_listed"] != run.models_listed:
        listed = format_value(row["models_listed"])
        yield f"models_listed is {listed}, but run {run_id} left {format_value(run.models_listed)}"
    if run.base_url is not None and not run.holds_mode and row["base_url"] != run.base_url:
        yield f"base_url is {format_value(row['base_url'])}, but run {run_id} used {format_value(run.base_url)}"


def _reaches(later: object, earlier: datetime) -> bool:
    return isinstance(later, datetime) and later >= earlier


def identity_findings(rows: Sequence[StoredRow]) -> Iterator[Finding]:
    """What is wrong with ``catalog_identity``, which must be one row with a UUID."""
    scope = RowScope("catalog_identity")
    if len(rows) != 1:
        yield scope.finding(f"there are {len(rows)} rows and not one")
    yield from unreadable_findings(scope, rows)
    for row in rows:
        if not _UUID.fullmatch(str(row["catalog_id"])):
            yield scope.finding(f"catalog_id is {format_value(row['catalog_id'])}, which is not a UUID")


def calendar_findings(
    rows: Sequence[StoredRow], bounds: Iterable[ModeBounds], last_stamps: Iterable[object]
) -> Iterator[Finding]:
    """What is wrong with ``calendar_days``: it must have each UTC day from the first change to the last run.

    ``rows`` are in the order of days, ``last_stamps`` are the ``observed_at`` of ``sync_state``.
    """
    scope = RowScope("calendar_days")
    unreadable = list(unreadable_findings(scope, rows))
    yield from unreadable
    if unreadable:
        return
    days = [row["day"] for row in rows if isinstance(row["day"], date)]
    for row in rows:
        day = row["day"]
        start = datetime.combine(day, time(), UTC) if isinstance(day, date) else None
        end = start + _DAY if start and start.date() < date.max else None
        if start and (row["day_start_at"], row["day_end_at"]) != (start, end):
            yield scope.finding(f"the bounds of the day {day} are not {format_time(start)} and a day later", start)
        if isinstance(day, date) and (row["month"], row["is_month_end"]) != (month_of(day), int(is_month_end(day))):
            stored = f"{format_value(row['month'])} and {format_value(row['is_month_end'])}"
            yield scope.finding(
                f"month and is_month_end of the day {day} are {stored},"
                f" and not {month_of(day)} and {int(is_month_end(day))}",
                start,
            )
    for day, next_day in pairwise(days):
        if next_day - day != _DAY:
            yield scope.finding(f"the days between {day} and {next_day} are missing")
    yield from map(scope.finding, _calendar_end_problems(days, bounds, last_stamps))


def _calendar_end_problems(
    days: Sequence[date], bounds: Iterable[ModeBounds], last_stamps: Iterable[object]
) -> Iterator[str]:
    # Each run fills the calendar up to its stamp, so that views find every day from the first change on.
    first = min((bound.first_stamp for bound in bounds if bound.first_stamp), default=None)
    last = max((stamp for stamp in last_stamps if isinstance(stamp, datetime)), default=None)
    if first and (not days or days[0] > first.date()):
        yield f"the day {first.date()} of the first change is missing"
    if last and (not days or days[-1] < last.date()):
        yield f"the day {last.date()} of the last run is missing"
    if days and (last is None or days[-1] > last.date()):
        yield f"the day {days[-1]} is later than the last run"
