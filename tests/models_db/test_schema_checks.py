"""Databases that are not at head, and databases with tables that catalog-sync did not create."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect

from models_db import migrate
from models_db.engine import migration_engine
from models_db.errors import SchemaError
from tests.models_db.migrated_schema import TABLES_AND_VIEWS, execute, run_alembic, tables_and_views


@pytest.mark.parametrize("statement", ["CREATE TABLE models (a INTEGER)", "CREATE VIEW v_sync_runs AS SELECT 1 AS a"])
def test_a_database_with_a_table_or_view_of_the_same_name_is_not_changed(database_url: str, statement: str) -> None:
    execute(database_url, statement)
    name = statement.split()[2]

    with pytest.raises(SchemaError, match=rf"already has {name}, not made by catalog-sync"):
        migrate.upgrade(database_url)

    assert tables_and_views(database_url) == {name}
    assert not inspect(migration_engine(database_url)).has_table(migrate.VERSION_TABLE)


def test_other_tables_are_not_changed(database_url: str) -> None:
    execute(database_url, "CREATE TABLE other (a INTEGER)")

    migrate.upgrade(database_url)

    assert tables_and_views(database_url) == {*TABLES_AND_VIEWS, "other"}
    assert run_alembic(database_url, "check").code == 0


def test_a_database_that_was_never_migrated_is_not_at_head(database_url: str) -> None:
    execute(database_url, "SELECT 1")

    with pytest.raises(SchemaError, match=r"there is no catalog in .*; run catalog-sync migrate once"):
        migrate.require_head(migration_engine(database_url))


def set_revision(url: str, revision: str) -> None:
    execute(url, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '{revision}'")


def test_a_database_at_an_older_revision_is_not_at_head(database_url: str) -> None:
    migrate.upgrade(database_url)
    set_revision(database_url, "0000")

    with pytest.raises(SchemaError, match=rf"revision 0000, .* needs {migrate.HEAD}; run catalog-sync migrate"):
        migrate.require_head(migration_engine(database_url))


def test_a_database_at_a_newer_revision_requires_a_newer_program(database_url: str) -> None:
    migrate.upgrade(database_url)
    set_revision(database_url, "9999")

    for check in (migrate.require_head, lambda engine: migrate.upgrade(engine.url)):
        with pytest.raises(SchemaError, match=rf"9999.* none after {migrate.HEAD}; install a newer catalog-sync"):
            check(migration_engine(database_url))


def test_a_database_at_head_is_accepted(migrated_url: str) -> None:
    migrate.require_head(migration_engine(migrated_url))


def test_an_unknown_revision_is_reported_in_one_line(migrated_url: str) -> None:
    with pytest.raises(SchemaError, match=r"^the migration failed: [^\n]*nonsense[^\n]*$"):
        migrate.upgrade(migrated_url, "nonsense")
