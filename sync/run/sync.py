"""One run: ask, decide, and store it all in one transaction, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.guards import RemovalGuard
from sync.catalog.modes import MODES
from sync.catalog.response.parse import ParseLimits, parse_response
from sync.catalog.response.parsed import LastAppliedPayload, ParsedResponse
from sync.errors import CatalogSyncError, DatabaseError, Interrupted, UsageError
from sync.run.decide import Decision, decide
from sync.run.result import ModeFetch, RunResult, make_result, message, primary_error, storable_message
from sync.source.http.results import Fetched, FetchFailed
from sync.store import read, runs, write
from sync.store.database import Connection, Engine, Pause, in_transaction, reading, storage_warning

MAX_CLOCK_AHEAD = timedelta(hours=1)
_STILL_OPEN = (None, "running", "abandoned")

Clock = Callable[[], datetime]
Fetch = Callable[[Sequence[str]], Mapping[str, Fetched | FetchFailed]]


class SyncDependencies(Struct, frozen=True):
    """What a run needs to know and to be given."""

    fetch: Fetch
    clock: Clock
    """Gives the time now, aware."""
    app_version: str
    trigger_kind: str = "cli"
    base_url: str | None = None
    modes: Sequence[str] = MODES
    guard: RemovalGuard = field(default_factory=RemovalGuard)
    limits: ParseLimits = field(default_factory=ParseLimits)
    mask: Callable[[str], str] = str
    """Hides secrets in a text that is to be stored."""
    pause: Pause = time.sleep
    """Waits before the database is asked again; what it raises ends the run."""


class _Before(Struct, frozen=True):
    """What stood in the database before anything was asked; it still does where the version has not moved."""

    versions: Mapping[str, int]
    applied: Mapping[str, LastAppliedPayload]


class _Observation(Struct, frozen=True):
    """What came back, before anything of the database was looked at."""

    asked: tuple[ModeFetch, ...]
    observed_at: datetime | None
    """When the last answer had arrived; None when none did."""

    @property
    def answers(self) -> dict[str, ParsedResponse]:
        return {asked.mode: asked.answer for asked in self.asked if asked.answer and not asked.error}


def run_sync(engine: Engine, job: SyncDependencies, *, dry_run: bool = False) -> RunResult:
    """One whole run. A dry run asks and decides alike and writes nothing at all.

    Raises ``UsageError`` when the host's clock is ahead of the API's, ``DatabaseError`` when the
    database fails, ``Interrupted`` when it was told to stop while asking; in each case nothing of
    the answer is stored, unless the error says that it is not known, and the run's row says so if
    it can still be written.
    """
    if dry_run:
        return _dry_run(engine, job)
    start = runs.RunStart(job.clock(), job.trigger_kind, job.base_url, job.app_version)

    def begin(connection: Connection, _: int) -> tuple[_Before, int]:
        return _before(connection, job), runs.begin_run(connection, start)

    before, run_id = in_transaction(engine, begin, pause=job.pause)
    try:
        seen = _observe(job, before.applied)
        return _store(engine, job, run_id, seen, before.versions)
    except BaseException as error:
        unrecorded = _record_failure(engine, job, run_id, error)
        if unrecorded and isinstance(error, CatalogSyncError) and not isinstance(error, DatabaseError | Interrupted):
            _add(unrecorded, str(error))
            raise unrecorded from error
        raise


def _dry_run(engine: Engine, job: SyncDependencies) -> RunResult:
    with reading(engine) as connection:
        before = _before(connection, job)
    seen = _observe(job, before.applied)
    with reading(engine) as connection:
        states = read.mode_states(connection, job.modes)
        decision = _decide(connection, job, seen, states, before.versions)
    return _result(engine, None, seen, decision, states)


def _before(connection: Connection, job: SyncDependencies) -> _Before:
    states = read.mode_states(connection, job.modes)
    return _Before(
        {mode: state.version for mode, state in states.items()}, read.last_applied_payloads(connection, job.modes)
    )


def _observe(job: SyncDependencies, applied: Mapping[str, LastAppliedPayload]) -> _Observation:
    fetched = job.fetch(job.modes)
    _require_sane_clock(job.clock(), fetched)
    arrived = [found.arrived_at for found in fetched.values() if isinstance(found, Fetched)]
    asked = tuple(_parsed(found, job.limits, applied.get(found.mode)) for found in fetched.values())
    return _Observation(asked, max(arrived, default=None))


def _parsed(found: Fetched | FetchFailed, limits: ParseLimits, applied: LastAppliedPayload | None) -> ModeFetch:
    asked = ModeFetch(found.mode, found.asked_at, found.attempts, found.http_status)
    if isinstance(found, FetchFailed):
        return replace(asked, error=found.error)
    try:
        return replace(asked, answer=parse_response(found.body, found.mode, limits, applied))
    except CatalogSyncError as error:
        return replace(asked, error=error, payload=found.body)


def _require_sane_clock(now: datetime, fetched: Mapping[str, Fetched | FetchFailed]) -> None:
    """A clock far ahead would stamp history with times that no later run could undercut."""
    dates = [found.server_date for found in fetched.values() if found.server_date is not None]
    if dates and now - max(dates) > MAX_CLOCK_AHEAD:
        raise UsageError(
            f"this host's clock says {now:%Y-%m-%d %H:%M:%S} UTC, the API's {max(dates):%Y-%m-%d %H:%M:%S}:"
            " nothing was applied; set the clock right and run again"
        )


def _store(
    engine: Engine, job: SyncDependencies, run_id: int, seen: _Observation, versions: Mapping[str, int]
) -> RunResult:
    done: list[RunResult] = []

    def work(connection: Connection, attempt: int) -> RunResult:
        states = read.mode_states(connection, sorted(seen.answers), lock=True)
        if attempt > 1 and done and read.stored_run_status(connection, run_id) not in _STILL_OPEN:
            return done[-1]  # the commit before was heard by the database, its answer not by us
        states |= read.mode_states(connection, [mode for mode in job.modes if mode not in states])
        decision = _decide(connection, job, seen, states, versions)
        done.append(_result(engine, run_id, seen, decision, states))
        write_result(connection, run_id, done[-1], job.clock(), job.mask)
        return done[-1]

    try:
        return in_transaction(engine, work, pause=job.pause)
    except DatabaseError as error:
        _add(error, message((asked.mode, asked.error) for asked in seen.asked if asked.error))
        raise


def _add(failure: DatabaseError, words: str | None) -> None:
    """What else went wrong: the database decides the exit code, and the line tells both."""
    if words:
        failure.args = (f"{failure}; also: {words}",)


def _decide(
    connection: Connection,
    job: SyncDependencies,
    seen: _Observation,
    states: Mapping[str, read.ModeState],
    versions: Mapping[str, int],
) -> Decision:
    if seen.observed_at is None:
        return Decision()
    return decide(connection, seen.answers, states, versions, job.guard, seen.observed_at)


def _result(
    engine: Engine,
    run_id: int | None,
    seen: _Observation,
    decision: Decision,
    states: Mapping[str, read.ModeState],
) -> RunResult:
    previous = {mode: state.last.good_stamp for mode, state in states.items()}
    result = make_result(run_id, seen.observed_at, seen.asked, decision, previous)
    return replace(result, notes=tuple(filter(None, (*result.notes, storage_warning(engine)))))


def write_result(
    connection: Connection, run_id: int, result: RunResult, now: datetime, mask: Callable[[str], str]
) -> None:
    """Writes all a run came to: its plans, the check-and-set rows, the calendar, and its own end."""
    applied = [mode for mode in result.modes if mode.plan is not None]
    for mode in applied:
        _apply(connection, run_id, mode.plan, mode.row.asked_at)
    if applied:
        runs.abandon_unfinished(connection, run_id, now)
    chief, words = primary_error(result.errors), result.message
    end = runs.RunEnd(
        status=result.status,
        finished_at=now,
        observed_at=result.observed_at,
        error_type=type(chief).__name__ if chief else None,
        error_message=storable_message(words, mask) if words else None,
        note="; ".join(result.notes) or None,
    )
    runs.end_run(connection, run_id, end, [mode.row for mode in result.modes])


def _apply(connection: Connection, run_id: int, plan: ModePlan | None, asked_at: datetime | None) -> None:
    if plan is not None and asked_at is not None:
        write.apply_plan(connection, run_id, plan)
        runs.advance_state(connection, run_id, plan, asked_at)
        runs.fill_calendar(connection, plan.stamp)


def _record_failure(engine: Engine, job: SyncDependencies, run_id: int, error: BaseException) -> DatabaseError | None:
    """Writes why the run died, in one try; gives why it could not: then the next run calls it abandoned."""
    words = str(error) if isinstance(error, CatalogSyncError) else type(error).__name__
    end = runs.RunEnd("failed", job.clock(), None, type(error).__name__, storable_message(words, job.mask))

    def work(connection: Connection, _: int) -> None:
        if read.stored_run_status(connection, run_id) in _STILL_OPEN:
            runs.end_run(connection, run_id, end, ())

    try:
        in_transaction(engine, work, attempts=1)
    except DatabaseError as failure:
        return failure
    return None
