"""Puts a job together from settings: the only place that knows clock, chance and environment."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sync import __version__, settings
from sync.catalog.modes import MODES
from sync.cli.options import now
from sync.cli.process.masking import masker
from sync.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from sync.catalog.guards import RemovalGuard
    from sync.catalog.response.parse import ParseLimits
    from sync.run import SyncDependencies
    from sync.source.http.results import Fetched, FetchFailed
    from sync.store.database import Database


@dataclass(frozen=True)
class ApiSettings:
    """The options of ``options.api_settings``, as given."""

    base_url: str
    deadline: float
    attempts: int
    max_bytes: int
    max_models: int
    max_removal_percent: float
    max_removal_count: int
    database_timeout: float


def database(url: str, timeout: float | None = None, stop: threading.Event | None = None) -> Database:
    """The database of a command; the one place where commands make it.

    With ``stop`` an unreachable server is retried for ``timeout`` seconds, or until ``stop`` is set;
    without ``stop`` it is an error at once.
    """
    from sync.store.database import DEFAULT_TIMEOUT_SECONDS, Database

    return Database(url, timeout or DEFAULT_TIMEOUT_SECONDS, pause_until(stop) if stop else None)


def pause_until(stop: threading.Event) -> Callable[[float], None]:
    """A pause between two attempts to reach the database; it raises ``Interrupted`` once ``stop`` is set."""

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise Interrupted("stopped while the database was unreachable; catalog-sync status shows what was stored")

    return pause


def upgrade(catalog: Database) -> None:
    """Brings the database to head; makes a missing folder of the default database, and of no other."""
    if catalog.url == settings.default_database_url():
        make_folder(default_file().parent)
    catalog.upgrade()


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be made: {error.strerror}; name another one") from error


def default_file() -> Path:
    return Path(settings.default_database_url().removeprefix("sqlite:///"))


def sync_dependencies(
    given: ApiSettings,
    stop: threading.Event,
    *,
    mode: str | None = None,
    trigger_kind: str = "cli",
    accept_removals: int | str | None = None,
) -> SyncDependencies:
    """A job that asks the real API until ``stop`` is set, and masks the key it has read.

    Raises ``UsageError`` for a setting that cannot be used.
    """
    from sync.run import SyncDependencies

    base_url = settings.base_url(given.base_url)
    key = settings.api_key(os.environ)
    return SyncDependencies(
        fetch=_fetcher(given, base_url, key, stop),
        clock=now,
        app_version=__version__,
        trigger_kind=trigger_kind,
        base_url=base_url,
        modes=(mode,) if mode else MODES,
        guard=guard(given.max_removal_percent, given.max_removal_count, accept_removals),
        limits=limits(given.max_models),
        mask=masker(os.environ, key),
        pause=pause_until(stop),
    )


def guard(percent: float, count: int, accepted: int | str | None) -> RemovalGuard:
    from sync.catalog.guards import RemovalGuard

    return RemovalGuard(percent, count, cast(int | Literal["all"] | None, accepted))


def limits(max_models: int) -> ParseLimits:
    from sync.catalog.response.parse import ParseLimits

    return ParseLimits(max_models)


def _fetcher(
    given: ApiSettings, base_url: str, key: str, stop: threading.Event
) -> Callable[[Sequence[str]], Mapping[str, Fetched | FetchFailed]]:
    from sync.source.http.fetch import FetchSettings, fetch_modes

    bounds = FetchSettings(base_url, given.deadline, given.attempts, given.max_bytes)

    def fetch(modes: Sequence[str]) -> Mapping[str, Fetched | FetchFailed]:
        return fetch_modes(modes, bounds, key, clock=now, rng=random.Random(), cancelled=stop)  # noqa: S311  # jitter

    return fetch
