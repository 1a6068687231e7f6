"""Imports saved responses as history: one line is one run, at the time that the line carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from msgspec.structs import replace

from sync.catalog.guards import GuardSettings
from sync.catalog.response.parse import ParseLimits, parse_response, split_by_mode
from sync.catalog.response.parsed import ParsedResponse
from sync.catalog.text import one_line
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, ResponseRejected, UsageError
from sync.run.apply import write_result
from sync.run.decide import decide
from sync.run.messages import held_line_errors
from sync.run.result import ModeFetch, RunResult, combined_error, make_result
from sync.run.source_check import Acceptance, accepted_text
from sync.run.sync import Clock
from sync.source.files.jsonl import SavedResponse
from sync.store import read, runs
from sync.store.database import Connection, Engine, Pause, in_transaction

# The clock of the host that saved the responses may be a little ahead of this host's clock.
MAX_AHEAD = timedelta(minutes=5)

ModeError: TypeAlias = tuple[str, CatalogSyncError]
"""A mode, or an empty text for all of them, and its error."""


@dataclass(frozen=True)
class ImportDependencies:
    """What an import needs: its settings, the clock, and its way of waiting."""

    clock: Clock
    app_version: str
    guards: GuardSettings = field(default_factory=GuardSettings)
    acceptance: Acceptance = field(default_factory=Acceptance)
    limits: ParseLimits = field(default_factory=ParseLimits)
    mask: Callable[[str], str] = str
    """Hides secrets in a text that is to be stored."""
    pause: Pause = time.sleep
    """Waits before a transaction is retried; an exception it raises ends the import."""
    host: str | None = None


def import_responses(
    engine: Engine, lines: Iterable[SavedResponse], deps: ImportDependencies
) -> Iterator[RunResult | None]:
    """Stores the lines one by one and yields the result of each; None for a line that is stored already.

    A line's time is never changed. Raises the error of the first line that is broken, out of order
    or held back, with file and line number in its text. The lines before it stay stored, so a second
    import continues there.
    """
    for line in lines:
        try:
            yield _import_line(engine, line, deps)
        except CatalogSyncError as error:
            error.args = (f"{_location(line)}: {error}",)
            raise


def _import_line(engine: Engine, line: SavedResponse, deps: ImportDependencies) -> RunResult | None:
    if line.at > deps.clock() + MAX_AHEAD:
        raise UsageError(f"the time {line.at:%Y-%m-%dT%H:%M:%SZ} is in the future; correct the line and import again")
    responses, broken = _parse(line, deps.limits)
    start = runs.RunStart(deps.clock(), "import", None, deps.app_version, deps.host)

    def work(connection: Connection, _: int) -> RunResult | None:
        # Locked before the check: another import of the same file may be storing this line right now.
        states = read.lock_mode_states(connection, sorted(responses))
        new, late = _new_responses(connection, line, responses, states)
        errors = [*broken, *late]
        if not new:
            _require_none(errors)
            return None
        # Nothing is fetched, so the versions are those just locked, and no mode can be superseded.
        versions = {mode: state.version for mode, state in states.items()}
        decision = decide(connection, new, states, versions, deps.guards, line.at)
        # In this transaction, unlike the beginning of a sync: a line that is not stored leaves no run.
        run_id = runs.begin_run(connection, start)
        fetches = [ModeFetch(mode, line.at, response=response) for mode, response in new.items()]
        result = _with_origin(make_result(run_id, line.at, fetches, decision, states), line)
        _require_applicable(result, errors)
        result = replace(result, accepted=accepted_text(deps.acceptance, decision.plans.values()))
        return replace(result, checkpoint=write_result(connection, run_id, result, deps.clock(), deps.mask))

    return in_transaction(engine, work, pause=deps.pause, name=_name)


def _name(result: RunResult | None) -> str:
    return "nothing" if result is None else f"run {result.run_id}"


def _parse(line: SavedResponse, limits: ParseLimits) -> tuple[dict[str, ParsedResponse], list[ModeError]]:
    """The responses of a line, and the errors of those that are broken."""
    responses: dict[str, ParsedResponse] = {}
    errors: list[ModeError] = []
    for mode, body in line.payloads.items():
        try:
            responses[mode] = _parse_response(body, mode, limits)
        except ResponseRejected as error:
            errors.append((mode, error))
    return split_by_mode(responses["all"]) if "all" in responses else responses, errors


def _parse_response(body: bytes, mode: str, limits: ParseLimits) -> ParsedResponse:
    try:
        return parse_response(body, mode, limits)
    except (ApiRefused, ApiUnreachable) as error:
        raise ResponseRejected(
            f"the saved response is an API error and not a catalog ({str(error).partition(';')[0]});"
            " remove the line and import again"
        ) from error


def _new_responses(
    connection: Connection,
    line: SavedResponse,
    responses: Mapping[str, ParsedResponse],
    states: Mapping[str, read.ModeState],
) -> tuple[dict[str, ParsedResponse], list[ModeError]]:
    """The responses that are to be stored, and the errors of those that are too late."""
    new: dict[str, ParsedResponse] = {}
    errors: list[ModeError] = []
    for mode, response in responses.items():
        try:
            if _is_new(connection, line, response, states[mode]):
                new[mode] = response
        except ResponseRejected as error:
            errors.append((mode, error))
    return new, errors


def _is_new(connection: Connection, line: SavedResponse, response: ParsedResponse, state: read.ModeState) -> bool:
    """Whether the response is to be stored: False if it is stored already, an error if it is too late."""
    last = state.last.stamp
    if last is None or line.at > last:
        return True
    if read.was_applied(connection, response.mode, line.at, response.payload_sha256):
        return False
    raise ResponseRejected(
        f"the time {line.at.isoformat()} is not later than {last.isoformat()}, the last one stored for mode"
        f" {response.mode}, and stored history cannot be changed; sort the lines by time, or import into a new database"
    )


def _require_applicable(result: RunResult, broken: Iterable[ModeError]) -> None:
    """Raises the errors of a broken or held line as one. A line with rejected models is stored as partial."""
    errors = [*broken]
    errors += [(mode.row.mode, error) for mode in result.modes if mode.plan is None for error in mode.errors]
    holds = [hold for mode in result.modes if mode.plan for hold in mode.plan.holds]
    errors += [("", error) for error in held_line_errors(holds)]
    _require_none(errors)


def _require_none(errors: Sequence[ModeError]) -> None:
    if errors:
        raise combined_error(errors)


def _with_origin(result: RunResult, line: SavedResponse) -> RunResult:
    return replace(result, notes=(f"imported from {_location(line)}", *result.notes))


def _location(line: SavedResponse) -> str:
    return one_line(f"{line.file} line {line.line}")
