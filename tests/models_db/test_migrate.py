"""Upgrades and downgrades: by the program and by alembic, at the same time, and interrupted."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from models_db import migrate
from models_db.engine import migration_engine
from models_db.errors import DatabaseSettingError, SchemaError
from models_db.tables.metadata import apply_table_options, metadata
from models_db.views.loader import VIEWS
from tests.models_db.interrupted_migrations import WRITING, Interrupted, OnStatement, interrupt_at
from tests.models_db.migrated_schema import (
    TABLES_AND_VIEWS,
    execute,
    run_alembic,
    table_definitions,
    tables_and_views,
)
from tests.support.commands import ROOT, finished, started


def test_head_is_the_newest_revision() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(migrate.migrations_dir())).get_current_head() == migrate.HEAD


def test_up_down_and_up_again_through_the_program(database_url: str) -> None:
    migrate.upgrade(database_url)
    upgraded = tables_and_views(database_url)
    migrate.downgrade(database_url, "base")
    downgraded = tables_and_views(database_url) - {"sqlite_sequence"}
    migrate.upgrade(database_url)

    assert (upgraded, downgraded) == (TABLES_AND_VIEWS, set())
    assert tables_and_views(database_url) == TABLES_AND_VIEWS


def test_up_down_and_up_again_through_plain_alembic(database_url: str) -> None:
    commands = ("upgrade head", "check", "current", "downgrade base", "upgrade head", "check")
    results = [run_alembic(database_url, *command.split()) for command in commands]

    assert [result.err for result in results if result.code] == []
    assert results[2].out.split() == [migrate.HEAD, "(head)"]
    assert tables_and_views(database_url) == TABLES_AND_VIEWS


def test_metadata_and_migrations_create_the_same_schema(database_url: str, migrated_url: str) -> None:
    """``alembic check`` compares neither check constraints nor collations."""
    apply_table_options()
    metadata.create_all(migration_engine(database_url, create=True))

    assert table_definitions(database_url) == table_definitions(migrated_url)


def test_alembic_takes_the_url_as_an_argument(database_url: str) -> None:
    result = run_alembic("", "-x", f"url={database_url}", "upgrade", "head")

    assert (result.code, tables_and_views(database_url)) == (0, TABLES_AND_VIEWS), result.err


def test_alembic_without_a_url_reports_how_to_give_one() -> None:
    result = run_alembic("", "current")

    expected = "FAILED: the database is not named; set CATALOG_SYNC_DATABASE_URL, or pass -x url=..."
    assert (result.code != 0, result.out.strip()) == (True, expected)


def test_reading_the_revision_creates_no_database(tmp_path: Path) -> None:
    result = run_alembic(f"sqlite:///{tmp_path}/none.db", "current")

    assert result.code != 0
    assert list(tmp_path.iterdir()) == []


def test_a_new_database_has_a_row_of_state_for_each_mode(migrated_url: str) -> None:
    with migration_engine(migrated_url).connect() as connection:
        rows = connection.execute(text("SELECT mode, version FROM sync_state ORDER BY mode")).all()

    assert rows == [("image", 0), ("video", 0)]


def test_a_migration_at_head_writes_nothing(database_url: str, on_statement: OnStatement) -> None:
    migrate.upgrade(database_url)
    seen: list[str] = []
    on_statement(seen.append)

    migrate.upgrade(database_url)

    assert seen
    assert [statement for statement in seen if statement.split()[0] in WRITING] == []


def test_a_migration_interrupted_at_any_statement_can_be_run_again(
    database_url: str, migrated_url: str, on_statement: OnStatement
) -> None:
    """On MariaDB each attempt continues after the last one; elsewhere each starts from an empty database."""
    for number in range(1, 200, 1 if "mariadb" in database_url else 5):
        on_statement(interrupt_at(number))
        try:
            migrate.upgrade(database_url)
        except Interrupted:
            continue
        break

    assert number > len(metadata.tables) + len(VIEWS)
    assert tables_and_views(database_url) == TABLES_AND_VIEWS
    assert table_definitions(database_url) == table_definitions(migrated_url)


def test_a_failed_migration_is_rolled_back_where_ddl_is_transactional(
    database_url: str, on_statement: OnStatement
) -> None:
    on_statement(interrupt_at(20))

    with pytest.raises(Interrupted):
        migrate.upgrade(database_url)

    assert bool(tables_and_views(database_url)) == database_url.startswith("mariadb")


def test_five_processes_can_migrate_at_the_same_time(database_url: str) -> None:
    by_program = ("-c", f"from models_db.migrate import upgrade; upgrade({database_url!r})")
    by_alembic = ("-m", "alembic", "-x", f"url={database_url}", "upgrade", "head")
    with ExitStack() as stack:
        running = [
            stack.enter_context(started(program=program, environ={}))
            for program in (by_program, by_alembic, by_program, by_alembic, by_program)
        ]
        ended = [finished(process) for process in running]

    assert [each.err for each in ended if each.code] == []
    assert tables_and_views(database_url) == TABLES_AND_VIEWS


def test_a_missing_folder_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(DatabaseSettingError, match="the folder of the database does not exist"):
        migrate.upgrade(f"sqlite:///{tmp_path}/none/catalog.db")

    assert list(tmp_path.iterdir()) == []


def test_a_new_sqlite_database_uses_write_ahead_logging(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path}/catalog.db")

    with migration_engine(f"sqlite:///{tmp_path}/catalog.db").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_an_unreachable_database_is_reported_without_its_password() -> None:
    url = "postgresql://u:hunter2@127.0.0.1:1/d"
    with pytest.raises(OperationalError) as failure:
        migrate.upgrade(url)
    by_alembic = run_alembic(url, "upgrade", "head")

    assert "127.0.0.1" in by_alembic.err
    assert "hunter2" not in f"{failure.value}{by_alembic.out}{by_alembic.err}"


def test_rows_that_refer_to_missing_rows_stop_a_migration(tmp_path: Path) -> None:
    """Foreign keys are not enforced during a migration, so they are checked at its end."""
    url = f"sqlite:///{tmp_path}/catalog.db"
    migrate.upgrade(url, "0002")
    execute(url, "INSERT INTO credits (model_pk) VALUES (77)")

    with pytest.raises(SchemaError, match="rows of credits refer to rows that do not exist"):
        migrate.upgrade(url)


def test_a_checkout_has_its_migrations_beside_the_package() -> None:
    assert migrate.migrations_dir() == ROOT / "alembic"
    assert not (ROOT / "alembic" / "__init__.py").exists()
