"""Carries out the steps of the state machine on the database and on the model in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Engine, select

from models_db.migrate import upgrade
from models_db.tables import sync_runs
from sync.catalog.guards import GuardSettings
from sync.catalog.modes import MODES
from sync.errors import ApiUnreachable, CatalogSyncError, Outcome, worst
from sync.run import RunResult
from sync.run.import_ import ImportDependencies, import_responses
from sync.run.source_check import Acceptance
from sync.source.files.jsonl import SavedResponse
from sync.store.prune import delete_old_runs
from tests.support.made_responses import Model, body
from tests.support.run_driver import HOUR, SECOND, START, Host, Sent, dump
from tests.torture.database_calls import intercept_calls, kill_at
from tests.torture.database_under_test import engine_for, require
from tests.torture.expected_database import (
    Accepted,
    ExpectedDatabase,
    ExpectedRun,
    SentResponse,
    is_foreign,
    needed_numbers,
    run_status,
)
from tests.torture.expected_unused import unused_copies
from tests.torture.forked_processes import KILLED, fork, wait_for
from tests.torture.machine_arguments import accepting, models_sent, payload_hash
from tests.torture.machine_comparison import read_rows, read_views, require_expected

# An import accepts a line from this far in the future, since clocks differ.
_CLOCK_TOLERANCE = timedelta(minutes=5)
# Syncs happen at whole seconds; this keeps the time of a line from being equal to one of them.
_IMPORT_OFFSET = timedelta(microseconds=123)
FETCHING = 2 * SECOND  # a fetch of ``Host`` takes two seconds
BASE_URL = "https://example.org"
NOTHING_FAILS: Mapping[str, Sent] = {}
ANY_SOURCE = Acceptance(base_url=True, by="somebody")
_LAST_RUN = select(sync_runs.c.run_id, sync_runs.c.status).order_by(sync_runs.c.run_id.desc()).limit(1)


@dataclass
class MachineSteps:
    """A database, the model of it, the catalog of the API, and the clock of the host."""

    url: str
    now: datetime = START
    expected: ExpectedDatabase = field(default_factory=ExpectedDatabase)
    catalog: dict[str, dict[object, Model]] = field(default_factory=lambda: {mode: {} for mode in MODES})
    lines: list[tuple[SavedResponse, dict[str, SentResponse]]] = field(default_factory=list)
    """Every line that was imported or rejected, with its responses."""
    imported: set[tuple[str, datetime, str]] = field(default_factory=set)
    """Mode, time and hash of each response that an import has stored."""

    def put_model(self, mode: str, model_id: object, cost: str | None, extra: int) -> None:
        self.catalog[mode][model_id] = {"id": model_id, "credits": {"default_cost": cost}, "params": {"x": extra}}

    def omit_models(self, mode: str, model_ids: Iterable[object]) -> None:
        for model_id in model_ids:
            self.catalog[mode].pop(model_id, None)

    def set_costs(self, mode: str, cost: str | None) -> None:
        for model_id, each in [*self.catalog[mode].items()]:
            if isinstance(model_id, str):  # one with an unreadable id is known by its text, and so by its cost
                self.put_model(mode, model_id, cost, each["params"]["x"])

    def sync_of_another_catalog(self, mode: str, model_ids: Iterable[str], *, accept: bool) -> None:
        """A sync of other models; that catalog answers once."""
        before, self.catalog[mode] = self.catalog[mode], {}
        for model_id in model_ids:
            self.put_model(mode, model_id, "5", 0)
        self.sync(accept=accept)
        self.catalog[mode] = before

    def set_clock(self, hours: int) -> None:
        self.now += hours * HOUR

    def require_expected(self) -> None:
        require_expected(self.url, self.expected)

    def sync(
        self,
        modes: Sequence[str] = MODES,
        *,
        accept: bool = False,
        failing: Mapping[str, Sent] = NOTHING_FAILS,
        age: int | None = None,
        base_url: str = BASE_URL,
        after: timedelta = HOUR,
    ) -> None:
        """A sync whose result is compared with the expected one.

        ``failing`` has what the API sends instead of a catalog. Another ``base_url`` than the last one is accepted.
        """
        responses = {mode: self._response(mode) for mode in modes if mode not in failing}
        sent: dict[str, Sent] = {mode: models_sent(response) for mode, response in responses.items()} | {**failing}
        now = self.advance_clock(after)
        unused = unused_copies(self.expected, responses, now, age, now + FETCHING)
        failing = {**failing, **{mode: ApiUnreachable(f"a copy of {responses.pop(mode)}") for mode in unused}}
        tripped = self.expected.held_back(responses, now + FETCHING)
        accepted = needed_numbers(tripped.values()) if accept else None
        with engine_for(self.url) as engine:
            host = Host(engine, now, age=age, base_url=base_url)
            result = _sync(host, sent, modes=modes, acceptance=ANY_SOURCE, **accepting(accepted))
        require(result.run_id is not None, "the run has no id")
        statuses = self._expect_applied(result.run_id or 0, responses, now, accepted, modes, age=age, base_url=base_url)
        self._require_result(result, [statuses[mode] for mode in modes], responses, failing)

    def refused_sync(self, modes: Sequence[str], *, server_is_behind: timedelta, base_url: str = BASE_URL) -> None:
        """A sync from another base URL than the last one, or by a clock that differs from the API's by hours."""
        foreign = any(is_foreign(base_url, self.expected.modes[mode].base_url) for mode in modes)
        if not foreign and not server_is_behind:
            return
        sent: dict[str, Sent] = {mode: models_sent(self._response(mode)) for mode in modes}
        now, outcome = self.advance_clock(), Outcome.DONE
        with engine_for(self.url) as engine:
            host = Host(engine, now, server_is_behind=server_is_behind, base_url=base_url)
            try:
                _sync(host, sent, modes=modes)
            except CatalogSyncError as error:
                outcome = error.outcome
            (run_id,) = next(iter(read_rows(engine, _LAST_RUN)))[:1]
        require(outcome == Outcome.USAGE, f"the run ended with {outcome!r}")
        require(bool(host.fetched) != foreign, f"{host.fetched} were fetched")
        self.expected.runs[run_id] = ExpectedRun("failed", now)

    def incomplete_sync(self, mode: str) -> None:
        """A sync whose response for one mode says that it has only a part of the list."""
        part = body(mode, models_sent(self._response(mode)), has_more=True)
        self.sync(failing={mode: part})

    def _require_result(
        self,
        result: RunResult,
        statuses: Sequence[str],
        responses: Mapping[str, SentResponse],
        failing: Mapping[str, Sent],
    ) -> None:
        actual = [mode.row.status for mode in result.modes]
        require(actual == statuses, f"the modes ended as {actual}, not {statuses}")
        outcomes = [Outcome.REJECTED for mode in responses if mode in self.expected.reported]
        outcomes += [
            each.outcome if isinstance(each, CatalogSyncError) else Outcome.REJECTED for each in failing.values()
        ]
        if any(mode.row.hold_reason for mode in result.modes):
            outcomes.append(Outcome.HELD)
        require(result.exit_code == worst(outcomes), f"the run ended with {result.exit_code}, not {worst(outcomes)}")

    def crash(self, number: int, *, after: bool) -> None:
        """A sync of both modes that is killed at a database call; its row shows whether it was stored."""
        responses = {mode: self._response(mode) for mode in MODES}
        sent = {mode: models_sent(response) for mode, response in responses.items()}
        now = self.advance_clock()

        def work() -> int:
            with engine_for(self.url) as engine, intercept_calls(kill_at(number, after=after)):
                _sync(Host(engine, now), sent, acceptance=ANY_SOURCE)
            return 0

        code = wait_for(fork(work))
        require(code in {0, KILLED}, f"the run to be killed ended with {code}")
        with engine_for(self.url) as engine:
            run_id, status = next(iter(read_rows(engine, _LAST_RUN)), (0, ""))
        # A run that died before its first COMMIT has no row.
        if run_id not in self.expected.runs and status == "running":
            self.expected.runs[run_id] = ExpectedRun("running", now)
        elif run_id not in self.expected.runs and run_id:
            self._expect_applied(run_id, responses, now, None, MODES, base_url=BASE_URL)

    def dry_run(self, modes: Sequence[str]) -> None:
        sent = {mode: models_sent(self._response(mode)) for mode in modes}
        self._require_unchanged(
            lambda engine: _sync(
                Host(engine, self.advance_clock()), sent, modes=modes, acceptance=ANY_SOURCE, dry_run=True
            ),
            dump,
        )

    def migrate(self, times: int) -> None:
        def upgrade_again(engine: Engine) -> None:
            for _ in range(times):
                upgrade(self.url)

        self._require_unchanged(upgrade_again, dump)

    def prune(self, hours: int) -> None:
        before = self.now - hours * HOUR
        expected = self.expected.prune(before)
        deleted: list[int] = []
        self._require_unchanged(lambda engine: deleted.extend(delete_old_runs(engine, before)), read_views)
        require(sum(deleted) == expected, f"prune deleted {sum(deleted)} runs, not {expected}")

    def import_line(self, modes: Sequence[str], minutes: int, *, accept: bool) -> None:
        """Imports the current catalog as of a time near the last stamp."""
        stamps = [mode.stamp for mode in self.expected.modes.values() if mode.stamp]
        at = max(stamps, default=self.now) + minutes * timedelta(minutes=1) + _IMPORT_OFFSET
        responses = {mode: self._response(mode) for mode in modes}
        payloads = {mode: body(mode, models_sent(response)) for mode, response in responses.items()}
        line = SavedResponse("lines", len(self.lines) + 1, at, payloads)
        self.lines.append((line, responses))
        self._import(line, responses, "all" if accept else None)

    def import_line_again(self, back: int) -> None:
        """Imports one of the last lines again."""
        line, responses = self.lines[-min(back, len(self.lines))]
        self._import(line, responses, "all")

    def _import(self, line: SavedResponse, responses: dict[str, SentResponse], accepted: Literal["all"] | None) -> None:
        now = self.advance_clock()
        new = {mode: response for mode, response in responses.items() if self._is_new(line, mode)}
        expected = self._expected_import_outcome(line, now, responses, new, accepted)
        run_id, outcome = self._run_import(line, now, accepted)
        require(outcome == expected, f"the import ended with {outcome!r}, not {expected!r}")
        require((run_id is not None) == bool(new and not expected), f"the import has the run {run_id}")
        if run_id is None:
            return
        run = ExpectedRun("", now, is_import=True)
        statuses = self.expected.apply(run_id, new, line.at, accepted="all", run=run, asked_at=line.at)
        run.status = run_status([*statuses.values()])
        self.imported |= {(mode, line.at, payload_hash(line, mode)) for mode in new}

    def _expected_import_outcome(
        self,
        line: SavedResponse,
        now: datetime,
        responses: Mapping[str, SentResponse],
        new: Mapping[str, SentResponse],
        accepted: Literal["all"] | None,
    ) -> Outcome:
        if line.at > now + _CLOCK_TOLERANCE:
            return Outcome.USAGE
        old = responses.keys() - new.keys()
        if any((mode, line.at, payload_hash(line, mode)) not in self.imported for mode in old):
            return Outcome.REJECTED
        is_held = any(each.reason for each in self.expected.held_back(new, line.at).values())
        return Outcome.HELD if accepted is None and is_held else Outcome.DONE

    def _run_import(
        self, line: SavedResponse, now: datetime, accepted: Literal["all"] | None
    ) -> tuple[int | None, Outcome]:
        """The run of an import, if there is one, and the outcome."""
        guards = GuardSettings(accept_removals=accepted, accept_costs=accepted)
        dependencies = ImportDependencies(clock=lambda: now, app_version="0", guards=guards)
        with engine_for(self.url) as engine:
            try:
                result = next(iter(import_responses(engine, [line], dependencies)))
            except CatalogSyncError as error:
                return None, error.outcome
        return (result.run_id if result else None), Outcome.DONE

    def _is_new(self, line: SavedResponse, mode: str) -> bool:
        last = self.expected.modes[mode].stamp
        return last is None or line.at > last

    def _response(self, mode: str) -> SentResponse:
        return SentResponse(tuple(self.catalog[mode].values()))

    def _expect_applied(
        self,
        run_id: int,
        responses: Mapping[str, SentResponse],
        now: datetime,
        accepted: Accepted,
        modes: Sequence[str],
        *,
        base_url: str,
        age: int | None = None,
    ) -> dict[str, str]:
        """Applies a sync to the model; the status of each of the modes."""
        observed_at = now + FETCHING
        run = ExpectedRun("", observed_at)
        statuses = dict.fromkeys(modes, "failed")
        statuses |= self.expected.apply(
            run_id, responses, observed_at, accepted=accepted, run=run, asked_at=now, age=age, base_url=base_url
        )
        run.status = run_status([statuses[mode] for mode in modes])
        return statuses

    def _require_unchanged(self, step: Callable[[Engine], object], read: Callable[[Engine], object]) -> None:
        with engine_for(self.url) as engine:
            before, _ = read(engine), step(engine)
            require(read(engine) == before, "the step changed rows that it must not change")

    def advance_clock(self, by: timedelta = HOUR) -> datetime:
        self.now += by
        return self.now


def _sync(host: Host, sent: Mapping[str, Sent], **options: Any) -> RunResult:
    return host.sync(sent.get("image", ()), sent.get("video", ()), **options)
