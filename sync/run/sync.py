"""One sync run: fetch the responses, decide on a plan for each mode, store the result in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from sync.catalog.guards import GuardSettings
from sync.catalog.modes import MODES
from sync.catalog.response.parse import ParseLimits
from sync.errors import CatalogSyncError, CommitUnanswered, DatabaseError, Interrupted, UsageError
from sync.run.apply import write_result
from sync.run.archive import Archive, Keeper
from sync.run.decide import Decision, decide
from sync.run.fetched import FetchedModes, fetched_modes
from sync.run.messages import joined_message, storable_message
from sync.run.result import RunResult, make_result
from sync.run.source_check import Acceptance, accepted_text, replaced_base_urls, require_same_source
from sync.source.http.results import Fetched, FetchFailed
from sync.store import identity, read, runs
from sync.store.database import Connection, Engine, Pause, in_snapshot, in_transaction, storage_warning
from sync.store.retries import was_unreachable
from sync.store.ticks import begin_run_of_tick

_UNFINISHED_STATUSES = (None, *runs.UNFINISHED_STATUSES)

Clock = Callable[[], datetime]
"""Gives the time now, in UTC."""
Fetch = Callable[[Sequence[str]], Mapping[str, Fetched | FetchFailed]]
"""Fetches these modes and gives the outcome of each. Raises ``Interrupted`` or ``UsageError``."""


class SyncDependencies(Struct, frozen=True):
    """What a run needs: its settings, and its ways to the network, the clock and the waiting."""

    fetch: Fetch
    clock: Clock
    app_version: str
    trigger_kind: str = "cli"
    base_url: str | None = None
    host: str | None = None
    key_fingerprint: str | None = None
    acceptance: Acceptance = Acceptance()
    modes: Sequence[str] = MODES
    tick: str | None = None
    """What the run claims, so that no other run does the same; a dry run claims nothing."""
    guards: GuardSettings = field(default_factory=GuardSettings)
    limits: ParseLimits = field(default_factory=ParseLimits)
    mask: Callable[[str], str] = str
    """Hides secrets in a text that is to be stored."""
    pause: Pause = time.sleep
    """Waits before a transaction is retried; an exception it raises ends the run."""
    archive: Archive | None = None
    """Where the responses are kept before anything of them is stored."""
    on_begin: Callable[[int], object] = int
    """Called with the number of the run once its row is stored; it must not raise. Never for a dry run."""


class _Before(Struct, frozen=True):
    """What a run reads before it fetches."""

    states: dict[str, read.ModeState]
    notes: tuple[str, ...]
    """Clauses for the run's note that do not depend on the responses."""
    catalog_id: str | None

    @property
    def versions(self) -> dict[str, int]:
        return {mode: state.version for mode, state in self.states.items()}


def run_sync(engine: Engine, deps: SyncDependencies, *, dry_run: bool = False) -> RunResult:
    """Runs one sync. A dry run fetches and decides in the same way and writes nothing at all.

    Raises ``UsageError`` before any request when the base URL is not the last one, and when the host's
    clock differs from the API's; ``DatabaseError`` when the database fails, ``Interrupted`` when the
    program was stopped during the fetch. In each case nothing of the responses is stored, unless a
    ``DatabaseError`` says that the outcome is unknown. So it is when the archive cannot keep them, if there is
    one: a response is in the archive before it is in the database. The run's row records the error if it can still
    be written. Raises ``TickTaken``, and does nothing, if another run has claimed the tick.
    """
    if dry_run:
        return _dry_run(engine, deps)
    start = runs.RunStart(
        deps.clock(),
        deps.trigger_kind,
        deps.base_url,
        deps.app_version,
        deps.host,
        deps.key_fingerprint,
        tick=deps.tick,
    )

    def begin(connection: Connection, attempt: int) -> tuple[_Before, int]:
        if start.tick is None:
            return _read_before(connection, deps), runs.begin_run(connection, start)
        run_id = begin_run_of_tick(connection, start, attempt)
        return _read_before(connection, deps), run_id

    # If the outcome of this COMMIT is unknown, the retry of a run without a tick inserts a second row. The first one
    # stays ``running`` until a run that applies something marks it abandoned, and this run may be that one.
    before, run_id = in_transaction(engine, begin, pause=deps.pause, name=lambda begun: f"the start of run {begun[1]}")
    deps.on_begin(run_id)
    try:
        require_same_source(deps.base_url, before.states, deps.acceptance)
        # Outside any transaction: a slow API must not keep locks that other runs wait for.
        fetched = _fetch(deps, _keeper(deps, run_id, before))
        return _store(engine, deps, run_id, fetched, before)
    except CommitUnanswered:
        # That transaction may hold its locks still: recording a failure would wait for them, and might be wrong.
        raise
    except BaseException as error:  # also the exceptions by which a signal ends the program
        if was_unreachable(error):
            raise  # one more attempt would only add its time
        unrecorded = _record_failure(engine, deps, run_id, error)
        if unrecorded and isinstance(error, CatalogSyncError) and not isinstance(error, DatabaseError | Interrupted):
            _append(unrecorded, str(error))
            raise unrecorded from error
        raise


