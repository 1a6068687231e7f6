"""Makes the parts of a command from its options: the only place that knows clock, chance and environment."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sync import __version__, settings
from sync.catalog.modes import MODES
from sync.catalog.text import one_line
from sync.cli.options import database_timeout, now
from sync.cli.process.masking import masker
from sync.cli.process.waiting import pause_until
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.catalog.guards import Accepted, GuardSettings
    from sync.catalog.response.parse import ParseLimits
    from sync.run import SyncDependencies
    from sync.run.import_ import ImportDependencies
    from sync.run.source_check import Acceptance
    from sync.source.archive.writer import ArchiveWriter
    from sync.source.http.results import Fetched, FetchFailed
    from sync.store.database import Database, Migration

_MAX_HOST_NAME = 255  # characters, as in the column


@dataclass(frozen=True)
class CatalogSettings:
    """The values of ``options.catalog_settings``."""

    max_models: int
    max_removal_percent: float
    max_removal_count: int
    max_cost_move_percent: float
    max_cost_move_count: int
    max_cost_move_factor: float


@dataclass(frozen=True)
class ApiSettings(CatalogSettings):
    """The values of ``options.api_settings``."""

    base_url: str
    deadline: float
    attempts: int
    max_bytes: int
    archive: Path | None = None


def database(url: str, stop: threading.Event | None = None, *, silent: bool = False) -> Database:
    """The database of a command; every command gets it from here, in the thread in which it was called.

    An unreachable server is retried for the command's ``--database-timeout``, or until ``stop`` is set; a
    line on a terminal says so, unless ``silent``.
    """
    from sync.store.database import DEFAULT_TIMEOUT_SECONDS, Database

    pause = pause_until(stop or threading.Event(), silent=silent)
    return Database(url, database_timeout() or DEFAULT_TIMEOUT_SECONDS, pause, settings.catalog_id(os.environ))


def make_or_upgrade(catalog: Database) -> Migration:
    """Brings the database to head, and makes a missing catalog.

    Makes the folder of the default database if it is missing, but no other folder.
    """
    folder: Path | None = None
    with suppress(UsageError):  # an account without a home has no default database
        if catalog.url == settings.default_database_url():
            folder = settings.data_folder(settings.PREFIX + "DATABASE_URL")
    if folder is not None:
        make_folder(folder)
    return catalog.upgrade()


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder {folder} cannot be created: {error.strerror}; give the path of another folder"
        ) from error


def sync_dependencies(
    values: ApiSettings,
    stop: threading.Event,
    *,
    mode: str | None = None,
    trigger_kind: str = "cli",
    accept_removals: Accepted = None,
    accept_costs: Accepted = None,
    acceptance: Acceptance | None = None,
) -> SyncDependencies:
    """What a run needs: it fetches from the API until ``stop`` is set, and masks the API key.

    Raises ``UsageError`` for a setting that cannot be used.
    """
    from sync.run import SyncDependencies
    from sync.run.source_check import Acceptance
    from sync.source.api_key import fingerprint

    base_url = settings.base_url(values.base_url)
    key = settings.api_key(os.environ)
    settings.require_no_key(base_url, key)
    mask = masker(os.environ, key)  # this key, even if its file changes during the run
    archive = _archive(values.archive, mask)
    return SyncDependencies(
        fetch=_fetcher(values, base_url, key, mask, stop),
        clock=now,
        app_version=__version__,
        trigger_kind=trigger_kind,
        base_url=base_url,
        host=host_name(),
        key_fingerprint=fingerprint(key),
        acceptance=acceptance or Acceptance(),
        modes=(mode,) if mode else MODES,
        guards=_guards(values, accept_removals, accept_costs),
        limits=_limits(values),
        mask=mask,
        # The lines of a schedule have a time, and it prints one for each run that fails.
        pause=pause_until(stop, silent=trigger_kind == "schedule"),
        archive=archive,
    )


def _archive(folder: Path | None, mask: Callable[[str], str]) -> ArchiveWriter | None:
    """The archive of responses, if there is one. Raises ``UsageError`` for a folder that cannot be used."""
    if folder is None:
        return None
    from sync.source.archive.writer import ArchiveWriter

    archive = ArchiveWriter(folder, mask)
    archive.require_usable()
    return archive


def acceptance(*, by: str | None, why: str | None, base_url: bool = False) -> Acceptance:
    """What a person accepts for one run; without ``by`` it is the account that runs the command."""
    from sync.run.source_check import Acceptance

    return Acceptance(base_url, person(by), why)


def person(by: str | None) -> str:
    """Who decides something; without a name it is the account that runs the command."""
    return by or f"{_account()}@{host_name()}"


def host_name() -> str:
    """The name of this host, as its runs record it."""
    return one_line(socket.gethostname(), _MAX_HOST_NAME)


def _account() -> str:
    import getpass

    try:
        return one_line(getpass.getuser())
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def import_dependencies(
    values: CatalogSettings,
    stop: threading.Event,
    *,
    accept_removals: Accepted,
    accept_costs: Accepted,
    acceptance: Acceptance,
) -> ImportDependencies:
    """What an import needs."""
    from sync.run.import_ import ImportDependencies

    return ImportDependencies(
        clock=now,
        app_version=__version__,
        host=host_name(),
        guards=_guards(values, accept_removals, accept_costs),
        acceptance=acceptance,
        limits=_limits(values),
        mask=masker(os.environ),
        pause=pause_until(stop),
    )


def _guards(values: CatalogSettings, removals: Accepted, costs: Accepted) -> GuardSettings:
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


def _limits(values: CatalogSettings) -> ParseLimits:
    from sync.catalog.response.parse import ParseLimits

    return ParseLimits(values.max_models)


def _fetcher(
    values: ApiSettings, base_url: str, key: str, mask: Callable[[str], str], stop: threading.Event
) -> Callable[[Sequence[str]], Mapping[str, Fetched | FetchFailed]]:
    from sync.source.http.fetch import FetchSettings, fetch_modes

    fetch_settings = FetchSettings(base_url, values.deadline, values.attempts, values.max_bytes)

    def fetch(modes: Sequence[str]) -> Mapping[str, Fetched | FetchFailed]:
        rng = random.Random()  # noqa: S311  # jitter of retries
        return fetch_modes(modes, fetch_settings, key, clock=now, rng=rng, cancelled=stop, mask=mask)

    return fetch
