"""A migration stores the current comments of tables and columns, and changes nothing else."""

from __future__ import annotations

import re

import pytest

from models_db import migrate
from tests.models_db.first_release import create_first_release, first_release_rows
from tests.models_db.interrupted_migrations import OnStatement
from tests.models_db.migrated_schema import execute, table_definitions

OLDER = {
    "postgresql": (
        "COMMENT ON TABLE sync_runs IS 'older words'",
        "COMMENT ON COLUMN credit_history.open_model_pk IS 'older words'",
        "COMMENT ON COLUMN models.model_id IS NULL",
    ),
    "mariadb": (
        "ALTER TABLE sync_runs COMMENT 'older words'",
        (
            "ALTER TABLE credit_history MODIFY open_model_pk INTEGER GENERATED ALWAYS AS"
            " (CASE WHEN valid_to IS NULL THEN model_pk END) STORED COMMENT 'older words'"
        ),
        "ALTER TABLE models MODIFY model_id VARCHAR(255) NOT NULL",
    ),
}

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql", "mariadb"], indirect=True)


@pytest.fixture
def url_with_older_comments(database_kind: str, database_url: str) -> str:
    """A database at head with history, and with comments as an older version of the program had them."""
    create_first_release(database_url)
    migrate.upgrade(database_url)
    execute(database_url, *OLDER[database_kind])
    return database_url


def test_a_migration_stores_the_comments_that_differ(url_with_older_comments: str, migrated_url: str) -> None:
    rows = first_release_rows(url_with_older_comments)
    assert table_definitions(url_with_older_comments) != table_definitions(migrated_url)

    migrate.upgrade(url_with_older_comments)

    assert table_definitions(url_with_older_comments) == table_definitions(migrated_url)
    assert first_release_rows(url_with_older_comments) == rows


def test_only_tables_with_a_different_comment_are_changed(
    url_with_older_comments: str, on_statement: OnStatement
) -> None:
    statements: list[str] = []
    on_statement(statements.append)
    migrate.upgrade(url_with_older_comments)
    first = tables_of(statements)
    statements.clear()
    migrate.upgrade(url_with_older_comments)

    assert (first, tables_of(statements)) == ({"sync_runs", "credit_history", "models"}, set())


def tables_of(statements: list[str]) -> set[str]:
    """The tables whose comments the statements store."""
    found = (re.match(r"(?:COMMENT ON (?:TABLE|COLUMN)|ALTER TABLE) (\w+)", statement) for statement in statements)
    return {match[1] for match in found if match}
