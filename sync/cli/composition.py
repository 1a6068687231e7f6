"""Makes the parts of a command from its options: the only place that knows clock, chance and environment."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sync import __version__, settings
from sync.catalog.modes import MODES
from sync.catalog.text import one_line
from sync.cli.options import database_timeout, now
from sync.cli.process.waiting import pause_until
from sync.composition import sync_parts
from sync.composition.masking import masker
from sync.composition.sync_parts import (
    ApiSettings,
    CatalogSettings,
    Surroundings,
    guard_settings,
    host_name,
    parse_limits,
)
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.catalog.guards import Accepted
    from sync.run import SyncDependencies
    from sync.run.import_ import ImportDependencies
    from sync.run.source_check import Acceptance
    from sync.store.database import Database, Migration


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


def sync_dependencies(  # noqa: PLR0913  # each is something else that a run needs
    values: ApiSettings,
    stop: threading.Event,
    *,
    mode: str | None = None,
    trigger_kind: str = "cli",
    accept_removals: Accepted = None,
    accept_costs: Accepted = None,
    acceptance: Acceptance | None = None,
    tick: datetime | None = None,
    on_begin: Callable[[int], object] = int,
) -> SyncDependencies:
    """What a run needs: it fetches from the API until ``stop`` is set, and masks the API key.

    ``tick`` is the scheduled time that the run claims. Raises ``UsageError`` for a setting that cannot be used.
    """
    settings.base_url(values.base_url)  # an address that is none is reported before a key that is missing
    key = settings.api_key(os.environ)
    return sync_parts.sync_dependencies(
        values,
        Surroundings(
            clock=now,
            key=key,
            mask=masker(os.environ, key),  # this key, even if its file changes during the run
            # The lines of a schedule have a time, and it prints one for each run that fails.
            pause=pause_until(stop, silent=trigger_kind == "schedule"),
            stop=stop,
            host=host_name(),
            on_begin=on_begin,
        ),
        modes=(mode,) if mode else MODES,
        trigger_kind=trigger_kind,
        accept_removals=accept_removals,
        accept_costs=accept_costs,
        acceptance=acceptance,
        tick=tick,
    )


def acceptance(*, by: str | None, why: str | None, base_url: bool = False) -> Acceptance:
    """What a person accepts for one run; without ``by`` it is the account that runs the command."""
    from sync.run.source_check import Acceptance

    return Acceptance(base_url, person(by), why)


def person(by: str | None) -> str:
    """Who decides something; without a name it is the account that runs the command."""
    return by or f"{_account()}@{host_name()}"


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
        guards=guard_settings(values, accept_removals, accept_costs),
        acceptance=acceptance,
        limits=parse_limits(values),
        mask=masker(os.environ),
        pause=pause_until(stop),
    )
