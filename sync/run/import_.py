"""Saved answers stored as history: one line is one run, at the time the line carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from msgspec.structs import replace

from sync.catalog.guards import RemovalGuard
from sync.catalog.response.parse import ParseLimits, parse_response, split_by_mode
from sync.catalog.response.parsed import ParsedResponse
from sync.catalog.text import one_line
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, RemovalsHeld, ResponseRejected, UsageError
from sync.run.decide import decide
from sync.run.result import ModeFetch, RunResult, make_result
from sync.run.sync import Clock, write_result
from sync.source.files.jsonl import SavedResponse
from sync.store import read, runs
from sync.store.database import Connection, Engine, Pause, in_transaction

MAX_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class ImportDependencies:
    """What an import needs to know and to be given."""

    clock: Clock
    app_version: str
    guard: RemovalGuard = field(default_factory=RemovalGuard)
    limits: ParseLimits = field(default_factory=ParseLimits)
    mask: Callable[[str], str] = str
    pause: Pause = time.sleep


def import_responses(
    engine: Engine, lines: Iterable[SavedResponse], backfill: ImportDependencies
) -> Iterator[RunResult | None]:
    """Stores line by line and gives each one's result; None for a line that is recorded already.

    A line's time is never moved. Raises the error of the first line that is broken, out of order
    or held, naming file and line; the lines before it stay, so a rerun goes on there.
    """
    for line in lines:
        try:
            yield _import_line(engine, line, backfill)
        except CatalogSyncError as error:
            error.args = (f"{_place(line)}: {error}",)
            raise


def _import_line(engine: Engine, line: SavedResponse, backfill: ImportDependencies) -> RunResult | None:
    if line.at > backfill.clock() + MAX_AHEAD:
        raise UsageError(f"its time {line.at:%Y-%m-%dT%H:%M:%SZ} is still to come; mend the line, then import again")
    answers = _answers(line, backfill.limits)
    start = runs.RunStart(backfill.clock(), "import", None, backfill.app_version)

    def work(connection: Connection, _: int) -> RunResult | None:
        states = read.mode_states(connection, sorted(answers), lock=True)
        fresh = {mode: answer for mode, answer in answers.items() if _is_new(connection, line, answer, states[mode])}
        if not fresh:
            return None
        versions = {mode: state.version for mode, state in states.items()}
        decision = decide(connection, fresh, states, versions, backfill.guard, line.at)
        run_id = runs.begin_run(connection, start)
        asked = [ModeFetch(mode, line.at, answer=answer) for mode, answer in fresh.items()]
        previous = {mode: state.last.good_stamp for mode, state in states.items()}
        result = _with_origin(make_result(run_id, line.at, asked, decision, previous), line)
        _refuse_broken_or_held(result)
        write_result(connection, run_id, result, backfill.clock(), backfill.mask)
        return result

    return in_transaction(engine, work, pause=backfill.pause)


def _answers(line: SavedResponse, limits: ParseLimits) -> dict[str, ParsedResponse]:
    try:
        answers = {mode: parse_response(body, mode, limits) for mode, body in line.payloads.items()}
    except (ApiRefused, ApiUnreachable) as error:
        raise ResponseRejected(
            f"it holds a refusal, not a catalog ({str(error).partition(';')[0]}): take the line out, then import again"
        ) from error
    return split_by_mode(answers["all"]) if "all" in answers else answers


def _is_new(connection: Connection, line: SavedResponse, answer: ParsedResponse, state: read.ModeState) -> bool:
    """Whether the mode's history can take the answer: False if it has it, an error if it is too late."""
    last = state.last.stamp
    if last is None or line.at > last:
        return True
    if read.is_recorded(connection, answer.mode, line.at, answer.payload_sha256):
        return False
    raise ResponseRejected(
        f"its time {line.at.isoformat()} is not later than {last.isoformat()}, the last one stored for mode"
        f" {answer.mode}: history cannot be changed; sort the lines by time, or import into a new database"
    )


def _refuse_broken_or_held(result: RunResult) -> None:
    """A model rejected alone is no reason to stop: its line is stored as partial."""
    for mode in result.modes:
        if mode.plan is None:
            raise mode.errors[-1]
    held = sum(mode.plan.removals_held for mode in result.modes if mode.plan)
    if held:
        raise RemovalsHeld(
            f"it lacks {held} models of those before it: the line was not stored; if they were truly gone,"
            f" import again with --accept-removals {held}, or with all for every line"
        )


def _with_origin(result: RunResult, line: SavedResponse) -> RunResult:
    return replace(result, notes=(f"imported from {_place(line)}", *result.notes))


def _place(line: SavedResponse) -> str:
    return one_line(f"{line.file} line {line.line}")
