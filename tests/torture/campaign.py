"""A campaign: its parts, each on each kind of database, two at a time, and what they came to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import database_servers
from tests.torture.database_under_test import ROOM

ROOT = Path(__file__).resolve().parents[2]
_NO_END = 10**9


@dataclass(frozen=True)
class Whole:
    """What the whole of a part is, on each kind of database."""

    goal: int = _NO_END
    minutes: float | None = None


WHOLE = {
    "kills": Whole(goal=2000),
    "calls": Whole(),  # ends by itself
    "machine": Whole(goal=5000),
    "mutants": Whole(minutes=20),
    "crowd": Whole(goal=100),
}


@dataclass(frozen=True)
class Plan:
    """What was asked for."""

    seed: int
    parts: Sequence[str]
    kinds: Sequence[str]
    minutes: float | None
    """The most that each part may take on each kind of database; None for the whole of it."""
    jobs: int
    first: int = 0

    @property
    def tasks(self) -> list[tuple[str, str]]:
        return [(part, kind) for part in self.parts for kind in self.kinds]

    def command(self, part: str, kind: str) -> list[str]:
        """The worker that does one part on one kind of database, and that repeats it."""
        whole = WHOLE[part]
        minutes = min((each for each in (self.minutes, whole.minutes) if each is not None), default=None)
        arguments = ["--seed", self.seed, "--goal", whole.goal, "--first", self.first]
        arguments += [] if minutes is None else ["--minutes", minutes]
        return [sys.executable, "-m", "tests.torture.worker", part, kind, *map(str, arguments)]


@dataclass
class Outcome:
    """What one part came to on one kind of database."""

    done: int = 0
    seconds: float = 0
    figures: dict[str, float] = field(default_factory=dict)
    broken: str | None = "its process ended without a word"
    place: str = ""


Outcomes = dict[tuple[str, str], Outcome]
Progress = Callable[[Mapping[tuple[str, str], int]], None]
Ended = Callable[[tuple[str, str], Outcome], None]


def run(plan: Plan, progress: Progress, ended: Ended) -> Outcomes:
    """Everything the plan asks for.

    ``progress`` is told now and then what is done by those at work, ``ended`` at once what each came to.
    """
    workers = _Workers(plan)
    with _servers(plan.kinds) as environ, ThreadPoolExecutor(plan.jobs) as pool:
        found = {task: pool.submit(workers.work, task, environ) for task in plan.tasks}
        try:
            outcomes: Outcomes = {}
            while len(outcomes) < len(found):
                for task in [task for task in found.keys() - outcomes.keys() if found[task].done()]:
                    outcomes[task] = found[task].result()
                    ended(task, outcomes[task])
                progress(dict(workers.done))
                time.sleep(0.5)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            workers.kill()
            raise
        return {task: outcomes[task] for task in plan.tasks}


class _Workers:
    """The processes that do the work, and how far each is."""

    def __init__(self, plan: Plan) -> None:
        self.done: dict[tuple[str, str], int] = {}
        self._plan = plan
        self._processes: list[subprocess.Popen[str]] = []

    def work(self, task: tuple[str, str], environ: dict[str, str]) -> Outcome:
        """One part on one kind of database, to its end."""
        self.done[task] = 0
        process = subprocess.Popen(
            self._plan.command(*task),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environ,
            cwd=ROOT,
            text=True,
            start_new_session=True,  # so that what it forks can be ended with it
        )
        self._processes.append(process)
        said: deque[str] = deque(maxlen=60)
        outcome = Outcome()
        for line in process.stdout or ():
            told = _told(line)
            if told is None:
                said.append(line)
            else:
                self.done[task] = int(told["done"])
                outcome = Outcome(**told) if "broken" in told else outcome
        process.wait()
        del self.done[task]
        if outcome.broken and said:
            outcome.broken += f"\n{''.join(said)}"
        return outcome

    def kill(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _told(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "done" in told else None


@contextmanager
def _servers(kinds: Sequence[str]) -> Iterator[dict[str, str]]:
    """The environment in which workers find the servers of this campaign."""
    room = Path(os.environ.get(ROOM) or tempfile.mkdtemp(prefix="catalog-sync-"))
    try:
        for kind in kinds:
            if kind != "sqlite":
                database_servers.server_url(kind, room)
        yield {**os.environ, ROOM: str(room)}
    finally:
        if ROOM not in os.environ:
            database_servers.stop_servers(room)
