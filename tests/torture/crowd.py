"""Twenty runs at once, round after round: nothing is stored twice, and no applied run is lost.

In even rounds no run may store before all runs have fetched, so exactly one of them is applied. In odd
rounds each run starts after a random delay. In every third round all runs fetch the same catalog.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from sync.errors import Outcome
from tests.support.run_driver import HOUR, START, Host, nothing
from tests.torture.changing_catalog import Catalog, ChangingCatalog, response_bodies
from tests.torture.database_under_test import (
    EmptyDatabases,
    engine_for,
    query,
    require,
    require_consistent,
    require_listed,
    require_no_open_runs,
)
from tests.torture.forked_processes import fork, wait_for
from tests.torture.progress import Progress

RUNS = 20
ROUNDS_PER_SCENARIO = 4
_DONE, _SUPERSEDED = int(Outcome.DONE), int(Outcome.SUPERSEDED)
_MAX_DELAY_SECONDS = 0.3


def run(databases: EmptyDatabases, progress: Progress) -> None:
    """Scenarios until the part ends; each has its own database."""
    for number in count(progress.options.first):
        if not progress.continues:
            break
        progress.position = f"scenario {number}"
        _run_scenario(databases, progress, random.Random(f"{progress.options.seed} crowd {databases.kind} {number}"))


def _run_scenario(databases: EmptyDatabases, progress: Progress, rng: random.Random) -> None:
    changing = ChangingCatalog(rng)
    with databases.new() as url:
        for number in range(ROUNDS_PER_SCENARIO):
            if not progress.continues:
                break
            same = [changing.next_catalog()] * RUNS
            catalogs = same if number % 3 == 2 else [changing.next_catalog() for _ in range(RUNS)]
            now = START + (number + 1) * HOUR
            _Round(url, now, catalogs, fetch_together=number % 2 == 0, rng=rng).run(progress)
            progress.count()


class _Round:
    def __init__(
        self, url: str, now: datetime, catalogs: list[Catalog], *, fetch_together: bool, rng: random.Random
    ) -> None:
        self._url, self._now, self._catalogs, self._fetch_together = url, now, catalogs, fetch_together
        self._delays = [rng.uniform(0, _MAX_DELAY_SECONDS) for _ in catalogs]
        self._applied_before = _applied_runs(url)

    def run(self, progress: Progress) -> None:
        codes = Counter(self._run_all())
        applied = codes[_DONE]
        require(codes.keys() <= {_DONE, _SUPERSEDED}, f"the runs ended with {dict(codes)}")
        require(applied == 1 if self._fetch_together else applied >= 1, f"{applied} of the runs were applied")
        require(_applied_runs(self._url) == self._applied_before + applied, "an applied run is lost or counted twice")
        require_consistent(self._url)
        require_no_open_runs(self._url)
        require_listed(self._url, self._catalogs[self._last_applied()])
        progress.add("runs", RUNS)
        progress.add("applied", applied)
        progress.add("superseded", codes[_SUPERSEDED])

    def _run_all(self) -> list[int]:
        """The exit codes of the runs."""
        fetched, store = os.pipe(), os.pipe()
        pids = [fork(lambda number=number: self._sync(number, fetched[1], store[0])) for number in range(RUNS)]  # type: ignore[misc] # the default keeps the number of the loop
        if self._fetch_together:
            _read_exactly(fetched[0], RUNS)
        # Each run takes one byte, so all of them continue at the same moment.
        os.write(store[1], b"g" * RUNS)
        codes = [wait_for(pid) for pid in pids]
        for descriptor in (*fetched, *store):
            os.close(descriptor)
        return codes

    def _sync(self, number: int, fetched: int, store: int) -> int:
        def wait_for_others() -> None:
            os.write(fetched, b"r")
            os.read(store, 1)

        if not self._fetch_together:
            time.sleep(self._delays[number])
        meanwhile: Callable[[], object] = wait_for_others if self._fetch_together else nothing
        with engine_for(self._url) as engine:
            # The runs start in different seconds, which identifies them in ``_last_applied``.
            host = Host(engine, self._now + timedelta(seconds=number), meanwhile=meanwhile)
            responses = response_bodies(self._catalogs[number])
            # The catalogs of a round differ by more than the guards allow, and they are not tested here.
            return host.sync(responses["image"], responses["video"], accept="all", accept_costs="all").exit_code

    def _last_applied(self) -> int:
        """The number of the run that was applied last."""
        modes_by_run = query(
            self._url,
            "SELECT r.run_id, COUNT(*) FROM sync_state s JOIN sync_runs r ON r.run_id = s.run_id GROUP BY r.run_id",
        )
        require([modes for _, modes in modes_by_run] == [2], f"the modes are from different runs: {modes_by_run}")
        started_at = query(self._url, f"SELECT started_at FROM sync_runs WHERE run_id = {modes_by_run[0][0]}")[0][0]
        return int(str(started_at)[17:19])


def _applied_runs(url: str) -> int:
    """The number of runs that were applied to the database; it must be the same for both modes."""
    lowest, highest = query(url, "SELECT MIN(version), MAX(version) FROM sync_state")[0]
    require(lowest == highest, f"{lowest} runs were applied to one mode and {highest} to the other")
    return int(lowest)


def _read_exactly(descriptor: int, number: int) -> None:
    while number:
        number -= len(os.read(descriptor, number))
