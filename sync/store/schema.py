"""Bringing a database to head, with our errors."""

from __future__ import annotations

from models_db import engine as engines
from models_db import migrate
from sync.store.database import PATIENCE_SECONDS, Pause, open_database, translated, when_there

HEAD = migrate.HEAD


def shown(url: str) -> str:
    """The database's address without its password, safe to print. Raises ``UsageError`` for a bad one."""
    with translated():
        return engines.shown(engines.normalise_url(url))


def upgrade(url: str, *, patience: float = PATIENCE_SECONDS, pause: Pause | None = None) -> None:
    """Brings the database to head; makes an SQLite file that is missing.

    With a ``pause`` a server that is away is looked for first, as long as the patience lasts.
    Raises ``UsageError`` where it would touch what is not ours, ``DatabaseError`` when it fails.
    """
    if pause is not None:
        _wait_for(url, patience, pause)
    with translated():
        migrate.upgrade(url)


def _wait_for(url: str, patience: float, pause: Pause) -> None:
    with translated():
        engine = engines.open_engine(url, create=True, patience=patience)
    try:
        if engine.dialect.name != "sqlite":  # a file is there or is made
            when_there(lambda: engine.connect().close(), patience, pause)
    finally:
        engine.dispose()


def require_head(url: str) -> None:
    """Raises ``UsageError`` that names both revisions unless the database is at head."""
    open_database(url).dispose()
