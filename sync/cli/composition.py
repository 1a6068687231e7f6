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
    from sync.catalog.changes.plan import RemovalGuard
    from sync.catalog.response.parse import ParseLimits
    from sync.run import SyncDependencies
    from sync.source.http.results import Fetched, FetchFailed
    from sync.store.database import Engine


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


@dataclass(frozen=True)
class Target:
    """The database that a command writes to.

    One that is away is looked for as long as ``timeout`` lasts; ``stop`` ends that with ``Interrupted``.
    """

    url: str
    timeout: float
    stop: threading.Event

    def open(self) -> Engine:
        """An engine on it; it must be at head."""
        from sync.store.database import open_database

        return open_database(self.url, timeout=self.timeout, pause=self.pause)

    def migrate(self) -> None:
        """Brings it to head."""
        from sync.store import schema

        schema.wait_for(self.url, self.timeout, self.pause)
        bring_to_head(self.url)

    def pause(self, seconds: float) -> None:
        """Waits before the next look for it."""
        if self.stop.wait(seconds):
            raise Interrupted("stopped while looking for the database; catalog-sync status tells what was stored")


def bring_to_head(database_url: str) -> None:
    """Migrates; makes the folder of the default database, and no other, when it is missing."""
    from sync.store import schema

    if database_url == settings.default_database_url():
        make_folder(default_file().parent)
    schema.upgrade(database_url)


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
        pause=Target("", given.database_timeout, stop).pause,
    )


def guard(percent: float, count: int, accepted: int | str | None) -> RemovalGuard:
    from sync.catalog.changes.plan import RemovalGuard

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
