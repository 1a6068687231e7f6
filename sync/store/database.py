"""Opening a database, and transactions that are repeated when that can help.

Errors of the database layer leave this module as errors of ``sync.errors``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from models_db import engine as engines
from models_db import migrate
from models_db.engine import error_classes
from models_db.engine.sqlite import network_drive
from models_db.migrate import Migration
from sync.errors import DatabaseError
from sync.store import identity
from sync.store.failures import commit_unanswered, translate_errors
from sync.store.retries import ATTEMPTS, Pause, retried

__all__ = [
    "DEFAULT_TIMEOUT_SECONDS",
    "HEAD",
    "Connection",
    "Database",
    "Engine",
    "Migration",
    "Pause",
    "in_snapshot",
    "in_transaction",
    "reading",
    "storage_warning",
]

T = TypeVar("T")

DEFAULT_TIMEOUT_SECONDS = engines.DEFAULT_TIMEOUT_SECONDS
HEAD = migrate.HEAD
"""The revision of the schema that this program needs."""


@dataclass(frozen=True)
class Database:
    """A database by its URL: the one way for commands to open, read and migrate it.

    Every method raises ``UsageError`` for a setting or a schema that cannot be used, and
    ``DatabaseError`` when the database fails, or no host of the URL can be used for ``timeout``.
    """

    url: str = field(repr=False)  # may contain the password
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    """Read timeout of the server in seconds, and for how long an unreachable server is retried."""
    pause: Pause = time.sleep
    """Waits between two attempts to reach the server."""
    catalog_id: str | None = None
    """The catalog that must be in the database; None accepts any."""

    @property
    def masked_url(self) -> str:
        """The URL without its password, safe to print."""
        with translate_errors():
            return engines.masked_url(engines.normalise_url(self.url))

    @contextmanager
    def opened(self, *, reads_only: bool = False) -> Iterator[Engine]:
        """An engine for the database, which must be at head; disposed at the end.

        It connects to the host that takes writes; with ``reads_only``, to a standby when there is none.
        """
        # Only here: errors raised in the body of the with statement belong to the caller.
        with translate_errors():
            engine = engines.open_engine(self.url, timeout=self.timeout, reads_only=reads_only)
        try:
            self._retried(lambda: self._check(engine))
            yield engine
        finally:
            engine.dispose()

    def read(self, work: Callable[[Connection], T]) -> T:
        """The result of ``work``, called with a connection that sees one moment of the database at head.

        After a broken connection it is called again, so it must do nothing but read.
        """
        with self.opened(reads_only=True) as engine:
            return in_snapshot(engine, work, pause=self.pause)

    def require_head(self) -> None:
        """Raises ``UsageError`` that names both revisions unless the database is at head."""
        with self.opened(reads_only=True):
            pass

    def upgrade(self, *, create: bool = True) -> Migration:
        """Brings the database to head. Makes a missing SQLite file and a missing catalog only with ``create``.

        Raises ``UsageError`` where it would touch tables that catalog-sync did not make, and without
        ``create`` where there is no catalog.
        """
        before: list[str | None] = []

        def upgrade() -> Migration:
            before.append(self._revision_at_server(create=create))
            if self.catalog_id is not None:
                # A catalog that a migration makes has another id, so a mistyped database is found before.
                identity.require_catalog_at(self.url, self.timeout, self.catalog_id)
            migration = migrate.upgrade(self.url, create=create, timeout=self.timeout)
            # An attempt before this one may have done a part of it, or all but hear of its COMMIT.
            return migration if len(before) == 1 else Migration(before[0], migration.after)

        # A migration that was cut short can be run again: it goes on where the last one stopped.
        return self._retried(upgrade)

    def storage_warning(self) -> str | None:
        """What a user should know about the place of the database; None when there is nothing to say."""
        with self.opened(reads_only=True) as engine:
            return storage_warning(engine)

    def catalog_id_found(self) -> str | None:
        """The id of the catalog in the database; None if it has none."""
        found = self.read(identity.read_identity)
        return None if found is None else found.catalog_id

    def _check(self, engine: Engine) -> None:
        migrate.require_head(engine)
        if self.catalog_id is not None:
            identity.require_catalog(engine, self.catalog_id)

    def _revision_at_server(self, *, create: bool) -> str | None:
        """The revision of the database at a server; None on SQLite, where no migration is repeated.

        Fails if the server does not respond: a migration itself has no read timeout.
        """
        engine = engines.open_engine(self.url, create=create, timeout=self.timeout)
        try:
            if engine.dialect.name == "sqlite":  # migrate makes its file
                return None
            with engine.connect() as connection:
                return migrate.current_revision(connection)
        finally:
            engine.dispose()

    def _retried(self, action: Callable[[], T]) -> T:
        def translated(_: int) -> T:
            with translate_errors():
                return action()

        return retried(translated, self.timeout, self.pause)


def storage_warning(engine: Engine) -> str | None:
    """What a user should know about the place of an SQLite file; None when there is nothing to say."""
    path = Path(engine.url.database or "")
    kind = network_drive(path) if engine.dialect.name == "sqlite" else None
    if kind is None:
        return None
    return f"{path} is on a network drive ({kind}), which SQLite does not support; move it to a disk of this host"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database and changes nothing."""
    with translate_errors(), engines.read_transaction(engine) as connection:
        yield connection


def in_snapshot(engine: Engine, work: Callable[[Connection], T], *, pause: Pause = time.sleep) -> T:
    """The result of ``work``, called with a connection that sees one moment of the database and changes nothing.

    It is called again as ``in_transaction`` repeats a transaction.
    """

    def attempt(_: int) -> T:
        with reading(engine) as connection:
            return work(connection)

    return retried(attempt, engines.timeout_of(engine), pause)


def in_transaction(
    engine: Engine,
    work: Callable[[Connection, int], T],
    *,
    pause: Pause = time.sleep,
    attempts: int = ATTEMPTS,
    name: Callable[[T], str] | None = None,
) -> T:
    """The result of ``work``, called with a connection in a transaction that is committed after it.

    After a deadlock, a serialization failure or a broken connection the whole transaction is repeated,
    the commit included. ``work`` gets the number of the attempt: from the second on, an earlier one
    may have been committed although its connection broke. An unreachable server is retried until the
    engine's read timeout has passed, unless ``attempts`` is 1.

    Raises ``CommitUnanswered`` when a COMMIT may have been carried out. ``name`` says what the result
    stands for, such as a run.
    """

    def attempt(number: int) -> T:
        results: list[T] = []
        try:
            with translate_errors(), engines.write_transaction(engine) as connection:
                results.append(work(connection, number))
        except DatabaseError as error:
            # What breaks before its COMMIT is rolled back.
            if results and error_classes.commit_outcome_unknown(error.__cause__):
                raise commit_unanswered(error, name(results[0]) if name else "this step") from error.__cause__
            raise
        return results[0]

    return retried(attempt, engines.timeout_of(engine), pause, attempts)
