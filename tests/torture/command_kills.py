"""The same with the whole program: the command line, HTTP on loopback, and the host's own clock."""

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
from tests.torture.changing_catalog import Upheaval
from tests.torture.database_calls import around_calls, dying_at
from tests.torture.database_under_test import Ground, require, require_ended, require_listed, require_sound
from tests.torture.forked_processes import Api, ended, forked, killed_after, served
from tests.torture.progress import Ledger

ROOT = Path(__file__).resolve().parents[2]
KILLS_IN_A_LIFE = 8
_KEY = "gva_live_torture.0123456789"
_MOST_CALLS = 60
_KILLED = -9


@dataclass(frozen=True)
class Command:
    """Runs ``catalog-sync sync`` in a process of its own."""

    folder: Path

    def environment(self, url: str, api: Api) -> dict[str, str]:
        ours = {"DATABASE_URL": url, "BASE_URL": api.base_url, "API_KEY": _KEY}
        return {"PATH": os.defpath, "HOME": str(self.folder)} | {
            f"CATALOG_SYNC_{name}": value for name, value in ours.items()
        }

    def forked(self, environ: dict[str, str], dying: tuple[int, bool] | None = None) -> int:
        def work() -> int:
            os.environ.clear()
            os.environ.update(environ)
            log = os.open(self._log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(log, 2)
            with around_calls(dying_at(dying[0], after=dying[1])) if dying else nullcontext():
                return run(["sync", "--quiet"], os.environ)

        return forked(work)

    def fresh(self, environ: dict[str, str], seconds: float) -> int:
        """The code of a new interpreter that is killed after so long."""
        process = subprocess.Popen([sys.executable, "-m", "sync", "sync", "--quiet"], env=environ, cwd=ROOT)
        time.sleep(seconds)
        process.kill()
        return process.wait()

    @property
    def complaint(self) -> str:
        """What the last one had to say on stderr."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.folder / "stderr"


def command_life(ground: Ground, ledger: Ledger, chance: random.Random, command: Command) -> None:
    upheaval = Upheaval(chance)
    catalogs = [upheaval.now(), *(upheaval.next() for _ in range(KILLS_IN_A_LIFE))]
    with ground.database() as url, served(catalogs) as api:
        environ = command.environment(url, api)
        began = time.monotonic()
        _undisturbed(command, environ)
        seconds = time.monotonic() - began
        for step in range(1, len(catalogs)):
            if not ledger.goes_on:
                break
            api.step_to(step)
            ways = _ways(command, environ, chance, seconds)
            name, kill = chance.choices(ways, weights=(5, 4, 1))[0]
            code = kill()
            require(code in {0, _KILLED}, f"the command to be killed ended with {code}: {command.complaint}")
            ledger.add(f"kills of the command {name}" if code == _KILLED else "runs that ended before their kill")
            require_sound(url)
            _undisturbed(command, environ)
            require_listed(url, catalogs[step])
            require_ended(url)
            ledger.count(int(code == _KILLED))
        require_sound(url)


def _ways(
    command: Command, environ: dict[str, str], chance: random.Random, seconds: float
) -> list[tuple[str, Callable[[], int]]]:
    boundary = (chance.randrange(1, _MOST_CALLS), chance.random() < 0.5)
    moment = chance.uniform(0, seconds * 1.2)
    start = chance.uniform(0.2, 0.8)
    return [
        ("at statement boundaries", lambda: ended(command.forked(environ, boundary))),
        ("at random times", lambda: killed_after(command.forked(environ), moment)),
        ("in a fresh interpreter", lambda: command.fresh(environ, start)),
    ]


def _undisturbed(command: Command, environ: dict[str, str]) -> None:
    code = ended(command.forked(environ))
    require((code, command.complaint) == (0, ""), f"the next run ended with {code}: {command.complaint}")
