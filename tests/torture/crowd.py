"""Twenty runs at once, round after round: one look wins, and nothing is stored twice or lost.

In even rounds all runs have asked before the first may store, so just one of them is applied. In
odd rounds each begins when it likes. In a third of the rounds all bring the same catalog.
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
from tests.torture.changing_catalog import Catalog, Upheaval, sent
from tests.torture.database_under_test import Ground, ask, opened, require, require_ended, require_listed, require_sound
from tests.torture.forked_processes import ended, forked
from tests.torture.progress import Ledger

RUNS = 20
ROUNDS_IN_A_LIFE = 4
_DONE, _SUPERSEDED = int(Outcome.DONE), int(Outcome.SUPERSEDED)


def run(ground: Ground, ledger: Ledger) -> None:
    """Rounds until it is enough."""
    for number in count(ledger.order.first):
        if not ledger.goes_on:
            break
        ledger.place = f"life {number}"
        _life(ground, ledger, random.Random(f"{ledger.order.seed} crowd {ground.kind} {number}"))


def _life(ground: Ground, ledger: Ledger, chance: random.Random) -> None:
    upheaval = Upheaval(chance)
    with ground.database() as url:
        for number in range(ROUNDS_IN_A_LIFE):
            if not ledger.goes_on:
                break
            same = [upheaval.next()] * RUNS
            catalogs = same if number % 3 == 2 else [upheaval.next() for _ in range(RUNS)]
            _Round(url, START + (number + 1) * HOUR, catalogs, meet=number % 2 == 0, chance=chance).judge(ledger)
            ledger.count()


class _Round:
    def __init__(self, url: str, now: datetime, catalogs: list[Catalog], *, meet: bool, chance: random.Random) -> None:
        self._url, self._now, self._catalogs, self._meet = url, now, catalogs, meet
        self._delays = [chance.uniform(0, 0.3) for _ in catalogs]
        self._before = _versions(url)

    def judge(self, ledger: Ledger) -> None:
        codes = Counter(self._run())
        applied = codes[_DONE]
        require(codes.keys() <= {_DONE, _SUPERSEDED}, f"the runs ended with {dict(codes)}")
        require(applied == 1 if self._meet else applied >= 1, f"{applied} of the runs were applied")
        require(_versions(self._url) == self._before + applied, "a run that was applied is lost, or counted twice")
        require_sound(self._url)
        require_ended(self._url)
        require_listed(self._url, self._catalogs[self._winner()])
        ledger.add("runs", RUNS)
        ledger.add("applied", applied)
        ledger.add("superseded", codes[_SUPERSEDED])

    def _run(self) -> list[int]:
        ready, go = os.pipe(), os.pipe()
        pids = [forked(lambda number=number: self._one(number, ready[1], go[0])) for number in range(RUNS)]  # type: ignore[misc] # a loop's value kept
        if self._meet:
            _read_all(ready[0], RUNS)
        os.write(go[1], b"g" * RUNS)
        codes = [ended(pid) for pid in pids]
        for end in (*ready, *go):
            os.close(end)
        return codes

    def _one(self, number: int, ready: int, go: int) -> int:
        def meet() -> None:
            os.write(ready, b"r")
            os.read(go, 1)

        if not self._meet:
            time.sleep(self._delays[number])
        meanwhile: Callable[[], object] = meet if self._meet else nothing
        with opened(self._url) as engine:
            now = self._now + timedelta(seconds=number)
            host = Host(engine, now, meanwhile=meanwhile)
            # The catalogs of a round lie far apart: it is not the removal guard that is looked at here.
            answers = sent(self._catalogs[number])
            return host.sync(answers["image"], answers["video"], accept="all").exit_code

    def _winner(self) -> int:
        """Which of the runs was the last to be applied: they are told apart by when they began."""
        found = ask(
            self._url,
            "SELECT r.run_id, COUNT(*) FROM sync_state s JOIN sync_runs r ON r.run_id = s.run_id GROUP BY r.run_id",
        )
        require([modes for _, modes in found] == [2], f"the modes are at different runs: {found}")
        began = ask(self._url, f"SELECT started_at FROM sync_runs WHERE run_id = {found[0][0]}")[0][0]
        return int(str(began)[17:19])


def _versions(url: str) -> int:
    """How many runs were applied so far; both modes must say the same."""
    found = ask(url, "SELECT MIN(version), MAX(version) FROM sync_state")[0]
    require(found[0] == found[1], f"the modes have had {found} runs")
    return int(found[0])


def _read_all(end: int, number: int) -> None:
    while number:
        number -= len(os.read(end, number))
