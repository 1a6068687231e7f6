"""The comments of tables and columns in the database follow the code, and nothing else changes with them."""

from __future__ import annotations

import re

import pytest

from models_db import migrate
from tests.models_db.first_release import kept, release
from tests.models_db.interrupted_migration import Watch
from tests.models_db.migrated_schema import described, execute

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
    release(database_url)
    migrate.upgrade(database_url)
    execute(database_url, *OLDER[database_kind])
    return database_url


def test_a_migration_brings_comments_up_to_date(url_with_older_comments: str, migrated_url: str) -> None:
    rows = kept(url_with_older_comments)
    assert described(url_with_older_comments) != described(migrated_url)

    migrate.upgrade(url_with_older_comments)

    assert described(url_with_older_comments) == described(migrated_url)
    assert kept(url_with_older_comments) == rows


def test_comments_that_are_up_to_date_are_not_stored_again(url_with_older_comments: str, watch: Watch) -> None:
    statements: list[str] = []
    watch(statements.append)
    migrate.upgrade(url_with_older_comments)
    first = tables_of(statements)
    statements.clear()
    migrate.upgrade(url_with_older_comments)

    assert (first, tables_of(statements)) == ({"sync_runs", "credit_history", "models"}, set())


def tables_of(statements: list[str]) -> set[str]:
    """The tables whose comments the statements store."""
    found = (re.match(r"(?:COMMENT ON (?:TABLE|COLUMN)|ALTER TABLE) (\w+)", statement) for statement in statements)
    return {match[1] for match in found if match}
