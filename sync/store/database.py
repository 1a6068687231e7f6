"""Opening a database, and transactions that are repeated when that can help.

Errors of the database layer leave this module as errors of ``sync.errors``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from models_db import engine as engines
from models_db import migrate
from models_db.engine import error_classes, permissions
from models_db.engine.sqlite import network_drive
from models_db.errors import DatabaseSettingError, SchemaError
from models_db.migrate import Migration
from sync.errors import DatabaseError, UsageError
from sync.store import identity

__all__ = [
    "DEFAULT_TIMEOUT_SECONDS",
    "HEAD",
    "Connection",
    "Database",
    "Engine",
    "Migration",
    "Pause",
    "in_transaction",
    "reading",
    "storage_warning",
]

T = TypeVar("T")
Pause: TypeAlias = Callable[[float], object]
"""Waits for this number of seconds; an error that it raises ends the retries."""

DEFAULT_TIMEOUT_SECONDS = engines.DEFAULT_TIMEOUT_SECONDS
HEAD = migrate.HEAD
"""The revision of the schema that this program needs."""

# After a deadlock: the first attempt and three more.
_ATTEMPTS = 4
# The timeout ends the retries for an unreachable server. This number ends them where a pause takes no time, as in
# tests.
_MOST_RETRIES = 1000
# Pauses grow by this much each time, so that two runs that deadlocked do not meet again at once.
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_OUTCOME_UNKNOWN = "whether this step was stored is unknown; run catalog-sync status once the database is reachable"
_NOT_STORED = (
    "nothing of this step was stored; check that the database runs and that CATALOG_SYNC_DATABASE_URL is right,"
    " then run it again"
)
_DAMAGED = (
    "nothing of this step was stored; the file is damaged or is not an SQLite database:"
    " restore a backup of it, or correct CATALOG_SYNC_DATABASE_URL"
)
_DENIED = (
    "nothing of this step was stored; the account of CATALOG_SYNC_DATABASE_URL lacks this permission:"
    " run the grants of docs/operations.md, for a reader those of docs/bi.md"
)


@dataclass(frozen=True)
class Database:
    """A database by its URL: the one way for commands to open, read and migrate it.

    Every method raises ``UsageError`` for a setting or a schema that cannot be used, and
    ``DatabaseError`` when the database fails or cannot be reached.
    """

    url: str = field(repr=False)  # may contain the password
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    """Read timeout of the server in seconds, and for how long an unreachable server is retried."""
    pause: Pause | None = None
    """Waits between two attempts to reach the server; None: an unreachable server is an error at once."""
    catalog_id: str | None = None
    """The catalog that must be in the database; None accepts any."""

    @property
    def masked_url(self) -> str:
        """The URL without its password, safe to print."""
        with translate_errors():
            return engines.masked_url(engines.normalise_url(self.url))

    @contextmanager
    def opened(self) -> Iterator[Engine]:
        """An engine for the database, which must be at head; disposed at the end."""
        # Only here: errors raised in the body of the with statement belong to the caller.
        with translate_errors():
            engine = engines.open_engine(self.url, timeout=self.timeout)
        try:
            self._retried(lambda: self._check(engine))
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to the database at head that sees one moment of it and changes nothing."""
        with self.opened() as engine, reading(engine) as connection:
            yield connection

    def require_head(self) -> None:
        """Raises ``UsageError`` that names both revisions unless the database is at head."""
        with self.opened():
            pass

    def upgrade(self, *, create: bool = True) -> Migration:
        """Brings the database to head. Makes a missing SQLite file and a missing catalog only with ``create``.

        Raises ``UsageError`` where it would touch tables that catalog-sync did not make, and without
        ``create`` where there is no catalog.
        """
        if self.pause is not None:
            self._wait_for_server(create=create)
        with translate_errors():
            if self.catalog_id is not None:
                # A catalog that a migration makes has another id, so a mistyped database is found before.
                identity.require_catalog_at(self.url, self.timeout, self.catalog_id)
            return migrate.upgrade(self.url, create=create)

    def storage_warning(self) -> str | None:
        """What a user should know about the place of the database; None when there is nothing to say."""
        with self.opened() as engine:
            return storage_warning(engine)

    def _check(self, engine: Engine) -> None:
        migrate.require_head(engine)
        if self.catalog_id is not None:
            identity.require_catalog(engine, self.catalog_id)

    def catalog_id_found(self) -> str | None:
        """The id of the catalog in the database; None if it has none."""
        with self.reading() as connection:
            found = identity.read_identity(connection)
        return None if found is None else found.catalog_id

    def _wait_for_server(self, *, create: bool) -> None:
        """Returns when the server accepts a connection. A migration itself is never tried twice."""
        with translate_errors():
            engine = engines.open_engine(self.url, create=create, timeout=self.timeout)
        try:
            if engine.dialect.name != "sqlite":  # migrate makes its file
                self._retried(lambda: engine.connect().close())
        finally:
            engine.dispose()

    def _retried(self, action: Callable[[], T]) -> T:
        """The result of ``action``, called again while the server is unreachable and time is left."""
        retries = _Retries(self.timeout)
        while True:
            try:
                with translate_errors():
                    return action()
            except DatabaseError as error:
                if self.pause is None or retries.exhausted or not error_classes.server_unavailable(error.__cause__):
                    raise
            self.pause(retries.next_pause())


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


