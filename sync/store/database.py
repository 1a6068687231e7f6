"""The door to the database: opening it, and transactions that are run again when that can help.

Whatever the database layer raises leaves this package as an error of ``sync.errors``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from models_db import engine as engines
from models_db import migrate
from models_db.engine import error_classes
from models_db.engine.sqlite import network_drive
from models_db.errors import DatabaseSettingError, SchemaError
from sync.errors import DatabaseError, UsageError

__all__ = [
    "DEFAULT_TIMEOUT_SECONDS",
    "Connection",
    "Engine",
    "Pause",
    "in_transaction",
    "open_database",
    "reading",
    "storage_warning",
]

T = TypeVar("T")
Pause: TypeAlias = Callable[[float], object]
"""Waits so many seconds; what it raises ends the waiting."""

DEFAULT_TIMEOUT_SECONDS = engines.DEFAULT_TIMEOUT_SECONDS

# After a deadlock: the first try and three more.
_TRIES = 4
_MOST_TRIES_TO_FIND = 1000  # time ends the search for a lost server; this ends it where pauses take none
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_UNKNOWN = "whether this step was stored is not known: ask catalog-sync status when it runs again"
_ADVICE = "nothing of this step was stored; see that it runs and CATALOG_SYNC_DATABASE_URL is right, then run again"
_DAMAGED = (
    "nothing of this step was stored; the file is damaged, or is no SQLite database:"
    " restore a backup of it, or mend CATALOG_SYNC_DATABASE_URL"
)


def open_database(url: str, *, timeout: float = DEFAULT_TIMEOUT_SECONDS, pause: Pause | None = None) -> Engine:
    """An engine for a database that is at the revision this program needs.

    A server that is silent for ``timeout`` seconds counts as lost. One that is away, as between a
    primary's end and its standby's promotion, is an error at once; with a ``pause`` it is looked
    for as long, pausing in between.

    Raises ``UsageError`` for a setting or schema that is not right, ``DatabaseError`` when the
    database does not answer.
    """
    with translate_errors():
        engine = engines.open_engine(url, timeout=timeout)
    try:
        retry_until_available(lambda: migrate.require_head(engine), timeout, pause)
    except BaseException:
        engine.dispose()
        raise
    return engine


def retry_until_available(action: Callable[[], T], timeout: float, pause: Pause | None) -> T:
    """What ``action`` gives; while the server is away it is called again, as long as the patience lasts."""
    search = _Search(timeout)
    while True:
        try:
            with translate_errors():
                return action()
        except DatabaseError as error:
            if pause is None or search.is_over or not error_classes.server_unavailable(error.__cause__):
                raise
        pause(search.next_pause())


def storage_warning(engine: Engine) -> str | None:
    """What a user should know of where the database is; None when all is well."""
    path = Path(engine.url.database or "")
    kind = network_drive(path) if engine.dialect.name == "sqlite" else None
    if kind is None:
        return None
    return f"{path} is on a network drive ({kind}), which SQLite does not support: move it to a disk of this host"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database and changes nothing."""
    with translate_errors(), engines.read_transaction(engine) as connection:
        yield connection


def in_transaction(
    engine: Engine, work: Callable[[Connection, int], T], *, pause: Pause = time.sleep, tries: int = _TRIES
) -> T:
    """What ``work`` gives from one transaction that is committed after it.

    After a deadlock, a serialization failure or a lost connection the whole of it is run again,
    the commit included. ``work`` gets the number of the try: from the second on, the one before
    may have been committed without our hearing of it. A lost server is looked for as long as the
    engine's patience lasts, unless ``tries`` is 1.
    """
    search: _Search | None = None
    lost = False
    for number in count(1):
        try:
            with translate_errors(lost=lost), engines.write_transaction(engine) as connection:
                return work(connection, number)
        except DatabaseError as error:
            cause = error.__cause__
            lost = lost or error_classes.commit_outcome_unknown(cause)
            if search is None and tries > 1 and error_classes.connection_unusable(cause):
                search = _Search(engines.timeout_of(engine), number)
            if not _is_worth_another(cause, search) or (search is None and number >= tries):
                raise
        pause(search.next_pause() if search else _PAUSE_SECONDS * number)
    raise AssertionError("unreachable")  # count never ends


class _Search:
    """A search for a server: when it is over, and how long to pause before each look."""

    def __init__(self, seconds: float, looks: int = 0) -> None:
        self._ends_at = time.monotonic() + seconds
        self._looks = looks

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._ends_at or self._looks >= _MOST_TRIES_TO_FIND

    def next_pause(self) -> float:
        self._looks += 1
        return min(_PAUSE_SECONDS * self._looks, _LONGEST_PAUSE_SECONDS)


def _is_worth_another(cause: BaseException | None, search: _Search | None) -> bool:
    if search is None:
        return error_classes.is_transient(cause)
    # A lock may be held by our own transaction, whose commit nobody has heard of.
    judges = (error_classes.is_transient, error_classes.retry_may_reach_server, error_classes.is_lock_wait)
    return not search.is_over and any(judge(cause) for judge in judges)


@contextmanager
def translate_errors(*, lost: bool = False) -> Iterator[None]:
    """Turns errors of the database layer into ours, in one line and without a statement or secret.

    ``lost`` says that an earlier try may have been committed without our hearing of it.
    """
    try:
        yield
    except (DatabaseSettingError, SchemaError) as error:
        raise UsageError(str(error)) from error
    except SQLAlchemyError as error:
        raise DatabaseError(f"the database failed: {_cause(error)}; {_advice(error, lost=lost)}") from error


def _advice(error: SQLAlchemyError, *, lost: bool) -> str:
    if lost or error_classes.commit_outcome_unknown(error):
        return _UNKNOWN
    return _DAMAGED if error_classes.is_damaged(error) else _ADVICE


def _cause(error: SQLAlchemyError) -> str:
    """The driver's own words, first line only: what follows may quote a statement."""
    original = getattr(error, "orig", None) or error
    words = " ".join(str(part) for part in original.args if isinstance(part, (str, int))) or str(original)
    return " ".join((words.strip().splitlines() or [type(original).__name__])[0].split())
