"""The commands that run during a campaign: syncs of numbered catalogs, readings and migrations."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.api_catalogs import model, numbered_models
from tests.support.commands import environment, finished, started
from tests.support.rude_server import RudeServer, Script
from tests.support.secrets_search import KEY
from tests.support.synced_database import image, video

MARKER = "ha/marker"
"""The model whose cost is the number of the catalog."""
READINGS = (("status",), ("models",), ("changes",), ("verify",), ("migrate",))


@dataclass(frozen=True)
class Ended:
    """A command that has ended. ``number`` is that of the catalog that a sync was sent."""

    name: str
    number: int
    code: int
    run_id: int | None
    line: str
    began: float
    seconds: float


class Traffic:
    """Runs commands one after the other, in a thread for the syncs and one for all others, until it is stopped."""

    def __init__(self, url: Callable[[], str], home: Path, timeout: float, api_delay: float) -> None:
        self.ended: list[Ended] = []
        self._url, self._home, self._timeout, self._api_delay = url, home, timeout, api_delay
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._syncs, self._readings)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when the commands that are running have ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def acknowledged(self) -> list[Ended]:
        return [each for each in self.ended if each.name == "sync" and each.code == 0]

    def _syncs(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            models = [*numbered_models(4), model(MARKER, number)]
            with RudeServer(image=self._delayed(image(models)), video=self._delayed(video())) as api:
                self._run("sync", "--json", number=number, BASE_URL=api.url)

    def _readings(self) -> None:
        number = 0
        while not self._stop.is_set():
            self._run(*READINGS[number % len(READINGS)])
            number += 1

    def _delayed(self, script: Script) -> Script:
        def run(peer: Any, stop: threading.Event) -> None:
            stop.wait(self._api_delay)
            script(peer, stop)

        return run

    def _run(self, *arguments: str, number: int = 0, **settings: str) -> None:
        timeout = f"{self._timeout:g}"
        environ = environment(
            self._home, DATABASE_URL=self._url(), DATABASE_TIMEOUT=timeout, API_KEY=KEY, ATTEMPTS="1", **settings
        )
        began = time.monotonic()
        with started(*arguments, environ=environ, new_interpreter=True) as process:
            result = finished(process, within=10 * self._timeout + 60)
        seconds = time.monotonic() - began
        run_id = json.loads(result.out)["run_id"] if arguments[0] == "sync" and result.code == 0 else None
        self.ended.append(Ended(arguments[0], number, result.code, run_id, result.err.strip(), began, seconds))


def is_true(ended: Ended, *, is_stored: bool) -> bool:
    """Whether the line of a sync that failed says what is so."""
    if "nothing of this step was stored" in ended.line:
        return not is_stored
    return re.search(r"whether (run|the start of run) \d+ was stored is unknown", ended.line) is not None
