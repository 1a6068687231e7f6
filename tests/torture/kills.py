"""SIGKILL at every statement boundary and at random times of a run with changes.

A life is one database and a chain of catalogs. Each of them is first synced by a run that is killed,
then by one that is not; after both, everything must hold. In the end the whole is compared with a
database that had only the runs that were stored.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import count

from sqlalchemy import select

from models_db.tables import sync_runs
from tests.support.run_driver import HOUR, START
from tests.torture.changing_catalog import Upheaval, sent
from tests.torture.command_kills import Command, command_life
from tests.torture.database_calls import around_calls, dying_at
from tests.torture.database_under_test import (
    Ground,
    opened,
    require,
    require_ended,
    require_listed,
    require_sound,
    run_once,
)
from tests.torture.forked_processes import ended, forked, killed_after
from tests.torture.progress import Ledger
from tests.torture.stored_history import Story, differences, story

KILLS_IN_A_LIFE = 8
_COMMANDS_EVERY = 5
_SHARE_AT_RANDOM = 0.25
_KILLED = -9

Answers = dict[str, bytes]


def run(ground: Ground, ledger: Ledger) -> None:
    """Kills until it is enough."""
    met: Counter[tuple[int, bool]] = Counter()
    order = ledger.order
    for number in count(order.first):
        if not ledger.goes_on:
            break
        ledger.place = f"life {number}"
        chance = random.Random(f"{order.seed} kills {order.kind} {number}")
        if number % _COMMANDS_EVERY == _COMMANDS_EVERY - 1:
            command_life(ground, ledger, chance, Command(ground.folder))
        else:
            _Life(ground, ledger, chance, met, number).live()
    ledger.figures["boundaries of a run, before and after each call"] = len(met)
    ledger.figures["fewest kills at one of them"] = min(met.values(), default=0)


class _Life:
    def __init__(
        self, ground: Ground, ledger: Ledger, chance: random.Random, met: Counter[tuple[int, bool]], number: int
    ) -> None:
        self._ground, self._ledger, self._chance, self._met = ground, ledger, chance, met
        self._boundary = number * KILLS_IN_A_LIFE
        self._upheaval = Upheaval(chance)
        self._now = START
        self._runs: list[tuple[datetime, Answers]] = []

    def live(self) -> None:
        with self._ground.database() as url:
            calls, seconds = self._begin(url)
            kills = 0
            while kills < KILLS_IN_A_LIFE and self._ledger.goes_on:
                kills += self._kill_and_go_on(url, calls, seconds)
            require_sound(url)
            stored = _stored(url)
            with opened(url) as engine:
                lived = story(engine)
        self._compare(lived, [run for run in self._runs if run[0] in stored])

    def _begin(self, url: str) -> tuple[int, float]:
        """The first catalog, and a change of it that shows how many calls such a run makes, and how long it takes."""
        self._sync(url, sent(self._upheaval.now()))
        numbers: list[int] = []

        def note(call: object, make: Callable[[], None]) -> None:
            numbers.append(1)
            make()

        began = time.monotonic()
        with around_calls(note):
            self._sync(url, sent(self._upheaval.next()))
        return len(numbers), time.monotonic() - began

    def _kill_and_go_on(self, url: str, calls: int, seconds: float) -> bool:
        catalog = self._upheaval.next()
        killed = self._killed(url, sent(catalog), calls, seconds)
        require_sound(url)
        if self._chance.random() < 0.5:
            catalog = self._upheaval.next()
        self._sync(url, sent(catalog))
        require_listed(url, catalog)
        require_ended(url)
        self._ledger.count(int(killed))
        return killed

    def _killed(self, url: str, answers: Answers, calls: int, seconds: float) -> bool:
        now = self._next_run(answers)
        if self._chance.random() < _SHARE_AT_RANDOM:
            after = self._chance.uniform(0, seconds * 1.2)
            code = killed_after(forked(lambda: run_once(url, now, answers).exit_code), after)
            return self._counted(code, "at random times")
        number, late = divmod(self._boundary % (2 * calls), 2)
        self._boundary += 1

        def work() -> int:
            with around_calls(dying_at(number + 1, after=bool(late))):
                return run_once(url, now, answers).exit_code

        code = ended(forked(work))
        if code == _KILLED:
            self._met[number, bool(late)] += 1
        return self._counted(code, "at statement boundaries")

    def _counted(self, code: int, what: str) -> bool:
        require(code in {0, _KILLED}, f"the run to be killed ended with {code}")
        name = f"kills {what}" if code == _KILLED else "runs that ended before their kill"
        self._ledger.add(name)
        return code == _KILLED

    def _sync(self, url: str, answers: Answers) -> None:
        code = run_once(url, self._next_run(answers), answers).exit_code
        require(code == 0, f"the next run ended with {code}")

    def _next_run(self, answers: Answers) -> datetime:
        self._now += HOUR
        self._runs.append((self._now, answers))
        return self._now

    def _compare(self, lived: Story, runs: list[tuple[datetime, Answers]]) -> None:
        """What was stored is what undisturbed runs at the same times would have stored."""
        with self._ground.database() as url:
            for now, answers in runs:
                run_once(url, now, answers)
            with opened(url) as engine:
                found = differences(lived, story(engine))
        require(not found, f"{len(found)} differences to an undisturbed twin: {found[:2]}"[:2000])
        self._ledger.add("whole histories compared with an undisturbed twin")


def _stored(url: str) -> set[datetime]:
    """When the runs began that stored something."""
    query = select(sync_runs.c.started_at).where(sync_runs.c.status == "success")
    with opened(url) as engine, engine.connect() as connection:
        return set(connection.scalars(query))
