"""Kills three schedules of one database at random, and counts what they stored and requested."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from sync.catalog.ticks import last_multiple
from sync.source.emulator.server import Emulator
from tests.support.api_catalogs import catalog, model, numbered_models
from tests.support.database_contents import query_rows
from tests.support.verified_contents import require_consistent
from tests.ticks.findings import Findings
from tests.ticks.schedules import Schedules

RUNS = "SELECT tick, status FROM sync_runs WHERE trigger_kind = 'schedule' ORDER BY run_id"
SCHEDULES = 3
# A run that is killed is mostly one that waits for the API.
_LONGEST_RESPONSE_SECONDS = 0.7
# With this probability a kill comes when runs are active, else at any time.
_AT_A_TICK = 0.7

Disturb = Callable[[], str]
"""Makes a database server fail, and returns the kind of the failure when all servers are there again."""


def run_campaign(
    urls: Sequence[str],
    home: Path,
    span: int,
    seed: int,
    is_enough: Callable[[], bool],
    *,
    url_to_check: Callable[[], str] | None = None,
    disturb: Disturb | None = None,
    **settings: str,
) -> Findings:
    """What was found until it was enough, with ticks of ``span`` seconds. The database is at head and empty.

    Each of the schedules has one of ``urls``, in turn. Afterwards the stored history must be consistent.
    """
    chance, requests = random.Random(seed), _Requests(seed)
    of_each = [urls[number % len(urls)] for number in range(SCHEDULES)]
    costs = range(1, 1000)
    catalogs = [catalog(*numbered_models(3), model("marker", cost)) for cost in costs]
    with Emulator(catalogs, log=requests.count) as api:
        began = datetime.now(UTC)
        with (
            Schedules(of_each, home, api.base_url, f"{span}s", **settings) as schedules,
            _Failures(disturb) as failures,
        ):
            while not is_enough():
                time.sleep(_pause(chance, span))
                _kill_or_start(schedules, chance)
        ended = datetime.now(UTC)
    url = url_to_check() if url_to_check else urls[0]
    require_consistent(url)
    runs = [(tick, status) for tick, status in query_rows(url, RUNS)]
    ticks = _ticks(began, ended, span)
    return Findings(ticks, runs, schedules.killed, schedules.codes, requests.number, schedules.lines, failures.made)


def _pause(chance: random.Random, span: int) -> float:
    """Until some moment of a run that began at the next tick, or any time."""
    if chance.random() > _AT_A_TICK:
        return chance.uniform(0, span)
    to_tick = span - time.time() % span
    # The delay of a run by the jitter, its start, and the response.
    return to_tick + chance.uniform(0, span / 10 + 0.3 + _LONGEST_RESPONSE_SECONDS)


def _kill_or_start(schedules: Schedules, chance: random.Random) -> None:
    """At most one is dead at a time, so that each tick has somebody."""
    if schedules.dead:
        schedules.start(schedules.dead[0])
    else:
        schedules.end(chance.choice(schedules.alive), chance.choice([signal.SIGKILL] * 4 + [signal.SIGTERM]))


def _ticks(began: datetime, ended: datetime, span: int) -> int:
    """The tick before the start counts: the schedules make up for it."""
    length = timedelta(seconds=span)
    return (last_multiple(ended, length) - last_multiple(began, length)) // length + 1


class _Requests:
    """Counts requests, and lets each of them wait for its response."""

    def __init__(self, seed: int) -> None:
        self.number = 0
        self._chance, self._lock = random.Random(seed), threading.Lock()

    def count(self, _: str) -> None:
        with self._lock:
            self.number += 1
            seconds = self._chance.uniform(0, _LONGEST_RESPONSE_SECONDS)
        time.sleep(seconds)


class _Failures:
    """Makes database servers fail, one after the other, in a thread of its own."""

    def __init__(self, disturb: Disturb | None) -> None:
        self.made: Counter[str] = Counter()
        self._disturb, self._stop = disturb, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while self._disturb and not self._stop.wait(10):
            self.made[self._disturb()] += 1
