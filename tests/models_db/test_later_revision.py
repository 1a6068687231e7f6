"""A later revision: history, views and grants of a database in use are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from models_db import migrate
from models_db.engine import migration_engine, write_transaction
from models_db.errors import SchemaError
from models_db.views.loader import VIEWS
from tests.models_db.newer_program import CURRENT, NEXT, add_revision

# On SQLite this revision rebuilds the table that all history refers to.
REVISION = """
def upgrade() -> None:
    with op.batch_alter_table("models", recreate="auto") as models:
        models.add_column(sa.Column("extra", sa.Integer()))
        models.alter_column("fingerprint", existing_type=sa.String(80), type_=sa.String(90))


def downgrade() -> None:
    with op.batch_alter_table("models") as models:
        models.drop_column("extra")
"""
HISTORY = (
    """INSERT INTO sync_runs (run_id, started_at, status, trigger_kind, app_version)
        VALUES (1, '2026-03-03 10:00:00.000000', 'success', 'cli', '1')""",
    """INSERT INTO models (model_pk, mode, model_id, first_seen_at)
        VALUES (1, 'image', 'a', '2026-03-03 10:00:00.000000')""",
    """INSERT INTO credit_history (model_pk, valid_from, opened_run_id, default_cost, default_cost_exact)
        VALUES (1, '2026-03-03 10:00:00.000000', 1, 1.5, '1.5')""",
)
ASK = "SELECT model_id, credit_cost_exact, is_current FROM v_credit_cost_history"


@pytest.fixture
def older_url(database_url: str) -> str:
    """A database at the current head, with history."""
    migrate.upgrade(database_url)
    execute(database_url, *HISTORY)
    return database_url


@pytest.fixture
def newer_program(older_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program has one more revision for the rest of the test."""
    add_revision(REVISION, tmp_path, monkeypatch)


def execute(url: str, *statements: str) -> None:
    with write_transaction(migration_engine(url)) as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.usefixtures("newer_program")
def test_history_and_views_are_kept(older_url: str) -> None:
    """With enforced foreign keys, dropping the old table on SQLite would delete the history."""
    migrate.upgrade(older_url)

    with migration_engine(older_url).connect() as connection:
        assert "extra" in {column["name"] for column in inspect(connection).get_columns("models")}
        assert set(inspect(connection).get_view_names()) == {view.name for view in VIEWS}
        assert connection.execute(text(ASK)).all() == [("a", "1.5", 1)]


@pytest.mark.usefixtures("newer_program")
def test_the_newer_program_requires_the_newer_revision(older_url: str) -> None:
    with pytest.raises(
        SchemaError, match=f"at revision {CURRENT}, this program needs {NEXT}; run catalog-sync migrate"
    ):
        migrate.require_head(migration_engine(older_url))


@pytest.mark.usefixtures("newer_program")
def test_a_view_of_a_user_stops_the_migration_before_any_change(older_url: str) -> None:
    execute(older_url, "CREATE VIEW my_prices AS SELECT model_id FROM v_current_catalog")

    with pytest.raises(SchemaError, match="my_prices"):
        migrate.upgrade(older_url)

    with migration_engine(older_url).connect() as connection:
        assert migrate.current_revision(connection) == CURRENT
        assert len(inspect(connection).get_view_names()) == len(VIEWS) + 1


@pytest.mark.usefixtures("newer_program")
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_reader_keeps_its_grant(older_url: str) -> None:
    execute(older_url, "GRANT SELECT ON v_credit_cost_history TO PUBLIC")

    migrate.upgrade(older_url)

    granted = text("SELECT COUNT(*) FROM pg_class, aclexplode(relacl) WHERE relname = :view AND grantee = 0")
    with migration_engine(older_url).connect() as connection:
        assert connection.scalar(granted, {"view": "v_credit_cost_history"}) == 1


@pytest.mark.usefixtures("newer_program")
def test_a_downgrade_below_head_leaves_no_views(older_url: str) -> None:
    migrate.upgrade(older_url)
    migrate.downgrade(older_url, CURRENT)

    with migration_engine(older_url).connect() as connection:
        assert migrate.current_revision(connection) == CURRENT
        assert inspect(connection).get_view_names() == []
