"""An API on loopback whose catalog the test chooses, and a database of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sync.api import SyncResult, sync_once
from sync.source.emulator.server import Catalog, Emulator
from tests.support.api_address import emulator
from tests.support.migrated_databases import MigratedDatabases
from tests.support.secrets_search import KEY

SyncFrom: TypeAlias = Callable[..., SyncResult]


@pytest.fixture
def sqlite_url(tmp_path: Path, _migrated: MigratedDatabases) -> str:
    """An SQLite database at head, for tests that do not depend on the kind of database."""
    with ExitStack() as nothing_to_close:
        return _migrated.new("sqlite", tmp_path / "catalog.db", nothing_to_close)


@pytest.fixture
def serve() -> Iterator[Callable[..., Emulator]]:
    """Makes an API that serves these catalogs, each at its step."""
    with ExitStack() as servers:

        def start(*catalogs: Catalog) -> Emulator:
            return servers.enter_context(emulator(catalogs, stepping="manual"))

        yield start


def sync_from(api: Emulator, url: str, **arguments: Any) -> SyncResult:
    """One sync from an API, with a key that it takes."""
    return sync_once(url, **{"api_key": KEY, "base_url": api.base_url, **arguments})
