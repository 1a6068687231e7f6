"""Bringing a database to head, with our errors."""

from __future__ import annotations

from models_db import engine as engines
from models_db import migrate
from sync.store.database import Pause, open_database, remark, translated, when_there

HEAD = migrate.HEAD


def shown(url: str) -> str:
    """The database's address without its password, safe to print. Raises ``UsageError`` for a bad one."""
    with translated():
        return engines.shown(engines.normalise_url(url))


def upgrade(url: str) -> None:
    """Brings the database to head; makes an SQLite file that is missing.

    Raises ``UsageError`` where it would touch what is not ours, ``DatabaseError`` when it fails.
    """
    with translated():
        migrate.upgrade(url)


def wait_for(url: str, patience: float, pause: Pause) -> None:
    """Returns when the database's server is there. Raises ``DatabaseError`` when it does not come in time."""
    with translated():
        engine = engines.open_engine(url, create=True, patience=patience)
    try:
        if engine.dialect.name != "sqlite":  # its file is there or is made
            when_there(lambda: engine.connect().close(), patience, pause)
    finally:
        engine.dispose()


def remark_on(url: str) -> str | None:
    """What a user should know of where a database at head is; None when all is well."""
    engine = open_database(url)
    engine.dispose()
    return remark(engine)


def require_head(url: str) -> None:
    """Raises ``UsageError`` that names both revisions unless the database is at head."""
    open_database(url).dispose()
