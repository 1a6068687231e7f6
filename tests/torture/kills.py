"""SIGKILL at every statement boundary and at random times of a run that changes the catalog.

A scenario is one database and a series of catalogs. A run that is killed fetches each catalog first,
then a run that is not; after both, the database must be consistent. At the end of the scenario the
database is compared with a reference database that had only the runs that were stored.
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
from tests.torture.changing_catalog import ChangingCatalog, response_bodies
from tests.torture.command_kills import CommandRunner, run_command_scenario
from tests.torture.database_calls import intercept_calls, kill_at
from tests.torture.database_under_test import (
    EmptyDatabases,
    engine_for,
    require,
    require_consistent,
    require_listed,
    require_no_open_runs,
    sync_once,
)
from tests.torture.forked_processes import KILLED, fork, kill_after, wait_for
from tests.torture.progress import Progress
from tests.torture.stored_history import StoredHistory, differences, read_history

KILLS_PER_SCENARIO = 8
_EVERY_NTH_IS_A_COMMAND = 5  # the whole command takes longer than a run in a forked process
_RANDOM_TIME_SHARE = 0.25
_MESSAGE_LIMIT = 2000

Responses = dict[str, bytes]
Boundary = tuple[int, bool]
"""The number of a database call, counted from 0, and whether the kill comes after it."""


def run(databases: EmptyDatabases, progress: Progress) -> None:
    """Scenarios until the part ends."""
    kills: Counter[Boundary] = Counter()
    options = progress.options
    for number in count(options.first):
        if not progress.continues:
            break
        progress.position = f"scenario {number}"
        rng = random.Random(f"{options.seed} kills {options.kind} {number}")
        if number % _EVERY_NTH_IS_A_COMMAND == _EVERY_NTH_IS_A_COMMAND - 1:
            run_command_scenario(databases, progress, rng, CommandRunner(databases.folder))
        else:
            _Scenario(databases, progress, rng, kills, number).run()
    progress.figures["boundaries of a run, before and after each call"] = len(kills)
    progress.figures["fewest kills at one of them"] = min(kills.values(), default=0)


class _Scenario:
    def __init__(
        self, databases: EmptyDatabases, progress: Progress, rng: random.Random, kills: Counter[Boundary], number: int
    ) -> None:
        self._databases, self._progress, self._rng, self._kills = databases, progress, rng, kills
        # Scenarios continue where the previous one stopped, so that together they reach every boundary.
        self._next_boundary = number * KILLS_PER_SCENARIO
        self._catalogs = ChangingCatalog(rng)
        self._now = START
        self._runs: list[tuple[datetime, Responses]] = []

    def run(self) -> None:
        with self._databases.new() as url:
            calls, seconds = self._sync_first(url)
            kills = 0
            while kills < KILLS_PER_SCENARIO and self._progress.continues:
                kills += self._kill_and_recover(url, calls, seconds)
            require_consistent(url)
            stored = _stored_runs(url)
            with engine_for(url) as engine:
                history = read_history(engine)
        self._compare_with_reference(history, [run for run in self._runs if run[0] in stored])

    def _sync_first(self, url: str) -> tuple[int, float]:
        """Two undisturbed syncs; the number of database calls and the seconds of the second one."""
        self._sync(url, response_bodies(self._catalogs.current()))
        calls = 0

        def count_call(call: object, proceed: Callable[[], None]) -> None:
            nonlocal calls
            calls += 1
            proceed()

        began = time.monotonic()
        with intercept_calls(count_call):
            self._sync(url, response_bodies(self._catalogs.next_catalog()))
        return calls, time.monotonic() - began

    def _kill_and_recover(self, url: str, calls: int, seconds: float) -> bool:
        """A run that is killed and a run that is not; whether the first one was killed before its end."""
        catalog = self._catalogs.next_catalog()
        was_killed = self._run_and_kill(url, response_bodies(catalog), calls, seconds)
        require_consistent(url)
        if self._rng.random() < 0.5:
            catalog = self._catalogs.next_catalog()
        self._sync(url, response_bodies(catalog))
        require_listed(url, catalog)
        require_no_open_runs(url)
        self._progress.count(int(was_killed))
        return was_killed

    def _run_and_kill(self, url: str, responses: Responses, calls: int, seconds: float) -> bool:
        now = self._schedule_run(responses)
        if self._rng.random() < _RANDOM_TIME_SHARE:
            # Some kills come after the end of the run.
            delay = self._rng.uniform(0, seconds * 1.2)
            code = kill_after(fork(lambda: sync_once(url, now, responses).exit_code), delay)
            return self._add_kill(code, "at random times")
        # Boundaries are taken in turn, not at random, so that none is left out.
        number, after = divmod(self._next_boundary % (2 * calls), 2)
        self._next_boundary += 1

        def sync_and_die() -> int:
            with intercept_calls(kill_at(number + 1, after=bool(after))):
                return sync_once(url, now, responses).exit_code

        code = wait_for(fork(sync_and_die))
        if code == KILLED:
            self._kills[number, bool(after)] += 1
        return self._add_kill(code, "at statement boundaries")

    def _add_kill(self, code: int, moment: str) -> bool:
        require(code in {0, KILLED}, f"the run to be killed ended with {code}")
        self._progress.add(f"kills {moment}" if code == KILLED else "runs that ended before their kill")
        return code == KILLED

    def _sync(self, url: str, responses: Responses) -> None:
        code = sync_once(url, self._schedule_run(responses), responses).exit_code
        require(code == 0, f"the next run ended with {code}")

    def _schedule_run(self, responses: Responses) -> datetime:
        """The start of the next run, which is added to the runs of the scenario."""
        self._now += HOUR
        self._runs.append((self._now, responses))
        return self._now

    def _compare_with_reference(self, history: StoredHistory, runs: list[tuple[datetime, Responses]]) -> None:
        """Undisturbed runs at the same times store the same history."""
        with self._databases.new() as url:
            for now, responses in runs:
                sync_once(url, now, responses)
            with engine_for(url) as engine:
                found = differences(history, read_history(engine))
        require(not found, f"{len(found)} differences to a reference database: {found[:2]}"[:_MESSAGE_LIMIT])
        self._progress.add("whole histories compared with a reference database")


def _stored_runs(url: str) -> set[datetime]:
    """The starts of the runs that succeeded."""
    query = select(sync_runs.c.started_at).where(sync_runs.c.status == "success")
    with engine_for(url) as engine, engine.connect() as connection:
        return set(connection.scalars(query))
