"""Runs the demo: the same sync as in production, with a clock that moves from run to run."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync.demo.catalogs import steps
from sync.errors import UsageError
from sync.run import RunResult, SyncDependencies, run_sync
from sync.source.emulator.server import EXPIRED_KEY, Emulator
from sync.source.http.fetch import FetchSettings, fetch_modes
from sync.source.http.results import Fetched, FetchFailed
from sync.store.database import Database, Engine

_KEY = "gva_live_demo.0000000000"  # the emulator accepts any key but those that cause an error
_SQLITE_SUFFIXES = ("", "-wal", "-shm")  # the database file and those that SQLite creates beside it
_HOUR = 6  # of each run, in UTC: the days of the history do not depend on the time at which the demo runs

ReportRun = Callable[[datetime, RunResult], None]
"""Called with the time and the result of each run."""


def run_demo(database: Path, now: datetime, app_version: str, report_run: ReportRun) -> None:
    """Creates the database and syncs three months into it that end within the day before ``now``.

    A database of an earlier demo is deleted. Raises ``UsageError`` when it cannot be deleted, and otherwise what
    ``run_sync`` raises.
    """
    for suffix in _SQLITE_SUFFIXES:
        _delete(database.with_name(database.name + suffix))
    demo_database = Database(f"sqlite:///{database}")
    demo_database.upgrade()
    with demo_database.opened() as engine:
        sync_history(engine, now, app_version, report_run)


def sync_history(engine: Engine, now: datetime, app_version: str, report_run: ReportRun) -> None:
    """Syncs the history of the demo into an empty catalog."""
    history = list(steps())
    end = _last_run_before(now)
    moment = end

    with Emulator([step.catalog for step in history], stepping="manual", clock=lambda: moment) as api:
        for number, step in enumerate(history):
            api.step_to(number)
            moment = end - timedelta(days=step.days_before_end)
            key = EXPIRED_KEY if step.key_expired else _KEY
            report_run(moment, run_sync(engine, _dependencies(api.base_url, key, moment, app_version)))


def _last_run_before(now: datetime) -> datetime:
    today = now.astimezone(UTC).replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def _dependencies(base_url: str, key: str, moment: datetime, app_version: str) -> SyncDependencies:
    def clock() -> datetime:
        return moment

    def fetch(modes: Sequence[str]) -> Mapping[str, Fetched | FetchFailed]:
        settings = FetchSettings(base_url)
        return fetch_modes(modes, settings, key, clock=clock, rng=random.Random(0), cancelled=threading.Event())  # noqa: S311  # jitter

    return SyncDependencies(fetch, clock, app_version, base_url=base_url)


def _delete(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{file} cannot be deleted: {error.strerror}; give another folder with --directory") from error
