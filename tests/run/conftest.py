"""A host and a real price history on each database. After every test the stored history must be consistent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import Engine

from models_db.engine import open_engine
from sync.catalog.guards import GuardSettings
from sync.run.import_ import ImportDependencies, import_responses
from sync.run.result import RunResult
from sync.source.files.jsonl import read_saved_responses
from tests.support.migrated_databases import MigratedDatabases
from tests.support.run_driver import Host
from tests.support.stored_rows_checker import assert_consistent

DATA = Path(__file__).parents[1] / "data"
REAL_HISTORY = DATA / "replay.jsonl.gz"
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def host(engine: Engine) -> Iterator[Host]:
    yield Host(engine)
    assert_consistent(engine)


@pytest.fixture
def real_history(database_kind: str, tmp_path: Path, _migrated: MigratedDatabases) -> Iterator[Engine]:
    """A copy of a database into which the real price history was imported."""
    with ExitStack() as stack:
        engine = open_engine(_migrated.new(database_kind, tmp_path / "catalog.db", stack, _import_real_history))
        stack.callback(engine.dispose)
        yield engine
        assert_consistent(engine)


def _import_real_history(url: str) -> None:
    engine = open_engine(url)
    results = import_file(engine, REAL_HISTORY, "all")
    engine.dispose()
    assert {result.status for result in results if result} == {"success"}


def import_file(engine: Engine, path: Path, accepted: int | Literal["all"] | None = None) -> list[RunResult | None]:
    """Imports a file of saved responses; the result of each line, None for one that was stored before."""
    deps = ImportDependencies(clock=lambda: NOW, app_version="0", guards=GuardSettings(accept_removals=accepted))
    return list(import_responses(engine, read_saved_responses(path), deps))
