"""An SQLite database for tests that do not depend on the kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models_db.engine import open_engine
from tests.cli.conftest import Shell, shell, sqlite_url

__all__ = ["Shell", "shell", "sqlite_url"]  # pytest finds a fixture where it is imported


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()
