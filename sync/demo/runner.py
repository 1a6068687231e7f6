"""Runs the week: the same job as ever, only with a clock that is put forward a day each time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sync.demo.catalogs import catalogs
from sync.errors import UsageError
from sync.run import RunResult, SyncDependencies, run_sync
from sync.source.emulator.server import Emulator
from sync.source.http.fetch import FetchSettings, fetch_modes
from sync.source.http.results import Fetched, FetchFailed
from sync.store.database import Database

_KEY = "gva_live_demo.0000000000"  # any key is good to the emulator
_PARTS = ("", "-wal", "-shm")


def run_demo(database: Path, now: datetime, app_version: str, tell: Callable[[datetime, RunResult], None]) -> None:
    """Makes the database anew and syncs a week into it that ends ``now``; each day's run is told.

    Raises what a sync raises. The file is the demo's own: one that is there from last time goes.
    """
    for part in _PARTS:
        _remove(database.with_name(database.name + part))
    demo_database = Database(f"sqlite:///{database}")
    demo_database.upgrade()
    week = list(catalogs())
    with demo_database.opened() as engine, Emulator(week) as api:
        for number in range(len(week)):
            day = now - timedelta(days=len(week) - 1 - number)
            tell(day, run_sync(engine, _job(api.base_url, day, app_version)))


def _job(base_url: str, day: datetime, app_version: str) -> SyncDependencies:
    def clock() -> datetime:
        return day

    def fetch(modes: Sequence[str]) -> Mapping[str, Fetched | FetchFailed]:
        settings = FetchSettings(base_url)
        return fetch_modes(modes, settings, _KEY, clock=clock, rng=random.Random(0), cancelled=threading.Event())  # noqa: S311  # jitter

    return SyncDependencies(fetch, clock, app_version, base_url=base_url)


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{file} cannot be made anew: {error.strerror}; give --directory another folder") from error