def _dry_run(engine: Engine, deps: SyncDependencies) -> RunResult:
    before = in_snapshot(engine, lambda connection: _read_before(connection, deps), pause=deps.pause)
    require_same_source(deps.base_url, before.states, deps.acceptance)
    fetched = _fetch(deps)

    def compare(connection: Connection) -> RunResult:
        states = read.mode_states(connection, deps.modes)
        decision = _decide(connection, deps, fetched, states, before.versions)
        return _result(deps, None, fetched, decision, states, before)

    return in_snapshot(engine, compare, pause=deps.pause)


def _read_before(connection: Connection, deps: SyncDependencies) -> _Before:
    notes = (_key_note(deps.key_fingerprint, read.last_key(connection)), storage_warning(connection.engine))
    own = identity.read_identity(connection) if deps.archive else None
    catalog_id = own.catalog_id if own else None
    return _Before(read.mode_states(connection, deps.modes), tuple(filter(None, notes)), catalog_id)


def _keeper(deps: SyncDependencies, run_id: int, before: _Before) -> Keeper | None:
    if deps.archive is None:
        return None
    good_asked_at = {mode: state.last.good_asked_at for mode, state in before.states.items()}
    return Keeper(deps.archive, before.catalog_id, run_id, deps.app_version, deps.base_url, good_asked_at)


def _fetch(deps: SyncDependencies, keeper: Keeper | None = None) -> FetchedModes:
    return fetched_modes(deps.fetch(deps.modes), deps.limits, keeper)


def _store(engine: Engine, deps: SyncDependencies, run_id: int, fetched: FetchedModes, before: _Before) -> RunResult:
    results: list[RunResult] = []

    def work(connection: Connection, attempt: int) -> RunResult:
        # The locks come first and in mode order: another run that has them commits before this one decides.
        states = read.lock_mode_states(connection, sorted(fetched.responses))
        # The connection may have broken after the server carried out the COMMIT of the last attempt.
        # Then the run has its final status, and storing it again would find itself superseded.
        if attempt > 1 and results and read.run_status(connection, run_id) not in _UNFINISHED_STATUSES:
            return results[-1]
        states |= read.mode_states(connection, [mode for mode in deps.modes if mode not in states])
        decision = _decide(connection, deps, fetched, states, before.versions)
        results.append(_result(deps, run_id, fetched, decision, states, before))
        sealed = write_result(connection, run_id, results[-1], deps.clock(), deps.mask, deps.base_url)
        results[-1] = replace(results[-1], checkpoint=sealed)
        return results[-1]

    try:
        return in_transaction(engine, work, pause=deps.pause, name=lambda _: f"run {run_id}")
    except DatabaseError as error:
        _append(error, joined_message((fetch.mode, fetch.error) for fetch in fetched.fetches if fetch.error))
        raise


def _append(failure: DatabaseError, message: str | None) -> None:
    """Adds another error to the line of a database error, which decides the exit code."""
    if message:
        failure.args = (f"{failure}; also: {message}",)


def _decide(
    connection: Connection,
    deps: SyncDependencies,
    fetched: FetchedModes,
    states: Mapping[str, read.ModeState],
    versions: Mapping[str, int],
) -> Decision:
    if fetched.observed_at is None:
        return Decision()
    older = fetched.older_copies(states)
    return decide(connection, fetched.responses, states, versions, deps.guards, fetched.observed_at, older_copies=older)


def _result(
    deps: SyncDependencies,
    run_id: int | None,
    fetched: FetchedModes,
    decision: Decision,
    states: Mapping[str, read.ModeState],
    before: _Before,
) -> RunResult:
    replaced = replaced_base_urls(deps.base_url, states)
    given = ("--accept-base-url",) if replaced else ()
    result = make_result(run_id, fetched.observed_at, fetched.fetches, decision, states, given)
    accepted = accepted_text(deps.acceptance, decision.plans.values(), deps.base_url, replaced)
    return replace(result, notes=(*result.notes, *before.notes), accepted=accepted)


def _key_note(fingerprint: str | None, last: read.LastKey | None) -> str | None:
    if fingerprint is None or last is None or fingerprint == last.fingerprint:
        return None
    return f"the API key {fingerprint} is another one than {last.fingerprint} of run {last.run_id}"


def _record_failure(engine: Engine, deps: SyncDependencies, run_id: int, error: BaseException) -> DatabaseError | None:
    """Writes the error into the run's row, in one attempt; returns the error if that fails.

    A run whose end could not be written stays ``running`` until the next run marks it abandoned.
    """
    message = str(error) if isinstance(error, CatalogSyncError) else type(error).__name__
    end = runs.RunEnd("failed", deps.clock(), None, type(error).__name__, storable_message(message, deps.mask))

    # The clock, the schema or a setting of this host is wrong: another host may sync, now or when the time is right.
    gives_back = isinstance(error, UsageError)

    def work(connection: Connection, _: int) -> None:
        runs.fail_run(connection, run_id, end, gives_back_tick=gives_back)

    try:
        # Not repeated: the run has waited for the database already, and after a signal it must end soon.
        in_transaction(engine, work, attempts=1)
    except DatabaseError as failure:
        return failure
    return None