def in_transaction(
    engine: Engine, work: Callable[[Connection, int], T], *, pause: Pause = time.sleep, attempts: int = _ATTEMPTS
) -> T:
    """The result of ``work``, called with a connection in a transaction that is committed after it.

    After a deadlock, a serialization failure or a broken connection the whole transaction is repeated,
    the commit included. ``work`` gets the number of the attempt: from the second on, an earlier one
    may have been committed although its connection broke. An unreachable server is retried until the
    engine's read timeout has passed, unless ``attempts`` is 1.
    """
    retries: _Retries | None = None
    outcome_unknown = False
    for number in count(1):
        try:
            with translate_errors(outcome_unknown=outcome_unknown), engines.write_transaction(engine) as connection:
                return work(connection, number)
        except DatabaseError as error:
            cause = error.__cause__
            # Stays true: a later attempt that fails does not show whether an earlier commit succeeded.
            outcome_unknown = outcome_unknown or error_classes.commit_outcome_unknown(cause)
            # The time for retries begins with the first broken connection, not with the transaction.
            if retries is None and attempts > 1 and error_classes.connection_unusable(cause):
                retries = _Retries(engines.timeout_of(engine), number)
            if not _may_retry(cause, retries) or (retries is None and number >= attempts):
                raise
        pause(retries.next_pause() if retries else _PAUSE_SECONDS * number)
    raise AssertionError("unreachable")  # count never ends


class _Retries:
    """Retries for an unreachable server: when they end, and how long to pause before the next one."""

    def __init__(self, seconds: float, done: int = 0) -> None:
        self._ends_at = time.monotonic() + seconds
        self._done = done

    @property
    def exhausted(self) -> bool:
        return time.monotonic() >= self._ends_at or self._done >= _MOST_RETRIES

    def next_pause(self) -> float:
        self._done += 1
        return min(_PAUSE_SECONDS * self._done, _LONGEST_PAUSE_SECONDS)


def _may_retry(cause: BaseException | None, retries: _Retries | None) -> bool:
    if retries is None:
        return error_classes.is_transient(cause)
    # The lock may belong to an earlier transaction of this process, which the server has not ended yet.
    tests = (error_classes.is_transient, error_classes.retry_may_reach_server, error_classes.is_lock_wait)
    return not retries.exhausted and any(test(cause) for test in tests)


@contextmanager
def translate_errors(*, outcome_unknown: bool = False) -> Iterator[None]:
    """Turns errors of the database layer into errors of ``sync.errors``, each in one line.

    No message contains a statement or a secret. ``outcome_unknown``: an earlier attempt may have
    been committed although its connection broke.
    """
    try:
        yield
    except (DatabaseSettingError, SchemaError) as error:
        raise UsageError(str(error)) from error
    except SQLAlchemyError as error:
        advice = _advice(error, outcome_unknown=outcome_unknown)
        raise DatabaseError(f"the database failed: {_reason(error)}; {advice}") from error


def _advice(error: SQLAlchemyError, *, outcome_unknown: bool) -> str:
    if outcome_unknown or error_classes.commit_outcome_unknown(error):
        return _OUTCOME_UNKNOWN
    if permissions.is_denied(error):
        return _DENIED
    return _DAMAGED if error_classes.is_damaged(error) else _NOT_STORED


def _reason(error: SQLAlchemyError) -> str:
    """The first line of the driver's own message: the lines after it may quote a statement."""
    original = getattr(error, "orig", None) or error
    message = " ".join(str(part) for part in original.args if isinstance(part, (str, int))) or str(original)
    return " ".join((message.strip().splitlines() or [type(original).__name__])[0].split())
