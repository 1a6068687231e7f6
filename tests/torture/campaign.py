"""Runs the parts of a campaign on each kind of database, several at a time, and collects their results."""

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
from tests.torture.database_under_test import SERVERS_FOLDER

ROOT = Path(__file__).resolve().parents[2]
_NO_GOAL = 10**9
_POLL_SECONDS = 0.5
_OUTPUT_LINES = 60  # enough for the traceback of a forked process, which is not in the report


@dataclass(frozen=True)
class FullSize:
    """How much a part does on each kind of database, without a limit by the user."""

    goal: int = _NO_GOAL
    minutes: float | None = None


# The sizes of the campaign that CONTRIBUTING.md describes and docs/reliability.md reports.
PARTS = {
    "kills": FullSize(goal=2000),
    "calls": FullSize(),  # ends when no run makes as many calls
    "machine": FullSize(goal=5000),
    "mutants": FullSize(minutes=20),
    "crowd": FullSize(goal=100),
    "tamper": FullSize(goal=1000),
    "years": FullSize(goal=3 * 365),
}

Task = tuple[str, str]
"""A part and a kind of database."""


@dataclass(frozen=True)
class Plan:
    """The parts and databases of a campaign, and its limits."""

    seed: int
    parts: Sequence[str]
    kinds: Sequence[str]
    minutes: float | None
    """The limit for each part on each kind of database; None for the full size."""
    jobs: int
    """The number of workers at the same time."""
    first: int = 0

    @property
    def tasks(self) -> list[Task]:
        return [(part, kind) for part in self.parts for kind in self.kinds]

    def command(self, part: str, kind: str) -> list[str]:
        """The command line of the worker for one part on one kind of database."""
        size = PARTS[part]
        minutes = min((each for each in (self.minutes, size.minutes) if each is not None), default=None)
        options = ["--seed", self.seed, "--goal", size.goal, "--first", self.first]
        options += [] if minutes is None else ["--minutes", minutes]
        return [sys.executable, "-m", "tests.torture.worker", part, kind, *map(str, options)]


@dataclass
class PartResult:
    """The result of one part on one kind of database; the fields are those of the last line of the worker."""

    done: int = 0
    seconds: float = 0
    figures: dict[str, float] = field(default_factory=dict)
    failure: str | None = "the worker ended without a result"
    position: str = ""


Results = dict[Task, PartResult]
OnProgress = Callable[[Mapping[Task, int]], None]
"""Called every half second with the counts of the running tasks."""
OnFinished = Callable[[Task, PartResult], None]
"""Called with the result of each task as soon as it has finished."""


def run(plan: Plan, on_progress: OnProgress, on_finished: OnFinished) -> Results:
    """Runs all tasks of the plan; the results are in the order of ``plan.tasks``."""
    workers = _Workers(plan)
    with _servers(plan.kinds) as environ, ThreadPoolExecutor(plan.jobs) as pool:
        futures = {task: pool.submit(workers.run, task, environ) for task in plan.tasks}
        try:
            results: Results = {}
            while len(results) < len(futures):
                for task in [task for task in futures.keys() - results.keys() if futures[task].done()]:
                    results[task] = futures[task].result()
                    on_finished(task, results[task])
                on_progress(dict(workers.done))
                time.sleep(_POLL_SECONDS)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            workers.kill()
            raise
        return {task: results[task] for task in plan.tasks}


class _Workers:
    """The worker processes of a campaign."""

    def __init__(self, plan: Plan) -> None:
        self.done: dict[Task, int] = {}
        """The count of each running task."""
        self._plan = plan
        self._processes: list[subprocess.Popen[str]] = []

    def run(self, task: Task, environ: dict[str, str]) -> PartResult:
        """Runs the worker of a task to its end."""
        self.done[task] = 0
        process = subprocess.Popen(
            self._plan.command(*task),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environ,
            cwd=ROOT,
            text=True,
            start_new_session=True,  # so that its forked processes can be killed with it
        )
        self._processes.append(process)
        other_output: deque[str] = deque(maxlen=_OUTPUT_LINES)
        result = PartResult()
        for line in process.stdout or ():
            report = _parse_report(line)
            if report is None:
                other_output.append(line)
            else:
                self.done[task] = int(report["done"])
                result = PartResult(**report) if "failure" in report else result
        process.wait()
        del self.done[task]
        if result.failure and other_output:
            result.failure += f"\n{''.join(other_output)}"
        return result

    def kill(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _parse_report(line: str) -> dict[str, Any] | None:
    """The JSON object in a line of a worker; None for other output, such as a traceback of a forked process."""
    try:
        report = json.loads(line)
    except ValueError:
        return None
    return report if isinstance(report, dict) and "done" in report else None


@contextmanager
def _servers(kinds: Sequence[str]) -> Iterator[dict[str, str]]:
    """Starts the database servers; the environment in which the workers find them."""
    folder = Path(os.environ.get(SERVERS_FOLDER) or tempfile.mkdtemp(prefix="catalog-sync-"))
    try:
        for kind in kinds:
            if kind != "sqlite":
                database_servers.server_url(kind, folder)
        yield {**os.environ, SERVERS_FOLDER: str(folder)}
    finally:
        if SERVERS_FOLDER not in os.environ:
            database_servers.stop_servers(folder)
