"""The one place that makes an engine. What is special to a database is in the module of its name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, NullPool

from models_db.engine import sqlite
from models_db.engine.sqlite import WRITES
from models_db.engine.timeouts import DEFAULT_TIMEOUT_SECONDS, set_timeout, timeout_of
from models_db.engine.transactions import read_transaction, write_transaction
from models_db.engine.urls import masked_url, normalise_url

__all__ = [
    "DEFAULT_TIMEOUT_SECONDS",
    "WRITES",
    "masked_url",
    "migration_engine",
    "normalise_url",
    "open_engine",
    "read_transaction",
    "timeout_of",
    "write_transaction",
]

_SMALL_POOL = {"pool_size": 1, "max_overflow": 4}


def open_engine(
    url: str | URL, *, create: bool = False, timeout: float = DEFAULT_TIMEOUT_SECONDS, reads_only: bool = False
) -> Engine:
    """Return an engine with a small pool. It connects when it is first used, to the first host that takes writes.

    Every connection uses UTC and refuses values that do not fit their column. A server that sends
    nothing for ``timeout`` seconds counts as unreachable. An SQLite connection enforces foreign keys;
    its file must exist unless ``create`` is set. With ``reads_only`` a standby or a read-only server is used
    when no host takes writes.

    Raises ``DatabaseSettingError`` for a bad URL, a missing driver, file or folder.
    """
    engine = _make_engine(url, create=create, timeout=timeout, options=dict(_SMALL_POOL), reads_only=reads_only)
    set_timeout(engine, timeout)
    return engine


def migration_engine(url: str | URL, *, create: bool = False, timeout: float | None = None) -> Engine:
    """Return an engine for migrations: without a pool, and without foreign keys on SQLite.

    It has no read timeout unless one is given: a statement of a migration may take any time. SQLite rebuilds
    a table by dropping the old one, and enforced foreign keys would then delete the rows that refer to the
    old table.
    """
    return _make_engine(url, create=create, timeout=timeout, options={"poolclass": NullPool}, reads_only=False)


def _make_engine(
    url: str | URL, *, create: bool, timeout: float | None, options: dict[str, Any], reads_only: bool
) -> Engine:
    """Return an engine for one of the three databases; ``timeout`` is None for migrations."""
    url = normalise_url(url) if isinstance(url, str) else url
    if url.get_backend_name() == "sqlite":
        return sqlite.make_engine(url, create=create, timeout=timeout, options=options)
    # Both modules import their driver, which is an optional dependency.
    if url.get_backend_name() == "postgresql":
        from models_db.engine import postgresql

        return postgresql.make_engine(url, timeout=timeout, reads_only=reads_only, options=options)
    from models_db.engine import mariadb

    return mariadb.make_engine(url, timeout=timeout, reads_only=reads_only, options=options)
