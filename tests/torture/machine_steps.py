"""Carries out the steps of the state machine, on the database and on the model, and compares the two."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Engine, select

from models_db.migrate import upgrade
from models_db.tables import credit_history, model_versions, models, sync_runs, sync_state
from models_db.views.loader import VIEWS
from sync.catalog.guards import RemovalGuard
from sync.catalog.modes import MODES
from sync.errors import CatalogSyncError, Outcome, worst
from sync.run import RunResult
from sync.run.import_ import ImportDependencies, import_responses
from sync.source.files.jsonl import SavedResponse
from sync.store.prune import delete_old_runs
from tests.support.history_checker import plain_json
from tests.support.made_responses import Model, body, spelled
from tests.support.run_driver import HOUR, SECOND, START, Host, dump
from tests.support.run_driver import Sent as Given
from tests.torture.database_calls import around_calls, dying_at
from tests.torture.database_under_test import opened, require, require_sound_with
from tests.torture.expected_database import Expected, Run, Sent, run_status
from tests.torture.forked_processes import ended, forked

_SOON = timedelta(minutes=5)
# Times of imports lie beside those of syncs, which are whole seconds.
_BESIDE = timedelta(microseconds=123)


@dataclass
class MachineHost:
    """A database, the model of it, the API's catalog, and the host's clock."""

    url: str
    now: datetime = START
    expected: Expected = field(default_factory=Expected)
    catalog: dict[str, dict[str, Model]] = field(default_factory=lambda: {mode: {} for mode in MODES})
    lines: list[tuple[SavedResponse, dict[str, Sent]]] = field(default_factory=list)
    recorded: set[tuple[str, datetime, str]] = field(default_factory=set)

    def put(self, mode: str, model_id: str, cost: str | None, extra: int) -> None:
        self.catalog[mode][model_id] = {"id": model_id, "credits": {"default_cost": cost}, "params": {"x": extra}}

    def vanish(self, mode: str, model_ids: set[str]) -> None:
        for model_id in model_ids:
            self.catalog[mode].pop(model_id, None)

    def move_clock(self, hours: int) -> None:
        self.now += hours * HOUR

    def sync(
        self,
        modes: Sequence[str] = MODES,
        *,
        accept: bool = False,
        failing: Mapping[str, Given] | None = None,
        malformed: Mapping[str, Model] | None = None,
    ) -> None:
        failing, malformed = failing or {}, malformed or {}
        answers = {mode: self._answer(mode, malformed.get(mode)) for mode in modes if mode not in failing}
        accepted = sum(self.expected.held(answers).values()) if accept else None
        given: dict[str, Given] = {mode: _models_of(sent) for mode, sent in answers.items()} | dict(failing)
        now = self._next()
        with opened(self.url) as engine:
            result = _run(Host(engine, now), given, modes=modes, accept=accepted)
        require(result.run_id is not None, "a run without a number")
        statuses = self._apply(result.run_id or 0, answers, now, accepted, modes)
        found = [mode.row.status for mode in result.modes]
        require(found == [statuses[mode] for mode in modes], f"the modes came to {found}, not {statuses}")
        codes = [code for mode in modes for code in self._codes(mode, answers, failing, statuses)]
        held = bool(statuses) and any(mode.row.removals_held for mode in result.modes)
        codes += [Outcome.HELD] if held else []
        require(result.exit_code == worst(codes), f"it ended with {result.exit_code}, not {worst(codes)}")

    def crash(self, number: int, *, after: bool) -> None:
        """A run over both modes that dies; whether it was stored is told by its row."""
        answers = {mode: self._answer(mode) for mode in MODES}
        given = {mode: _models_of(sent) for mode, sent in answers.items()}
        now = self._next()

        def work() -> int:
            with opened(self.url) as engine, around_calls(dying_at(number, after=after)):
                _run(Host(engine, now), given)
            return 0

        code = ended(forked(work))
        require(code in {0, -9}, f"the run to be killed ended with {code}")
        query = select(sync_runs.c.run_id, sync_runs.c.status).order_by(sync_runs.c.run_id.desc()).limit(1)
        with opened(self.url) as engine:
            run_id, status = next(iter(_rows(engine, query)), (0, ""))
        if run_id not in self.expected.runs and status == "running":
            self.expected.runs[run_id] = Run("running", now)
        elif run_id not in self.expected.runs and run_id:
            self._apply(run_id, answers, now, None, MODES)

    def dry_run(self, modes: Sequence[str]) -> None:
        given = {mode: _models_of(self._answer(mode)) for mode in modes}
        self._unchanged(lambda engine: _run(Host(engine, self._next()), given, modes=modes, dry_run=True), dump)

    def migrate(self, times: int) -> None:
        def again(engine: Engine) -> None:
            for _ in range(times):
                upgrade(self.url)

        self._unchanged(again, dump)

    def prune(self, hours: int) -> None:
        before = self.now - hours * HOUR
        gone = self.expected.forget(before)
        found: list[int] = []
        self._unchanged(lambda engine: found.extend(delete_old_runs(engine, before)), _answers_of_views)
        require(sum(found) == gone, f"prune forgot {sum(found)} runs, not {gone}")

    def import_line(self, modes: Sequence[str], minutes: int, *, accept: bool) -> None:
        stamps = [shelf.stamp for shelf in self.expected.shelves.values() if shelf.stamp]
        at = max(stamps, default=self.now) + minutes * timedelta(minutes=1) + _BESIDE
        answers = {mode: self._answer(mode) for mode in modes}
        payloads = {mode: body(mode, _models_of(sent)) for mode, sent in answers.items()}
        line = SavedResponse("lines", len(self.lines) + 1, at, payloads)
        self.lines.append((line, answers))
        self._import(line, answers, "all" if accept else None)

    def import_again(self, back: int) -> None:
        line, answers = self.lines[-min(back, len(self.lines))]
        self._import(line, answers, "all")

    def compare(self) -> None:
        """The database is what the model says, and everything in it proves the rest."""
        with opened(self.url) as engine:
            require_sound_with(engine)
            versions = _intervals(engine, model_versions, model_versions.c.raw)
            costs = _intervals(engine, credit_history, credit_history.c.default_cost_exact)
            states = {row.mode: (row.version, row.observed_at, row.run_id) for row in _rows(engine, select(sync_state))}
            stored = {row.run_id: row.status for row in _rows(engine, select(sync_runs))}
        for mode, shelf in self.expected.shelves.items():
            for model_id in shelf.lives.keys() | {found for own, found in versions if own == mode}:
                self._compare_life(mode, model_id, versions, costs)
            wanted = (shelf.version, shelf.stamp, shelf.run_id)
            require(states[mode] == wanted, f"sync_state has {states[mode]} for {mode}, not {wanted}")
        runs = {run_id: run.status for run_id, run in self.expected.runs.items()}
        require(stored == runs, f"the runs are {stored}, not {runs}")

    def _compare_life(self, mode: str, model_id: str, versions: Any, costs: Any) -> None:
        life = self.expected.shelves[mode].lives.get(model_id)
        key = (mode, model_id)
        found = [(since, to, _meaning(raw)) for since, to, raw in versions.get(key, [])]
        wanted = life.versions if life else []
        require(found == wanted, f"{key} has the versions {found}, not {wanted}")
        priced = [(since, to, None if cost is None else Decimal(cost)) for since, to, cost in costs.get(key, [])]
        wanted = life.costs if life else []
        require(priced == wanted, f"{key} has the costs {priced}, not {wanted}")

    def _answer(self, mode: str, malformed: Model | None = None) -> Sent:
        listed = self.catalog[mode].values()
        if malformed is None:
            return Sent(tuple(listed))
        return Sent((*(model for model in listed if model["id"] != malformed["id"]), malformed))

    def _apply(
        self,
        run_id: int,
        answers: Mapping[str, Sent],
        now: datetime,
        accepted: int | None,
        modes: Sequence[str],
    ) -> dict[str, str]:
        run = Run("", now + 2 * SECOND)
        statuses = dict.fromkeys(modes, "failed")
        statuses |= self.expected.apply(run_id, answers, now + 2 * SECOND, accepted=accepted, run=run)
        run.status = run_status([statuses[mode] for mode in modes])
        return statuses

    def _codes(
        self, mode: str, answers: Mapping[str, Sent], failing: Mapping[str, Given], statuses: Mapping[str, str]
    ) -> list[Outcome]:
        if mode in failing:
            how = failing[mode]
            return [how.outcome if isinstance(how, CatalogSyncError) else Outcome.REJECTED]
        return [Outcome.DONE if answers[mode].is_whole else Outcome.REJECTED]

    def _import(self, line: SavedResponse, answers: dict[str, Sent], accepted: Literal["all"] | None) -> None:
        now = self._next()
        fresh = {mode: sent for mode, sent in answers.items() if self._is_fresh(line, mode)}
        late = any(mode not in fresh and not self._is_recorded(line, mode) for mode in answers)
        refused = Outcome.DONE
        if line.at > now + _SOON:
            refused = Outcome.USAGE
        elif late:
            refused = Outcome.REJECTED
        elif accepted is None and self.expected.held(fresh):
            refused = Outcome.HELD
        run_id, code = self._import_for_real(line, now, accepted)
        require(code == refused, f"the import came to {code!r}, not {refused!r}")
        require((run_id is not None) == bool(fresh and not refused), f"the import made run {run_id}")
        if run_id is None:
            return
        run = Run("", now, is_import=True)
        self.expected.apply(run_id, fresh, line.at, accepted="all", run=run)
        run.status = "success"
        self.recorded |= {(mode, line.at, _sha(line, mode)) for mode in fresh}

    def _import_for_real(
        self, line: SavedResponse, now: datetime, accepted: Literal["all"] | None
    ) -> tuple[int | None, Outcome]:
        backfill = ImportDependencies(clock=lambda: now, app_version="0", guard=RemovalGuard(accepted=accepted))
        with opened(self.url) as engine:
            try:
                result = next(iter(import_responses(engine, [line], backfill)))
            except CatalogSyncError as error:
                return None, error.outcome
        return (result.run_id if result else None), Outcome.DONE

    def _is_fresh(self, line: SavedResponse, mode: str) -> bool:
        last = self.expected.shelves[mode].stamp
        return last is None or line.at > last

    def _is_recorded(self, line: SavedResponse, mode: str) -> bool:
        return (mode, line.at, _sha(line, mode)) in self.recorded

    def _unchanged(self, step: Callable[[Engine], object], look: Callable[[Engine], object]) -> None:
        with opened(self.url) as engine:
            before = look(engine)
            step(engine)
            require(look(engine) == before, "it changed what it must not touch")

    def _next(self) -> datetime:
        """When the next thing happens."""
        self.now += HOUR
        return self.now


def _rows(engine: Engine, query: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(query))


def _run(host: Host, given: Mapping[str, Given], **options: Any) -> RunResult:
    return host.sync(given.get("image", ()), given.get("video", ()), **options)


def _models_of(sent: Sent) -> list[Model]:
    return [{**model, "credits": {"default_cost": _spelled(model["credits"]["default_cost"])}} for model in sent.models]


def _spelled(cost: str | None) -> str | None:
    return spelled(cost) if cost and cost[0].isdigit() else cost


def _meaning(raw: str) -> tuple[Decimal | None, int]:
    model = plain_json(raw)
    return model["credits"]["default_cost"], int(model["params"]["x"])


def _sha(line: SavedResponse, mode: str) -> str:
    return hashlib.sha256(line.payloads[mode]).hexdigest()


def _intervals(engine: Engine, table: Any, value: Any) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    query = select(models.c.mode, models.c.model_id, table.c.valid_from, table.c.valid_to, value)
    query = query.join(models, models.c.model_pk == table.c.model_pk).order_by(table.c.valid_from)
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for mode, model_id, *interval in connection.execute(query):
            found.setdefault((mode, model_id), []).append(tuple(interval))
    return found


def _answers_of_views(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            view.name: sorted(
                (tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {view.name}")), key=repr
            )
            for view in VIEWS
            if view.name != "v_sync_runs"
        }
