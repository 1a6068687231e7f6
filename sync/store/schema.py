"""Bringing a database to head, with our errors."""

from __future__ import annotations

from models_db import engine as engines
from models_db import migrate
from sync.store.database import Pause, open_database, retry_until_available, storage_warning, translate_errors

HEAD = migrate.HEAD


def masked_url(url: str) -> str:
    """The database's address without its password, safe to print. Raises ``UsageError`` for a bad one."""
    with translate_errors():
        return engines.masked_url(engines.normalise_url(url))


def upgrade(url: str) -> None:
    """Brings the database to head; makes an SQLite file that is missing.

    Raises ``UsageError`` where it would touch what is not ours, ``DatabaseError`` when it fails.
    """
    with translate_errors():
        migrate.upgrade(url)


def wait_for(url: str, timeout: float, pause: Pause) -> None:
    """Returns when the database's server is there. Raises ``DatabaseError`` when it does not come in time."""
    with translate_errors():
        engine = engines.open_engine(url, create=True, timeout=timeout)
    try:
        if engine.dialect.name != "sqlite":  # its file is there or is made
            retry_until_available(lambda: engine.connect().close(), timeout, pause)
    finally:
        engine.dispose()


def storage_warning_for(url: str) -> str | None:
    """What a user should know of where a database at head is; None when all is well."""
    engine = open_database(url)
    engine.dispose()
    return storage_warning(engine)


def require_head(url: str) -> None:
    """Raises ``UsageError`` that names both revisions unless the database is at head."""
    open_database(url).dispose()
