"""A catalog that changes a little at a time, and everything that happens to the database that follows it."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from sync.catalog.guards import GuardSettings
from sync.catalog.modes import MODES
from sync.errors import ApiUnreachable
from sync.run import run_sync
from sync.run.import_ import ImportDependencies, import_responses
from sync.run.source_check import Acceptance
from sync.source.files.jsonl import SavedResponse
from sync.store.database import in_transaction
from sync.store.ignored import add_ignored, end_ignored
from sync.store.prune import delete_old_runs
from tests.support.made_responses import Model, body, model
from tests.support.run_driver import HOUR, Host
from tests.torture.database_under_test import engine_for

# Ids that differ by case, blank and accent, and one with a bidi mark and markup.
_IDS = ["Acme/M1", "acme/m1 ", "acme/m1", "ä\u202e<b>", *(f"acme/m{number}" for number in range(2, 12))]
_IGNORED = "models.rank"
AFTER_FIRST_RELEASE = datetime(2026, 3, 10, tzinfo=UTC)


@dataclass
class WatchedCatalog:
    """A database, the catalog that is synced into it, and the clock of the host."""

    url: str
    rng: random.Random
    now: datetime = AFTER_FIRST_RELEASE
    is_ignoring: bool = False
    listed: dict[str, dict[str, Model]] = field(default_factory=dict)
    away: dict[str, dict[str, Model]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listed = {mode: {id_: self._model(id_) for id_ in _IDS} for mode in MODES}
        self.away = {mode: {} for mode in MODES}

    def sync(self, modes: Sequence[str] = MODES, *, accepts: bool = False, trigger: str = "cli", **sent: Any) -> int:
        """The exit code of a sync; ``sent`` has what the API sends instead of a mode's catalog."""
        guards = GuardSettings(accept_removals="all", accept_costs="all") if accepts else GuardSettings()
        acceptance = Acceptance(base_url=True, by="ann@host", why="a new provider") if accepts else Acceptance()
        with engine_for(self.url) as engine:
            host = Host(engine, self.now)
            deps = host.dependencies({**{mode: self.models(mode) for mode in MODES}, **sent}, modes, guards)
            deps = replace(deps, acceptance=acceptance, host="job-1", key_fingerprint="0123456789ab")
            result = run_sync(engine, replace(deps, trigger_kind=trigger))
        self.now += HOUR
        return result.exit_code

    def change(self) -> None:
        """A few changes in one mode: of a cost, a text or a parameter, a model that comes, goes or returns."""
        mode = self.rng.choice(MODES)
        for _ in range(self.rng.randrange(1, 3)):
            self.rng.choice([self._set_cost, self._set_text, self._set_param, self._remove, self._add])(mode)

    def sync_held(self) -> int:
        """A third of the models is missing, and nobody accepts that."""
        return self.sync(image=self.models("image")[: len(self.listed["image"]) * 2 // 3])

    def sync_accepted(self) -> int:
        """A third of the models is removed, and a person accepts that."""
        for model_id in sorted(self.listed["video"])[::3]:
            self.away["video"][model_id] = self.listed["video"].pop(model_id)
        return self.sync(accepts=True)

    def restore(self, mode: str) -> None:
        """The catalog has all models again that were removed."""
        self.listed[mode] |= self.away[mode]
        self.away[mode] = {}

    def sync_rejected(self) -> int:
        return self.sync(image=[*self.models("image"), model("rejected", cost=-self.rng.randrange(1, 99))])

    def sync_failed(self, mode: str) -> int:
        failure: dict[str, Any] = {mode: ApiUnreachable("no response")}
        return self.sync(**failure)

    def import_line(self) -> None:
        """A saved response of both modes becomes a run."""
        payloads = {mode: body(mode, self.models(mode)) for mode in MODES}
        line = SavedResponse("saved.jsonl", 1, self.now, payloads)
        accepts_all = GuardSettings(accept_removals="all", accept_costs="all")
        deps = ImportDependencies(clock=lambda: self.now, app_version="0", guards=accepts_all, host="job-2")
        with engine_for(self.url) as engine:
            list(import_responses(engine, [line], deps))
        self.now += HOUR

    def ignore(self) -> None:
        """The rank of the models, which differs in every response, is ignored, or no longer ignored."""
        self.is_ignoring = not self.is_ignoring
        with engine_for(self.url) as engine:
            in_transaction(engine, lambda connection, _: self._ignore_on(connection))
        self.now += HOUR

    def prune(self, older_than: timedelta) -> int:
        """The number of runs that were forgotten."""
        with engine_for(self.url) as engine:
            return sum(delete_old_runs(engine, self.now - older_than))

    def models(self, mode: str) -> list[Model]:
        listed = [copy.deepcopy(each) for each in self.listed[mode].values()]
        if self.is_ignoring:
            for each in listed:
                each["rank"] = self.rng.randrange(10**6)
        self.rng.shuffle(listed)
        return listed

    def _ignore_on(self, connection: Any) -> datetime:
        if self.is_ignoring:
            return add_ignored(connection, [_IGNORED], self.now, "noise", "ann@host")
        return end_ignored(connection, _IGNORED, self.now, "it was removed by ann@host")

    def _model(self, model_id: str) -> Model:
        return model(model_id, cost=self.rng.randrange(1, 10**4) / 100, params={"steps": self.rng.randrange(1, 50)})

    def _set_cost(self, mode: str) -> None:
        costs = self._some(mode)["credits"]
        # Less than tenfold, so that it is not held back.
        costs["default_cost"] = round(costs["default_cost"] * self.rng.uniform(0.5, 2) + 0.01, 4)

    def _set_text(self, mode: str) -> None:
        self._some(mode)["description"] = f"ä {self.rng.randrange(10**6)}"

    def _set_param(self, mode: str) -> None:
        self._some(mode)["params"] = {"steps": self.rng.randrange(1, 10**6)}

    def _remove(self, mode: str) -> None:
        if len(self.listed[mode]) > len(_IDS) - 2:  # fewer than the guard holds back
            model_id = self.rng.choice(sorted(self.listed[mode]))
            self.away[mode][model_id] = self.listed[mode].pop(model_id)

    def _add(self, mode: str) -> None:
        if self.away[mode] and self.rng.random() < 0.7:
            model_id = self.rng.choice(sorted(self.away[mode]))
            self.listed[mode][model_id] = self.away[mode].pop(model_id)
        elif len(self.listed[mode]) < len(_IDS) + 4:
            model_id = f"new/{self.rng.randrange(10**9)}"
            self.listed[mode][model_id] = self._model(model_id)

    def _some(self, mode: str) -> Model:
        return self.listed[mode][self.rng.choice(sorted(self.listed[mode]))]
