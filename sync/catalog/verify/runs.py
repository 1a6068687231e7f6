"""The rules between history and runs: a run that history names is on record, and could have written the row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.guards import MODE_HOLD_REASONS
from sync.catalog.model.entities import EVENT_RULES
from sync.catalog.times import good_start
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_time, format_value, time_of

# The column with a run, and the column with the time at which that run observed the row's change.
NO_BOUNDS: Mapping[tuple[object, ...], datetime] = {}
_RUN_AND_TIME = (("opened_run_id", "valid_from"), ("closed_run_id", "valid_to"), ("run_id", "changed_at"))


@dataclass(frozen=True, slots=True)
class RunInMode:
    """A run as its rows in ``sync_runs`` and ``sync_run_modes`` describe it for one mode.

    A time that cannot be read is kept as it is stored, and equals no datetime.
    """

    status: str | None
    """The status of the mode; None when the run did not request the mode."""
    run_status: str
    """The status of the run as a whole."""
    observed_at: object = None
    asked_at: object = None
    previous_success_at: object = None
    response_age: object = None
    """The number of seconds for which a cache had had the response; None without an Age header."""
    previous_asked_at: frozenset[datetime] = frozenset()
    """The ``good_asked_at`` that the mode's previous successful run may have left; empty when no such run is on
    record, or when that is not known."""
    base_url: object = None
    """The base URL of the run; None for an import."""
    event_rules: int = EVENT_RULES
    """The rules by which the run made its events."""
    stamp: object = None
    """The time of the run's rows in the mode; None when it was not applied."""
    is_good: object = 0
    hold_reason: str | None = None
    models_listed: object = None

    @property
    def holds_mode(self) -> bool:
        """Whether the whole response was held back."""
        return self.hold_reason in MODE_HOLD_REASONS

    @property
    def good_starts(self) -> frozenset[object]:
        """The ``good_asked_at`` that the run may have left if it was good; empty when that is not known."""
        asked_at, age = self.asked_at, self.response_age
        if not isinstance(asked_at, datetime) or not isinstance(age, int) or age == 0:
            return frozenset({asked_at})
        previous = (None,) if self.previous_success_at is None else self.previous_asked_at
        return frozenset(good_start(asked_at, age, last) for last in previous)


def change_key(row: StoredRow) -> tuple[object, ...]:
    """What tells the changes of a model apart."""
    return row["changed_at"], row["entity"], row["field"]


def history_run_findings(
    scope: RowScope,
    rows: Iterable[StoredRow],
    runs: Mapping[int, RunInMode],
    starts: Mapping[tuple[object, object], object] | None = None,
    earlier_bounds: Mapping[tuple[object, ...], datetime] = NO_BOUNDS,
) -> Iterator[Finding]:
    """Rows whose run is not on record, was not applied, or could not have written them at their time.

    ``starts`` has, by run and time, the ``not_before`` of events of a model that was rejected until then.
    ``earlier_bounds`` has, by ``change_key``, when a change may have happened before the last successful sync.
    """
    for row in rows:
        for run_column, time_column in _RUN_AND_TIME:
            run_id = row.get(run_column)
            if isinstance(run_id, int):
                problem = _run_problem(runs.get(run_id), row[time_column])
                if problem:
                    yield scope.finding(f"{run_column} is {run_id}, {problem}", time_of(row))
        if "changed_at" in row:
            yield from _not_before_findings(scope, row, runs, starts or {}, earlier_bounds.get(change_key(row)))


def event_rules_of(run_id: object, runs: Mapping[int, RunInMode]) -> int:
    """The rules by which a run made its events; those of this program for a run that is not on record."""
    run = runs.get(run_id) if isinstance(run_id, int) else None
    return EVENT_RULES if run is None else run.event_rules


def last_seen_at(last: StoredRow, runs: Mapping[int, RunInMode]) -> datetime | None:
    """When a removed model was last seen; None when the run that removed it is not on record.

    ``last`` is the model's last version. The model was seen in the last successful sync before the
    removal, or later, when a run that was not wholly successful opened this version.
    """
    run_id = last["closed_run_id"]
    run = runs.get(run_id) if isinstance(run_id, int) else None
    if run is None:
        return None
    times = (last["valid_from"], run.previous_success_at)
    return max((time for time in times if isinstance(time, datetime)), default=None)


def _run_problem(run: RunInMode | None, stamp: object) -> str | None:
    """Why the run cannot have written a row with this stamp."""
    if run is None:
        return "but there is no such run"
    return _not_applied(run) or _other_time(run, stamp)


def _not_applied(run: RunInMode) -> str | None:
    if run.status not in APPLIED_STATUSES:
        return f"a run that was not applied to this mode (status {format_value(run.status)})"
    if run.run_status not in APPLIED_STATUSES:
        return f"a run that stored nothing (status {format_value(run.run_status)} in sync_runs)"
    if run.holds_mode:
        return f"a run in which the whole mode was held back ({run.hold_reason})"
    return None


def _other_time(run: RunInMode, stamp: object) -> str | None:
    if not isinstance(run.observed_at, datetime):
        return f"a run whose observed_at is {format_value(run.observed_at)}"
    # A stamp may be later than the observation, where a clock was set back, but never earlier.
    if isinstance(stamp, datetime) and stamp < run.observed_at:
        return f"a run that observed the catalog later, at {format_time(run.observed_at)}"
    if isinstance(stamp, datetime) and stamp != run.stamp:
        return f"a run whose stamp is {format_value(run.stamp)}"
    return None


def start_problem(run: RunInMode, not_before: object, stamp: object, earlier: datetime | None = None) -> str | None:
    """Why ``not_before`` is not when the mode's previous successful run began its request, less its response's age.

    It is NULL if there was no such run, and ``earlier`` where that is the case.
    """
    if (not_before is None) != (run.previous_success_at is None):
        return f"but previous_success_at of its run is {format_value(run.previous_success_at)}"
    if not run.previous_asked_at or not isinstance(stamp, datetime):
        return None
    # A plan caps not_before at its stamp: a clock that was set back can put the request after it.
    expected = {min(asked_at, stamp, earlier or stamp) for asked_at in run.previous_asked_at}
    if not_before in expected:
        return None
    reason = "the field was ignored since" if earlier else "the previous successful sync began its request at"
    return f"but {reason} {format_value(min(expected))}"


def _not_before_findings(
    scope: RowScope,
    row: StoredRow,
    runs: Mapping[int, RunInMode],
    starts: Mapping[tuple[object, object], object],
    earlier: datetime | None,
) -> Iterator[Finding]:
    not_before, changed_at, run_id = row["not_before"], row["changed_at"], row["run_id"]
    run = runs.get(run_id) if isinstance(run_id, int) else None
    problem = None
    if isinstance(not_before, datetime) and isinstance(changed_at, datetime) and not_before > changed_at:
        problem = "later than changed_at"
    elif (run_id, changed_at) in starts:
        start = starts[run_id, changed_at]
        if not_before != (min(start, earlier) if earlier and isinstance(start, datetime) else start):
            problem = f"but the model was rejected until then, and its row has {format_value(start)}"
    elif run:
        problem = start_problem(run, not_before, changed_at, earlier)
    if problem:
        yield scope.finding(f"not_before is {format_value(not_before)}, {problem}", changed_at)
