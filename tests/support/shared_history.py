"""A database with a history that many tests damage: each damage is rolled back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from models_db.engine import migration_engine, open_engine
from models_db.migrate import upgrade
from tests.support import database_servers
from tests.support.run_driver import Host
from tests.support.stored_rows_checker import assert_consistent

CHECKS_OFF = {
    "sqlite": "PRAGMA ignore_check_constraints = ON",
    "postgresql": "SET LOCAL session_replication_role = replica; ALTER TABLE rejected_models"
    " DROP CONSTRAINT ck_rejected_models_forward, DROP CONSTRAINT ck_rejected_models_closed_by_a_run",
    "mariadb": "SET foreign_key_checks = 0, check_constraint_checks = 0",
}
"""What lets a transaction write rows that break the constraints of the schema."""


@contextmanager
def shared_history(kind: str, folder: Path, make: Callable[[Host], None]) -> Iterator[Engine]:
    """An engine without the program's settings, on a new database with a history, which is consistent."""
    reason = database_servers.missing(kind)
    if reason and kind in database_servers.required():
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)
    with ExitStack() as stack:
        url = URL.create("sqlite", database=str(folder / "catalog.db"))
        if kind != "sqlite":
            server = database_servers.server_url(kind, Path(os.environ["CATALOG_SYNC_TEST_SERVERS_FOLDER"]))
            url = stack.enter_context(database_servers.new_database(server))
        upgrade(url)
        engine = open_engine(url)
        make(Host(engine))
        assert_consistent(engine)
        engine.dispose()
        unguarded = migration_engine(url)  # no foreign keys on SQLite
        yield unguarded
        unguarded.dispose()
