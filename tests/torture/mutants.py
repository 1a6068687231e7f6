"""Mutated answers from fetch to plan, and some of them into a database.

Each is judged, parsed and planned against a catalog that is listed. It may be refused in a documented
way or give a plan; a plan is held against what the standard library reads in the same bytes.
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
from sync.errors import CatalogSyncError, Outcome
from sync.source.http.response_check import ResponseValidator
from sync.source.http.session import HttpResponse
from tests.support.made_plans import plan_of
from tests.support.made_responses import raw, stored_as
from tests.support.run_driver import HOUR, SECOND, START
from tests.torture.changing_catalog import Upheaval, sent
from tests.torture.database_under_test import Ground, require, require_sound, run_once
from tests.torture.mutants_over_http import fetched
from tests.torture.mutate import mutated
from tests.torture.oracle import require_true
from tests.torture.progress import Ledger

MUTANTS_IN_A_LIFE = 500
SECONDS_AT_MOST = 20.0
MEGABYTES_AT_MOST = 600
_BY_HTTP_EVERY = 20
_STORED_EVERY = 50
_KEY = "gva_live_torture.0123456789"
_JUDGE = {mode: ResponseValidator("http://127.0.0.1", "http://127.0.0.1", mode, _KEY) for mode in MODES}
_DOCUMENTED = {Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.REJECTED, Outcome.HELD}


def run(ground: Ground, ledger: Ledger) -> None:
    """Mutants until it is enough."""
    for number in count(ledger.order.first):
        if not ledger.goes_on:
            break
        chance = random.Random(f"{ledger.order.seed} mutants {ground.kind} {number}")
        with ground.database() as url:
            _Life(url, ledger, chance, number).live()


class _Life:
    def __init__(self, url: str, ledger: Ledger, chance: random.Random, number: int) -> None:
        self._url, self._ledger, self._chance, self._number = url, ledger, chance, number
        self._now = START
        upheaval = Upheaval(chance)
        self._bodies = sent(upheaval.now())
        self._mode = chance.choice(MODES)
        self._listed, self._stored = _as_stored(upheaval.now()[self._mode], self._mode)
        self._origin = [self._bodies[self._mode], sent(upheaval.next())[self._mode]]

    def live(self) -> None:
        self._store(self._bodies[self._mode])
        for each in range(MUTANTS_IN_A_LIFE):
            if not self._ledger.goes_on:
                return
            self._ledger.place = f"life {self._number}, mutant {each}"
            self._one(each)
            self._ledger.count()

    def _one(self, number: int) -> None:
        body = mutated(self._chance.choice(self._origin), self._chance)
        began = time.monotonic()
        arrived = self._by_http(body) if number % _BY_HTTP_EVERY == 0 else body
        plan = None if arrived is None else self._plan(arrived)
        seconds = time.monotonic() - began
        if plan and arrived is not None:
            require_true(plan, arrived, self._listed)
        if number % _STORED_EVERY == 0:
            self._store(body)
        self._require_bounds(seconds)

    def _by_http(self, body: bytes) -> bytes | None:
        self._ledger.add("of them sent over HTTP, some of them mutated there again")
        found = fetched(body, self._mode, _KEY, self._chance)
        if found is None:
            self._ledger.add("not taken by fetch")
        return found

    def _plan(self, body: bytes) -> ModePlan | None:
        """The way of an answer as a run takes it; None when it ends on the way."""
        try:
            refused = _JUDGE[self._mode].check(HttpResponse(200, {}, body))
            if refused:
                raise refused
            plan = _plan(body, self._mode, self._listed, self._stored)
        except CatalogSyncError as error:
            require(error.outcome in _DOCUMENTED, f"exit {error.outcome}: {error}")
            require(len(str(error).splitlines()) == 1, f"not one line: {error!r}")
            self._ledger.add("refused as a whole")
            return None
        self._ledger.add(f"planned: {plan.status}")
        self._ledger.add("models rejected alone", len(plan.rejected))
        return plan

    def _store(self, body: bytes) -> None:
        """A run over this answer; what it stores must hold."""
        self._now += HOUR
        run_once(self._url, self._now, {**self._bodies, self._mode: body})
        require_sound(self._url)
        self._ledger.add("of them stored, and the database proved")

    def _require_bounds(self, seconds: float) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self._ledger.most("longest time for one, in milliseconds", round(seconds * 1000))
        self._ledger.most("largest memory of the process, in MB", round(peak))
        require(seconds < SECONDS_AT_MOST, f"it took {seconds:.1f} s")
        require(peak < MEGABYTES_AT_MOST, f"the process has grown to {peak:.0f} MB")


def _plan(body: bytes, mode: str, listed: dict[str, Listed], stored: dict[str, Stored]) -> ModePlan:
    last = ModeWatermark(START, START - timedelta(seconds=2), START)
    return plan_of(parse_response(body, mode), listed, stored, last, observed_at=START + SECOND)


def _as_stored(models: list[dict[str, object]], mode: str) -> tuple[dict[str, Listed], dict[str, Stored]]:
    records = [found for model in models if isinstance(found := normalise(raw(model), mode), Record)]
    listed = {found.model_id: Listed(pk, found.fingerprint) for pk, found in enumerate(records, start=1)}
    return listed, {found.model_id: stored_as(found, pk) for pk, found in enumerate(records, start=1)}
