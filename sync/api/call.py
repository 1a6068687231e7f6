"""The arguments of one sync, checked, and the settings that follow from them."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from sync import settings
from sync.api import arguments
from sync.api.limits import Limits
from sync.catalog.guards import Accepted
from sync.composition.masking import masker
from sync.composition.sync_parts import ApiSettings, Surroundings, host_name
from sync.composition.waiting import pause_until

_KEY, _BASE_URL, _ARCHIVE, _CATALOG_ID, _DATABASE_URL = (
    settings.PREFIX + name for name in ("API_KEY", "BASE_URL", "ARCHIVE", "CATALOG_ID", "DATABASE_URL")
)


@dataclass(frozen=True)
class Call:
    """The arguments of ``sync_once``, checked."""

    database_url: str = field(repr=False)
    settings: Mapping[str, str] = field(repr=False)
    """The variables of the command: those of ``environ``, and over them what was given."""
    modes: Sequence[str]
    dry_run: bool
    accept_removals: Accepted
    accept_costs: Accepted
    accept_base_url: bool
    by: str | None
    why: str | None
    limits: Limits | None
    trigger: str
    tick: datetime | None
    stop: threading.Event
    clock: Callable[[], datetime]
    rng: Callable[[], random.Random]
    reads_environment: bool

    def used_limits(self) -> Limits:
        """Raises ``UsageError`` for a variable that is none."""
        return self.limits or (Limits.from_environ(self.settings) if self.reads_environment else Limits())

    def api_settings(self) -> ApiSettings:
        """Raises ``UsageError`` for a setting that cannot be used."""
        values = asdict(self.used_limits())
        del values["database_timeout"]
        archive = self.settings.get(_ARCHIVE)
        return ApiSettings(
            **values,
            base_url=self.settings.get(_BASE_URL, settings.DEFAULT_BASE_URL),
            archive=None if archive is None else settings.archive_folder(archive),
        )

    def surroundings(self) -> Surroundings:
        """Raises ``UsageError`` for a key that cannot be used."""
        key = settings.api_key(self.settings)
        return Surroundings(
            clock=self.clock,
            key=key,
            mask=masker(self.settings, key),
            pause=pause_until(self.stop),
            stop=self.stop,
            host=host_name(),
            rng=self.rng,
            trusts_environment=self.reads_environment,
        )

    def wanted_catalog(self) -> str | None:
        """The id that the catalog must have. Raises ``UsageError`` for a text that is none."""
        return settings.catalog_id(self.settings)


def checked_call(  # noqa: PLR0913  # each is an argument of sync_once
    *,
    database_url: str,
    api_key: str | None,
    base_url: str | None,
    modes: Collection[str],
    dry_run: bool,
    accept_removals: Accepted,
    accept_costs: Accepted,
    accept_base_url: bool,
    by: str | None,
    why: str | None,
    archive: str | os.PathLike[str] | None,
    limits: Limits | None,
    catalog_id: str | None,
    trigger: Literal["cli", "schedule"],
    tick: timedelta | datetime | None,
    cancel: threading.Event | None,
    environ: Mapping[str, str] | None,
    clock: Callable[[], datetime] | None,
    rng: random.Random | None,
) -> Call:
    """Raises ``TypeError`` and ``ValueError`` for a wrong call."""
    arguments.require_text("database_url", database_url)
    arguments.require_type("environ", environ, Mapping, type(None))
    arguments.require_type("limits", limits, Limits, type(None))
    arguments.require_type("cancel", cancel, threading.Event, type(None))
    arguments.require_type("rng", rng, random.Random, type(None))
    arguments.require_type("dry_run", dry_run, bool)
    arguments.require_choice("trigger", trigger, ("cli", "schedule"))
    _require_acceptance(accept_removals, accept_costs, accept_base_url, by, why)
    given = _given_settings(api_key, base_url, archive, catalog_id)
    if _KEY not in given and environ is None:
        raise TypeError("api_key is missing; give it, or environ=os.environ to read it from there")
    clock = clock or _now
    now = arguments.checked_moment("the time of clock", clock())
    return Call(
        database_url=database_url,
        settings=_over(environ or {}, {**given, _DATABASE_URL: database_url}),
        modes=arguments.checked_modes(modes),
        dry_run=dry_run,
        accept_removals=accept_removals,
        accept_costs=accept_costs,
        accept_base_url=accept_base_url,
        by=by,
        why=why,
        limits=limits,
        trigger=trigger,
        tick=arguments.checked_tick(tick, now),
        stop=cancel or threading.Event(),
        clock=clock,
        rng=random.Random if rng is None else lambda: rng,
        reads_environment=environ is not None,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _require_acceptance(removals: object, costs: object, base_url: object, by: object, why: object) -> None:
    arguments.require_accepted("accept_removals", removals)
    arguments.require_accepted("accept_costs", costs)
    arguments.require_type("accept_base_url", base_url, bool)
    arguments.require_text("by", by, optional=True)
    arguments.require_text("why", why, optional=True)
    if not by and (removals is not None or costs is not None or base_url):
        raise ValueError("by is missing: what is accepted is recorded with the name of who accepts it")


def _given_settings(api_key: object, base_url: object, archive: object, catalog_id: object) -> dict[str, str]:
    """The arguments that are variables of the command too, by the names of those."""
    arguments.require_type("archive", archive, str, os.PathLike, type(None))
    folder = os.fspath(archive) if isinstance(archive, os.PathLike) else archive
    given = {_KEY: api_key, _BASE_URL: base_url, _ARCHIVE: folder, _CATALOG_ID: catalog_id}
    for name, value in zip(("api_key", "base_url", "archive", "catalog_id"), given.values(), strict=True):
        arguments.require_text(name, value, optional=True)
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _over(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The variables, with those that are given over them: a key that is given stands for the file of a key too."""
    # An empty variable is one that is not set.
    variables = {name: value for name, value in environ.items() if value or not name.startswith(settings.PREFIX)}
    if _KEY in given:
        variables.pop(_KEY + "_FILE", None)
    return {**variables, **given}
