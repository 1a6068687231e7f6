"""Observing the statements of a migration."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import URL, Engine, event

from models_db import migrate
from models_db.engine import migration_engine
from tests.models_db.interrupted_migrations import OnStatement


@pytest.fixture
def on_statement(monkeypatch: pytest.MonkeyPatch) -> OnStatement:
    """Call a function with every statement that a migration is about to execute."""

    def observe(callback: Callable[[str], None]) -> None:
        def observed_engine(url: str | URL, *, create: bool = False, timeout: float | None = None) -> Engine:
            engine = migration_engine(url, create=create, timeout=timeout)
            event.listen(engine, "before_cursor_execute", lambda *arguments: callback(arguments[2]))
            return engine

        monkeypatch.setattr(migrate, "migration_engine", observed_engine)

    return observe
