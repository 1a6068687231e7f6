"""Looking on while a migration runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import URL, Engine, event

from models_db import migrate
from models_db.engine import migration_engine
from tests.models_db.interrupted_migration import Watch


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Call a function with every statement that a migration is about to execute."""

    def watching(called: Callable[[str], None]) -> None:
        def engine(url: str | URL, *, create: bool = False) -> Engine:
            made = migration_engine(url, create=create)
            event.listen(made, "before_cursor_execute", lambda *arguments: called(arguments[2]))
            return made

        monkeypatch.setattr(migrate, "migration_engine", engine)

    return watching
