"""The door to the database: opening it, and transactions that are run again when that can help.

Whatever the database layer raises leaves this package as an error of ``sync.errors``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from models_db import engine as engines
from models_db import migrate
from models_db.errors import DatabaseSettingError, SchemaError
from sync.errors import DatabaseError, UsageError

__all__ = ["Connection", "Engine", "in_transaction", "open_database", "reading", "translated"]

T = TypeVar("T")

# After a deadlock: the first try and three more.
_TRIES = 4
_TRIES_TO_FIND = 14  # some ten seconds, for a server that is being started again
_PAUSE_SECONDS = 0.1
_UNKNOWN = "whether this step was stored is not known: ask catalog-sync status when it runs again"
_ADVICE = "nothing of this step was stored; see that it runs and CATALOG_SYNC_DATABASE_URL is right, then run again"


def open_database(url: str) -> Engine:
    """An engine for a database that is at the revision this program needs.

    Raises ``UsageError`` for a setting or schema that is not right, ``DatabaseError`` when the
    database does not answer.
    """
    with translated():
        engine = engines.open_engine(url)
        try:
            migrate.require_head(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database and changes nothing."""
    with translated(), engines.read_transaction(engine) as connection:
        yield connection


def in_transaction(
    engine: Engine, work: Callable[[Connection, int], T], *, pause: Callable[[float], None] = time.sleep
) -> T:
    """What ``work`` gives from one transaction that is committed after it.

    After a deadlock, a serialization failure or a lost connection the whole of it is run again,
    the commit included. ``work`` gets the number of the try: from the second on, the one before
    may have been committed without our hearing of it. A lost server is looked for some seconds.
    """
    lost = False
    for number in count(1):
        try:
            with translated(lost=lost), engines.write_transaction(engine) as connection:
                return work(connection, number)
        except DatabaseError as error:
            cause = error.__cause__
            lost = lost or engines.is_lost(cause)
            if number >= (_TRIES_TO_FIND if lost else _TRIES) or not _is_worth_another(cause, lost=lost):
                raise
        pause(_PAUSE_SECONDS * number)
    raise AssertionError("unreachable")  # count never ends


def _is_worth_another(cause: BaseException | None, *, lost: bool) -> bool:
    return engines.is_transient(cause) or (lost and engines.is_unreachable(cause))


@contextmanager
def translated(*, lost: bool = False) -> Iterator[None]:
    """Turns errors of the database layer into ours, in one line and without a statement or secret.

    ``lost`` says that an earlier try may have been committed without our hearing of it.
    """
    try:
        yield
    except (DatabaseSettingError, SchemaError) as error:
        raise UsageError(str(error)) from error
    except SQLAlchemyError as error:
        unknown = lost or engines.is_lost(error)
        raise DatabaseError(f"the database failed: {_cause(error)}; {_UNKNOWN if unknown else _ADVICE}") from error


def _cause(error: SQLAlchemyError) -> str:
    """The driver's own words, first line only: what follows may quote a statement."""
    original = getattr(error, "orig", None) or error
    words = " ".join(str(part) for part in original.args if isinstance(part, (str, int))) or str(original)
    return " ".join((words.strip().splitlines() or [type(original).__name__])[0].split())
