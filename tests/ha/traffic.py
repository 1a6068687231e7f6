"""The commands that run during a campaign: syncs of numbered catalogs, readings and migrations."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from tests.ha.cluster import Cluster
from tests.ha.ended import MARKER, MIGRATION, Ended
from tests.support.api_catalogs import model, numbered_models
from tests.support.commands import environment, finished, started
from tests.support.rude_server import RudeServer, Script
from tests.support.secrets_search import KEY
from tests.support.synced_database import image, video

MODELS = ("models", "--json")
READINGS = (
    ("status",),
    MODELS,
    ("costs", MARKER),
    ("show", MARKER),
    ("changes",),
    ("verify",),
    ("export", "-"),
    ("migrate", "--check"),
)
_PAUSE_SECONDS = {"read": 0.5, "migrate": 3}
"""After a command, so that the syncs get their share of a small machine."""


class Traffic:
    """Runs commands until it is stopped: one thread for syncs, one for readings, one for migrations."""

    def __init__(self, cluster: Cluster, home: Path, timeout: float, api_delays: Sequence[float]) -> None:
        self.ended: list[Ended] = []
        self.migrated: list[str] = []
        """The databases whose migration was acknowledged, but for those that were dropped since."""
        self._cluster, self._home, self._timeout, self._api_delays = cluster, home, timeout, api_delays
        self._stop, self._turn, self._chance = threading.Event(), 0, random.Random(0)
        self._number, self._delay = 0, 0.0
        actions: tuple[Callable[[int], None], ...] = (self._sync, self._read, self._migrate)
        self._threads = [threading.Thread(target=self._repeat, args=(action,), daemon=True) for action in actions]

    def start(self) -> None:
        """Returns after the first sync, without which some readings have nothing to show."""
        # One server for all syncs: a sync refuses another base URL than that of the one before.
        self._api = RudeServer(image=self._respond(self._images), video=self._respond(video))
        self._run("migrate")
        self._sync(1)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when the commands that are running have ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._api.__exit__()

    def acknowledged(self) -> list[Ended]:
        return [each for each in self.ended if each.name == "sync" and each.code == 0]

    def _repeat(self, action: Callable[[int], None]) -> None:
        number = 1
        while not self._stop.is_set():
            number += 1
            action(number)

    def _sync(self, number: int) -> None:
        self._number, self._delay = number, self._chance.choice(self._api_delays)
        self._run("sync", "--json", number=number, api_seconds=self._delay, BASE_URL=self._api.url)

    def _images(self) -> Script:
        return image([*numbered_models(4), model(MARKER, self._number)])

    def _respond(self, script: Callable[[], Script]) -> Script:
        def run(peer: Any, stop: threading.Event) -> None:
            stop.wait(self._delay)
            script()(peer, stop)

        return run

    def _read(self, number: int) -> None:
        self._run(*READINGS[number % len(READINGS)])
        self._stop.wait(_PAUSE_SECONDS["read"])

    def _migrate(self, number: int) -> None:
        """Makes a catalog in a new database, however often that takes, and migrates the one that is in use."""
        database = f"new{number}"
        self._until_done(lambda: self._cluster.make_database(database))
        while not self._stop.is_set():
            if self._run("migrate", database=database).code == 0:
                self.migrated.append(database)
                break
        self._run("migrate")
        if len(self.migrated) > 1:
            self._until_done(lambda: self._cluster.drop_database(self.migrated[0]))
            del self.migrated[0]
        self._stop.wait(_PAUSE_SECONDS["migrate"])

    def _until_done(self, action: Callable[[], None]) -> None:
        while not self._stop.wait(0.2):
            with suppress(DBAPIError):
                action()
                return

    def _run(
        self, *arguments: str, number: int = 0, api_seconds: float = 0, database: str = "catalog", **settings: str
    ) -> Ended:
        self._turn += 1
        paths = list(self._cluster.urls(database).items())
        path, url = paths[self._turn % len(paths)]
        timeout = f"{self._timeout:g}"
        environ = environment(
            self._home, DATABASE_URL=url, DATABASE_TIMEOUT=timeout, API_KEY=KEY, ATTEMPTS="1", **settings
        )
        began = time.monotonic()
        with started(*arguments, environ=environ) as process:
            result = finished(process, within=10 * self._timeout + 60)
        now = time.monotonic()
        name = MIGRATION if database != "catalog" else arguments[0]
        out = result.out if arguments == MODELS else ""
        ended = Ended(name, number, path, result.code, out, result.err.strip(), began, now - began - api_seconds, now)
        self.ended.append(ended)
        return ended
