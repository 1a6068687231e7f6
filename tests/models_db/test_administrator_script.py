"""The SQL script that alembic writes for an administrator, on a new database and on one with history."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import create_engine

from models_db import migrate
from models_db.engine import migration_engine, open_engine, read_transaction
from sync.store.verify.read_models import Verification
from tests.models_db.first_release import FIRST_REVISION, create_first_release, first_release_rows
from tests.models_db.migrated_schema import TABLES_AND_VIEWS, execute, run_alembic, tables_and_views
from tests.support.database_contents import query_rows

BASE_URL = "https://example.org"
STATES = "SELECT mode, base_url, models_listed FROM sync_state ORDER BY mode"
OPEN_GAPS = (
    "SELECT COUNT(*) FROM models WHERE removed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM credit_history"
    " WHERE credit_history.model_pk = models.model_pk AND gap_to > '9999-01-01')"
)


def run_script(url: str, revisions: str) -> None:
    script = run_alembic(url, "upgrade", revisions, "--sql").out
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    execute(url, "SELECT 1")
    engine = create_engine(url)
    with closing(engine.raw_connection()) as connection:
        for statement in "\n".join(lines).split(";\n"):
            if statement.strip():
                connection.cursor().execute(statement)
        connection.commit()
        connection.detach()
    engine.dispose()


def test_a_script_for_an_administrator_creates_the_same_schema(database_url: str) -> None:
    run_script(database_url, "head")

    assert tables_and_views(database_url) == TABLES_AND_VIEWS
    assert run_alembic(database_url, "check").code == 0


def test_a_script_for_an_administrator_keeps_the_history(database_url: str) -> None:
    create_first_release(database_url)
    before = first_release_rows(database_url)
    run_script(database_url, f"{FIRST_REVISION}:head")

    assert first_release_rows(database_url) == before
    with migration_engine(database_url).connect() as connection:
        assert migrate.current_revision(connection) == migrate.HEAD
    migrate.upgrade(database_url)
    engine = open_engine(database_url)
    with read_transaction(engine) as connection:
        assert list(Verification(connection).findings()) == []
    engine.dispose()
    assert query_rows(database_url, STATES) == [
        ("image", "https://example.org", 8),
        ("video", "https://example.org", 1),
    ]
    assert ("removals",) in query_rows(database_url, "SELECT hold_reason FROM sync_run_modes WHERE is_good = 0")
    assert query_rows(database_url, OPEN_GAPS) == [(0,)]
