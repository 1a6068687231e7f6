"""The database is migrated by a newer program while a run is at work: the run stores nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from models_db import migrate
from models_db.engine import migration_engine, open_engine
from sync.errors import UsageError
from sync.run.import_ import ImportDependencies, import_responses
from sync.source.files.jsonl import SavedResponse
from tests.support.made_responses import body, model
from tests.support.run_driver import Host, column, dump

BUMP = f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"
MOVED = (
    "the run was not stored: the database was migrated to revision 9999 during the run,"
    f" and this program needs {migrate.HEAD}; run again with"
)
HISTORY = ("models", "credits", "model_versions", "credit_history", "catalog_changes", "sync_state", "calendar_days")


@pytest.fixture
def migrating(database_url: str) -> Iterator[Host]:
    """A host on a separate database that has history."""
    migrate.upgrade(database_url)
    engine = open_engine(database_url)
    host = Host(engine)
    host.sync([model("a")], [model("v")])
    yield host
    engine.dispose()


def history(engine: Engine) -> dict[str, Any]:
    rows = dump(engine)
    return {name: rows[name] for name in HISTORY}


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("cost", [3, 4])
def test_a_run_that_fetched_before_a_migration_stores_nothing_after_it(migrating: Host, cost: int) -> None:
    """Also when nothing changed: the run would count as a successful sync of the new schema."""
    before = history(migrating.engine)
    migrating.meanwhile = lambda: execute(migrating.engine, BUMP)

    with pytest.raises(UsageError, match=MOVED):
        migrating.sync([model("a", cost=cost)], [model("v")])

    assert history(migrating.engine) == before
    assert column(migrating.engine, "sync_runs.status", "error_type") == [("success", None), ("failed", "UsageError")]


def test_an_import_stops_at_the_line_after_a_migration(migrating: Host) -> None:
    def lines() -> Iterator[SavedResponse]:
        for number in (1, 2, 3):
            at = migrating.now.replace(day=20 + number)
            yield SavedResponse("responses", number, at, {"image": body("image", [model("a", cost=number)])})
            if number == 2:
                execute(migrating.engine, BUMP)

    deps = ImportDependencies(clock=lambda: migrating.now.replace(month=4), app_version="0")
    with pytest.raises(UsageError, match=f"responses line 3: {MOVED}"):
        list(import_responses(migrating.engine, lines(), deps))

    assert column(migrating.engine, "sync_runs.trigger_kind") == ["cli", "import", "import"]


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
def test_a_run_that_waits_for_a_migration_notices_it(migrating: Host) -> None:
    """MariaDB commits each DDL statement at once, so there a run has nothing to wait for."""
    before = history(migrating.engine)
    changed = threading.Event()

    def newer_program() -> None:
        with migration_engine(migrating.engine.url).begin() as connection:
            connection.exec_driver_sql("ALTER TABLE credit_history ADD COLUMN newer INTEGER")
            connection.exec_driver_sql(BUMP)
            changed.set()
            time.sleep(0.5)  # time for the run to reach the lock and wait

    thread = threading.Thread(target=newer_program)

    def meanwhile() -> None:
        thread.start()
        assert changed.wait(30)

    migrating.meanwhile = meanwhile
    with pytest.raises(UsageError, match=MOVED):
        migrating.sync([model("a", cost=4)], [model("v")])
    thread.join()

    assert history(migrating.engine) == before
