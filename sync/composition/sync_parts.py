"""Makes the parts of a run from its settings."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sync import __version__, settings
from sync.catalog.modes import MODES
from sync.catalog.text import one_line
from sync.source import DEFAULT_MAX_BYTES

if TYPE_CHECKING:
    from sync.catalog.guards import Accepted, GuardSettings
    from sync.catalog.response.parse import ParseLimits
    from sync.run import SyncDependencies
    from sync.run.source_check import Acceptance
    from sync.source.archive.writer import ArchiveWriter
    from sync.source.http.results import Fetched, FetchFailed

_MAX_HOST_NAME = 255  # characters, as in the column


@dataclass(frozen=True)
class CatalogSettings:
    """The settings of what parses responses."""

    max_models: int = 200_000
    max_removal_percent: float = 20.0
    max_removal_count: int = 3
    max_cost_move_percent: float = 20.0
    max_cost_move_count: int = 3
    max_cost_move_factor: float = 10.0


@dataclass(frozen=True)
class ApiSettings(CatalogSettings):
    """The settings of what fetches from the API too."""

    base_url: str = settings.DEFAULT_BASE_URL
    deadline: float = 60.0
    attempts: int = 4
    max_bytes: int = DEFAULT_MAX_BYTES
    archive: Path | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a run takes from where it is called: the commands have the process's own, a program gives its own."""

    clock: Callable[[], datetime]
    """The time now, in UTC."""
    key: str = field(repr=False)
    """The API key, checked."""
    mask: Callable[[str], str]
    """Hides the key and the passwords in a text."""
    pause: Callable[[float], object]
    """Waits before a transaction is retried; an exception that it raises ends the run."""
    stop: threading.Event
    """Ends the fetch once it is set."""
    host: str
    rng: Callable[[], random.Random] = random.Random
    """Gives the random numbers of one fetch: the jitter of its retries."""
    trusts_environment: bool = True
    """Whether the proxies and the CA bundle of the process's environment are used."""
    on_begin: Callable[[int], object] = int
    """Called with the number of the run once its row is stored; it must not raise."""


def sync_dependencies(  # each is a decision of the caller
    values: ApiSettings,
    around: Surroundings,
    *,
    modes: Sequence[str] = MODES,
    trigger_kind: str = "cli",
    accept_removals: Accepted = None,
    accept_costs: Accepted = None,
    acceptance: Acceptance | None = None,
    tick: datetime | None = None,
) -> SyncDependencies:
    """What a run needs. ``tick`` is the scheduled time that it claims.

    Raises ``UsageError`` for a setting that cannot be used.
    """
    from sync.catalog.ticks import tick_text
    from sync.run import SyncDependencies
    from sync.run.source_check import Acceptance
    from sync.source.api_key import fingerprint

    base_url = settings.base_url(values.base_url)
    settings.require_no_key(base_url, around.key)
    archive = _archive(values.archive, around.mask)
    return SyncDependencies(
        fetch=_fetcher(values, base_url, around),
        clock=around.clock,
        app_version=__version__,
        trigger_kind=trigger_kind,
        base_url=base_url,
        host=around.host,
        key_fingerprint=fingerprint(around.key),
        acceptance=acceptance or Acceptance(),
        modes=modes,
        tick=tick_text(tick, modes) if tick else None,
        guards=guard_settings(values, accept_removals, accept_costs),
        limits=parse_limits(values),
        mask=around.mask,
        pause=around.pause,
        archive=archive,
        on_begin=around.on_begin,
    )


def host_name() -> str:
    """The name of this host, as its runs record it."""
    return one_line(socket.gethostname(), _MAX_HOST_NAME)


def guard_settings(values: CatalogSettings, removals: Accepted, costs: Accepted) -> GuardSettings:
    """The limits of the guards, and what a person accepted."""
    from sync.catalog.guards import GuardSettings

    return GuardSettings(
        removal_percent=values.max_removal_percent,
        removal_count=values.max_removal_count,
        cost_percent=values.max_cost_move_percent,
        cost_count=values.max_cost_move_count,
        cost_factor=values.max_cost_move_factor,
        accept_removals=removals,
        accept_costs=costs,
    )


def parse_limits(values: CatalogSettings) -> ParseLimits:
    from sync.catalog.response.parse import ParseLimits

    return ParseLimits(values.max_models)


def _archive(folder: Path | None, mask: Callable[[str], str]) -> ArchiveWriter | None:
    """The archive of responses, if there is one. Raises ``UsageError`` for a folder that cannot be used."""
    if folder is None:
        return None
    from sync.source.archive.writer import ArchiveWriter

    archive = ArchiveWriter(folder, mask)
    archive.require_usable()
    return archive


def _fetcher(
    values: ApiSettings, base_url: str, around: Surroundings
) -> Callable[[Sequence[str]], Mapping[str, Fetched | FetchFailed]]:
    from sync.source.http.fetch import FetchSettings, fetch_modes

    fetch_settings = FetchSettings(
        base_url, values.deadline, values.attempts, values.max_bytes, around.trusts_environment
    )

    def fetch(modes: Sequence[str]) -> Mapping[str, Fetched | FetchFailed]:
        return fetch_modes(
            modes,
            fetch_settings,
            around.key,
            clock=around.clock,
            rng=around.rng(),
            cancelled=around.stop,
            mask=around.mask,
        )

    return fetch
