"""The recorded catalog, to read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from sync import settings
from sync.api import arguments, reading
from sync.api.changes import Change, stored_change
from sync.api.records import CostAt, Finding, Model, ModelDetail, Run
from sync.catalog.checkpoint import Checkpoint
from sync.composition.masking import masker
from sync.errors import CatalogSyncError

if TYPE_CHECKING:
    from sync.store.database import Connection, Database, Engine
    from sync.store.queries import Filter

T = TypeVar("T")

CHANGE_KINDS = ("added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed")
ENTITIES = ("models", "credits", "params", "inputs", "input_rules", "capabilities", "raw_available_params")


def open_catalog(
    database_url: str, *, catalog_id: str | None = None, database_timeout: float = 60.0
) -> AbstractContextManager[Catalog]:
    """Open the catalog in a database for reading, in a ``with`` statement.

    - ``database_url`` is as for ``sync_once``; an account that may only read is enough, and so is a standby.
    - ``catalog_id`` is the id that the catalog must have.
    - ``database_timeout`` is the number of seconds to wait for a response of the server, and to retry an unreachable
      one.

    Raises ``TypeError`` and ``ValueError`` for a wrong call; ``UsageError`` for a setting that cannot be used and where
    there is no catalog at the revision of this program; ``DatabaseError`` when the database fails. So do the methods of
    ``Catalog``. No message holds the password.
    """
    arguments.require_text("database_url", database_url)
    arguments.require_text("catalog_id", catalog_id, optional=True)
    arguments.require_type("database_timeout", database_timeout, int, float)
    if not 1 <= database_timeout < float("inf"):
        raise ValueError(f"database_timeout must be finite and at least 1, not {database_timeout}")
    given = {settings.PREFIX + "DATABASE_URL": database_url, settings.PREFIX + "CATALOG_ID": catalog_id or ""}
    return _opened(given, database_timeout)


@contextmanager
def _opened(given: Mapping[str, str], timeout: float) -> Iterator[Catalog]:
    from sync.store.database import Database

    mask = masker(given)
    with ExitStack() as opened:
        with _masked_errors(mask):
            database = Database(given[settings.PREFIX + "DATABASE_URL"], timeout, catalog_id=settings.catalog_id(given))
            engine = opened.enter_context(database.opened(reads_only=True))
        catalog = Catalog(database, engine, mask)
        try:
            yield catalog
        finally:
            catalog._engine = None  # noqa: SLF001  # an engine that was disposed would connect again


class Catalog:
    """What is recorded, to read; ``open_catalog`` gives it. Nothing is written.

    It may be used by several threads. Each call sees one moment of the database, and two calls may see two.
    Every time must have a time zone, and every result is in UTC. After the ``with`` statement, every call raises
    ``ValueError``.
    """

    def __init__(self, database: Database, engine: Engine, mask: Callable[[str], str]) -> None:
        self._database, self._mask = database, mask
        self._engine: Engine | None = engine

    def __repr__(self) -> str:
        return f"Catalog({self._database.masked_url!r})"

    def models(
        self, *, mode: str | None = None, provider: str | None = None, as_of: datetime | None = None
    ) -> list[Model]:
        """The listed models with their costs, in the order of mode and id: now, or as of a moment."""
        _require_names(mode, provider=provider)
        moment = arguments.checked_optional_moment("as_of", as_of)
        return self._read(lambda connection: reading.models(connection, mode, provider, moment))

    def model(self, model_id: str, mode: str, *, as_of: datetime | None = None) -> ModelDetail:
        """One model in full: now, or as of a moment. A removed model is as it was last listed.

        Raises ``UnknownModel``, with the nearest ids, for one that was never listed in the mode, and for one that was
        not listed yet.
        """
        arguments.require_text("model_id", model_id)
        arguments.checked_mode(mode)
        moment = arguments.checked_optional_moment("as_of", as_of)
        return self._read(lambda connection: reading.model(connection, model_id, mode, moment))

    def cost_at(self, model_id: str, mode: str, moment: datetime) -> CostAt:
        """The cost of a model at a moment, with the lowest and the highest where it is not sure.

        Raises ``UnknownModel``, with the nearest ids, for one that was never listed in the mode.
        """
        arguments.require_text("model_id", model_id)
        arguments.checked_mode(mode)
        at = arguments.checked_moment("moment", moment)
        return self._read(lambda connection: reading.cost_at(connection, model_id, mode, at))

    def changes(  # noqa: PLR0913  # each is a filter
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        mode: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        kinds: Collection[str] = (),
        entities: Collection[str] = (),
        field: str | None = None,
        min_percent: float | None = None,
    ) -> Iterator[Change]:
        """The changes that were observed at or after ``since`` and before ``until``, newest first.

        - ``model`` is an id or a pattern for ids, such as ``google/*``.
        - ``field`` is an entity with a field, or a pattern for them, such as ``params.*.rank``.
        - ``kinds`` are values of ``change_kind``, and ``entities`` of ``entity``; without any, all are given.
        - ``min_percent`` leaves out costs that moved less.

        The changes are read in parts of 1,000, so that years of them need no memory, and a slow reader holds no lock.
        """
        from sync.store.queries import Filter

        _require_names(mode, provider=provider, model=model, field=field)
        arguments.require_type("min_percent", min_percent, int, float, type(None))
        return self._changes(
            Filter(
                mode=mode,
                provider=provider,
                kinds=arguments.checked_choices("kinds", kinds, CHANGE_KINDS),
                since=arguments.checked_optional_moment("since", since),
                until=arguments.checked_optional_moment("until", until),
                entities=arguments.checked_choices("entities", entities, ENTITIES),
                model=model,
                field=field,
                min_percent=min_percent,
            )
        )

    def runs(self, limit: int = 20) -> list[Run]:
        """The last runs, newest first, with their result in each mode."""
        arguments.require_type("limit", limit, int)
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        return self._read(lambda connection: reading.runs(connection, limit))

    def last_success(self, mode: str) -> datetime | None:
        """When the last successful sync observed the mode; None if there was none."""
        arguments.checked_mode(mode)
        return self._read(lambda connection: reading.last_success(connection, mode))

    def checkpoint(self) -> Checkpoint:
        """The number and the root of the seals, to be kept outside the database: ``checkpoint.text()``.

        Raises ``CatalogSyncError`` if the seals are damaged.
        """
        from sync.store.sealed_runs import read_checkpoint

        return self._read(read_checkpoint)

    def verify(self, *, thorough: bool = False) -> list[Finding]:
        """Every stored row that breaks a rule, as ``catalog-sync verify`` finds them; an empty list if all agree.

        It reads and derives everything again: minutes for a large catalog. ``thorough`` recomputes the sealed roots of
        every run too.
        """
        arguments.require_type("thorough", thorough, bool)
        return self._read(lambda connection: reading.findings(connection, thorough=thorough))

    def _read(self, work: Callable[[Connection], T]) -> T:
        from sync.store.database import in_snapshot

        engine = self._engine
        if engine is None:
            raise ValueError("the catalog is closed: use it inside its with statement")
        with _masked_errors(self._mask):
            return in_snapshot(engine, work, pause=self._database.pause)

    def _changes(self, filters: Filter) -> Iterator[Change]:
        from sync.store.change_feed import changes_page

        rows, place = self._read(lambda connection: changes_page(connection, filters))
        yield from map(stored_change, rows)
        while place is not None:
            after = place
            rows, place = self._read(lambda connection: changes_page(connection, filters, after))  # noqa: B023
            yield from map(stored_change, rows)


def _require_names(mode: str | None, **names: object) -> None:
    if mode is not None:
        arguments.checked_mode(mode)
    for name, value in names.items():
        arguments.require_text(name, value, optional=True)


@contextmanager
def _masked_errors(mask: Callable[[str], str]) -> Iterator[None]:
    """Hides the password in the message of an error of this program."""
    try:
        yield
    except CatalogSyncError as error:
        error.args = (mask(str(error)),)
        raise
