"""Mutated responses, from fetch to plan, and some of them into a database.

Each response is checked, parsed and planned against a listed catalog. It may end in a documented error or
in a plan. The plan is compared with what the standard library reads in the same bytes.
"""

from __future__ import annotations

import random
import resource
import time
from datetime import timedelta
from itertools import count

from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.plan import ModeWatermark
from sync.catalog.changes.stored import Listed, Stored
from sync.catalog.model.normalise import normalise
from sync.catalog.model.records import Record
from sync.catalog.modes import MODES
from sync.catalog.response.parse import parse_response
from sync.composition.masking import masker
from sync.errors import CatalogSyncError, Outcome
from sync.source.http.response_check import ResponseValidator
from sync.source.http.session import HttpResponse
from tests.support.made_plans import plan_of
from tests.support.made_responses import Model, raw, stored_as
from tests.support.run_driver import HOUR, SECOND, START
from tests.torture.changing_catalog import ChangingCatalog, response_bodies
from tests.torture.database_under_test import EmptyDatabases, require, require_consistent, sync_once
from tests.torture.mutants_over_http import fetch_mutated
from tests.torture.mutate import mutate
from tests.torture.oracle import require_correct_plan
from tests.torture.progress import Progress

MUTANTS_PER_SCENARIO = 500
# The slowest mutant of the campaign in docs/reliability.md took 0.9 s, and the largest process had 435 MB.
MAX_SECONDS = 20.0
MAX_MEGABYTES = 600
# A fetch and a sync take many times as long as a plan.
_EVERY_NTH_OVER_HTTP = 20
_EVERY_NTH_STORED = 50
_KEY = "gva_live_torture.0123456789"
_VALIDATORS = {
    mode: ResponseValidator("http://127.0.0.1", "http://127.0.0.1", mode, _KEY, masker({}, _KEY)) for mode in MODES
}
_DOCUMENTED = {Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.REJECTED, Outcome.HELD}


def run(databases: EmptyDatabases, progress: Progress) -> None:
    """Scenarios until the part ends; each has its own database."""
    for number in count(progress.options.first):
        if not progress.continues:
            break
        rng = random.Random(f"{progress.options.seed} mutants {databases.kind} {number}")
        with databases.new() as url:
            _Scenario(url, progress, rng, number).run()


class _Scenario:
    def __init__(self, url: str, progress: Progress, rng: random.Random, number: int) -> None:
        self._url, self._progress, self._rng, self._number = url, progress, rng, number
        self._now = START
        changing = ChangingCatalog(rng)
        self._bodies = response_bodies(changing.current())
        self._mode = rng.choice(MODES)
        self._listed, self._stored = _known_models(changing.current()[self._mode], self._mode)
        self._originals = [self._bodies[self._mode], response_bodies(changing.next_catalog())[self._mode]]

    def run(self) -> None:
        self._store(self._bodies[self._mode])
        for number in range(MUTANTS_PER_SCENARIO):
            if not self._progress.continues:
                return
            self._progress.position = f"scenario {self._number}, mutant {number}"
            self._run_mutant(number)
            self._progress.count()

    def _run_mutant(self, number: int) -> None:
        mutant = mutate(self._rng.choice(self._originals), self._rng)
        began = time.monotonic()
        body = self._fetch(mutant) if number % _EVERY_NTH_OVER_HTTP == 0 else mutant
        plan = None if body is None else self._plan(body)
        seconds = time.monotonic() - began
        if plan and body is not None:
            require_correct_plan(plan, body, self._listed)
        if number % _EVERY_NTH_STORED == 0:
            self._store(mutant)
        self._require_bounds(seconds)

    def _fetch(self, mutant: bytes) -> bytes | None:
        self._progress.add("of them sent over HTTP, some of them mutated there again")
        body = fetch_mutated(mutant, self._mode, _KEY, self._rng)
        if body is None:
            self._progress.add("of these rejected by the fetch")
        return body

    def _plan(self, body: bytes) -> ModePlan | None:
        """The plan that a run makes of a body; None if the response is rejected."""
        try:
            error = _VALIDATORS[self._mode].check(HttpResponse(200, {}, body))
            if error:
                raise error
            plan = _make_plan(body, self._mode, self._listed, self._stored)
        except CatalogSyncError as error:
            require(error.outcome in _DOCUMENTED, f"exit {error.outcome}: {error}")
            require(len(str(error).splitlines()) == 1, f"not one line: {error!r}")
            self._progress.add("responses rejected")
            return None
        self._progress.add(f"planned: {plan.status}")
        self._progress.add("single models rejected", len(plan.rejected))
        return plan

    def _store(self, body: bytes) -> None:
        """Syncs this response; the database must be consistent afterwards."""
        self._now += HOUR
        sync_once(self._url, self._now, {**self._bodies, self._mode: body})
        require_consistent(self._url)
        self._progress.add("of them synced, and the database verified")

    def _require_bounds(self, seconds: float) -> None:
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self._progress.keep_maximum("longest time for one, in milliseconds", round(seconds * 1000))
        self._progress.keep_maximum("largest memory of the process, in MB", round(megabytes))
        require(seconds < MAX_SECONDS, f"the response took {seconds:.1f} s")
        require(megabytes < MAX_MEGABYTES, f"the process has grown to {megabytes:.0f} MB")


def _make_plan(body: bytes, mode: str, listed: dict[str, Listed], stored: dict[str, Stored]) -> ModePlan:
    watermark = ModeWatermark(START, START - timedelta(seconds=2), START)
    return plan_of(parse_response(body, mode), listed, stored, watermark, observed_at=START + SECOND)


def _known_models(models: list[Model], mode: str) -> tuple[dict[str, Listed], dict[str, Stored]]:
    """What a plan takes as listed and stored after a sync of these models."""
    records = [record for model in models if isinstance(record := normalise(raw(model), mode), Record)]
    listed = {record.model_id: Listed(pk, record.fingerprint) for pk, record in enumerate(records, start=1)}
    return listed, {record.model_id: stored_as(record, pk) for pk, record in enumerate(records, start=1)}
