"""SIGKILL of the whole command: the command line, HTTP on loopback, and the clock of the host."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from sync.cli.entry_point import run
from tests.support.commands import NO_AUTHORITIES
from tests.torture.changing_catalog import ACCEPT_ALL, ChangingCatalog
from tests.torture.database_calls import intercept_calls, kill_at
from tests.torture.database_under_test import (
    EmptyDatabases,
    require,
    require_consistent,
    require_listed,
    require_no_open_runs,
)
from tests.torture.forked_processes import KILLED, ForkedEmulator, fork, kill_after, serve_catalogs, wait_for
from tests.torture.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
KILLS_PER_SCENARIO = 8
_KEY = "gva_live_torture.0123456789"
# A kill comes at one of the first calls; a run with changes makes about 80.
_MAX_CALLS = 60


@dataclass(frozen=True)
class CommandRunner:
    """Runs ``catalog-sync sync`` in another process."""

    folder: Path

    def environment(self, url: str, api: ForkedEmulator) -> dict[str, str]:
        settings = {"DATABASE_URL": url, "BASE_URL": api.base_url, "API_KEY": _KEY}
        return {"PATH": os.defpath, "HOME": str(self.folder), **NO_AUTHORITIES} | {
            f"CATALOG_SYNC_{name}": value for name, value in settings.items()
        }

    def start(self, environ: dict[str, str], boundary: tuple[int, bool] | None = None) -> int:
        """The PID of a forked process that runs the command, and kills itself at the boundary."""

        def work() -> int:
            os.environ.clear()
            os.environ.update(environ)
            # The error line is read by the parent after the process has died.
            log = os.open(self._log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(log, 2)
            with intercept_calls(kill_at(boundary[0], after=boundary[1])) if boundary else nullcontext():
                return run(["sync", "--quiet", *ACCEPT_ALL], os.environ)

        return fork(work)

    def run_and_kill(self, environ: dict[str, str], seconds: float) -> int:
        """The exit code of the command in a new interpreter, which is killed after this time."""
        process = subprocess.Popen(
            [sys.executable, "-m", "sync", "sync", "--quiet", *ACCEPT_ALL], env=environ, cwd=ROOT
        )
        time.sleep(seconds)
        process.kill()
        return process.wait()

    @property
    def stderr(self) -> str:
        """What the last forked command wrote to stderr."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.folder / "stderr"


def run_command_scenario(
    databases: EmptyDatabases, progress: Progress, rng: random.Random, command: CommandRunner
) -> None:
    """One database and a series of catalogs, as in ``tests.torture.kills``."""
    changing = ChangingCatalog(rng)
    catalogs = [changing.current(), *(changing.next_catalog() for _ in range(KILLS_PER_SCENARIO))]
    with databases.new() as url, serve_catalogs(catalogs) as api:
        environ = command.environment(url, api)
        began = time.monotonic()
        _sync(command, environ)
        seconds = time.monotonic() - began
        for step in range(1, len(catalogs)):
            if not progress.continues:
                break
            api.step_to(step)
            # A new interpreter runs without the interception of calls and starts slowly, so it is chosen rarely.
            moment, kill = rng.choices(_kills(command, environ, rng, seconds), weights=(5, 4, 1))[0]
            code = kill()
            require(code in {0, KILLED}, f"the command to be killed ended with {code}: {command.stderr}")
            progress.add(f"kills of the command {moment}" if code == KILLED else "runs that ended before their kill")
            require_consistent(url)
            _sync(command, environ)
            require_listed(url, catalogs[step])
            require_no_open_runs(url)
            progress.count(int(code == KILLED))
        require_consistent(url)


def _kills(
    command: CommandRunner, environ: dict[str, str], rng: random.Random, seconds: float
) -> list[tuple[str, Callable[[], int]]]:
    """The ways to kill a command, by the name of the moment; each returns the exit code."""
    boundary = (rng.randrange(1, _MAX_CALLS), rng.random() < 0.5)
    # Some kills come after the end of the command.
    delay = rng.uniform(0, seconds * 1.2)
    startup_delay = rng.uniform(0.2, 0.8)
    return [
        ("at statement boundaries", lambda: wait_for(command.start(environ, boundary))),
        ("at random times", lambda: kill_after(command.start(environ), delay)),
        ("in a new interpreter", lambda: command.run_and_kill(environ, startup_delay)),
    ]


def _sync(command: CommandRunner, environ: dict[str, str]) -> None:
    """The whole command, which must succeed and print nothing."""
    code = wait_for(command.start(environ))
    require((code, command.stderr) == (0, ""), f"the next run ended with {code}: {command.stderr}")
