"""Runs the demo: the same sync as in production, with a clock that advances one day for each run."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sync.demo.catalogs import daily_catalogs
from sync.errors import UsageError
from sync.run import RunResult, SyncDependencies, run_sync
from sync.source.emulator.server import Emulator
from sync.source.http.fetch import FetchSettings, fetch_modes
from sync.source.http.results import Fetched, FetchFailed
from sync.store.database import Database

_KEY = "gva_live_demo.0000000000"  # the emulator accepts any key
_SQLITE_SUFFIXES = ("", "-wal", "-shm")  # the database file and those that SQLite creates beside it


def run_demo(
    database: Path, now: datetime, app_version: str, report_run: Callable[[datetime, RunResult], None]
) -> None:
    """Creates the database and syncs a week into it that ends ``now``.

    ``report_run`` is called with the day and the result of each run. A database of an earlier demo is deleted.
    Raises ``UsageError`` when it cannot be deleted, and otherwise what ``run_sync`` raises.
    """
    for suffix in _SQLITE_SUFFIXES:
        _delete(database.with_name(database.name + suffix))
    demo_database = Database(f"sqlite:///{database}")
    demo_database.upgrade()
    week = list(daily_catalogs())
    day = now

    with demo_database.opened() as engine, Emulator(week, clock=lambda: day) as api:
        for number in range(len(week)):
            day = now - timedelta(days=len(week) - 1 - number)
            report_run(day, run_sync(engine, _dependencies(api.base_url, day, app_version)))


def _dependencies(base_url: str, day: datetime, app_version: str) -> SyncDependencies:
    def clock() -> datetime:
        return day

    def fetch(modes: Sequence[str]) -> Mapping[str, Fetched | FetchFailed]:
        settings = FetchSettings(base_url)
        return fetch_modes(modes, settings, _KEY, clock=clock, rng=random.Random(0), cancelled=threading.Event())  # noqa: S311  # jitter

    return SyncDependencies(fetch, clock, app_version, base_url=base_url)


def _delete(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{file} cannot be deleted: {error.strerror}; give another folder with --directory") from error
