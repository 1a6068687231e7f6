"""Up, down, and up again; from a checkout and from the program, side by side, and half-way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from models_db import migrate
from models_db.engine import migration_engine
from models_db.errors import DatabaseSettingError, SchemaError
from models_db.tables.metadata import apply_table_options, metadata
from models_db.views.loader import VIEWS
from tests.models_db.interrupted_migration import CHANGING, Halt, Watch, halt_at
from tests.models_db.migrated_schema import OURS, ROOT, alembic, contents, described, execute


def test_head_is_the_newest_revision() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(migrate.migrations_dir())).get_current_head() == migrate.HEAD


def test_up_down_and_up_again_through_the_program(database_url: str) -> None:
    migrate.upgrade(database_url)
    first = contents(database_url)
    migrate.downgrade(database_url, "base")
    between = contents(database_url)
    migrate.upgrade(database_url)

    assert (first, between - {"sqlite_sequence"}, contents(database_url)) == (OURS, set(), OURS)


def test_up_down_and_up_again_through_plain_alembic(database_url: str) -> None:
    commands = ("upgrade head", "check", "current", "downgrade base", "upgrade head", "check")
    results = [alembic(database_url, *command.split()) for command in commands]

    assert [result.stderr for result in results if result.returncode] == []
    assert results[2].stdout.split() == [migrate.HEAD, "(head)"]
    assert contents(database_url) == OURS


def test_models_and_migrations_make_the_same(database_url: str, migrated_url: str) -> None:
    """Alembic's own check looks neither at check constraints nor at collations; this does."""
    apply_table_options()
    metadata.create_all(migration_engine(database_url, create=True))

    assert described(database_url) == described(migrated_url)


def test_alembic_takes_the_url_as_an_argument(database_url: str) -> None:
    result = alembic("", "-x", f"url={database_url}", "upgrade", "head")

    assert (result.returncode, contents(database_url)) == (0, OURS), result.stderr


def test_alembic_without_a_database_says_how_to_name_one() -> None:
    result = alembic("", "current")

    expected = "FAILED: the database is not named: set CATALOG_SYNC_DATABASE_URL, or pass -x url=..."
    assert (result.returncode != 0, result.stdout.strip()) == (True, expected)


def test_looking_makes_no_database(tmp_path: Path) -> None:
    result = alembic(f"sqlite:///{tmp_path}/none.db", "current")

    assert result.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_a_script_for_an_administrator_makes_the_same(database_url: str) -> None:
    script = alembic(database_url, "upgrade", "head", "--sql")
    lines = [line for line in script.stdout.splitlines() if not line.startswith("--")]
    execute(database_url, "SELECT 1")

    connection = create_engine(database_url).raw_connection()
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip():
            connection.cursor().execute(statement)
    connection.commit()
    connection.detach()
    connection.close()

    assert contents(database_url) == OURS
    assert alembic(database_url, "check").returncode == 0


def test_the_seed_is_a_row_of_state_for_each_mode(migrated_url: str) -> None:
    with migration_engine(migrated_url).connect() as connection:
        rows = connection.execute(text("SELECT mode, version FROM sync_state ORDER BY mode")).all()

    assert rows == [("image", 0), ("video", 0)]


def test_migrating_what_is_at_head_writes_nothing(database_url: str, watch: Watch) -> None:
    migrate.upgrade(database_url)
    seen: list[str] = []
    watch(seen.append)

    migrate.upgrade(database_url)

    assert seen
    assert [statement for statement in seen if statement.split()[0] in CHANGING] == []


def test_a_migration_that_fails_at_any_statement_can_be_run_again(
    database_url: str, migrated_url: str, watch: Watch
) -> None:
    """Each try gets further: on MariaDB by one statement from where the last one died, elsewhere from nothing."""
    for number in range(1, 200, 1 if "mariadb" in database_url else 5):
        watch(halt_at(number))
        try:
            migrate.upgrade(database_url)
        except Halt:
            continue
        break

    assert number > len(metadata.tables) + len(VIEWS)
    assert contents(database_url) == OURS
    assert described(database_url) == described(migrated_url)


def test_a_failed_migration_leaves_no_trace_where_ddl_is_transactional(database_url: str, watch: Watch) -> None:
    watch(halt_at(20))

    with pytest.raises(Halt):
        migrate.upgrade(database_url)

    assert bool(contents(database_url)) == database_url.startswith("mariadb")


def test_five_processes_at_once_end_well(database_url: str) -> None:
    program = f"from models_db.migrate import upgrade; upgrade({database_url!r})"
    by_program = [sys.executable, "-c", program]
    by_alembic = [sys.executable, "-m", "alembic", "-x", f"url={database_url}", "upgrade", "head"]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in [by_program, by_alembic] * 2 + [by_program]
    ]
    failed = [errors for process in running for _, errors in [process.communicate(timeout=60)] if process.returncode]

    assert failed == []
    assert contents(database_url) == OURS


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseSettingError, match="the folder of the database does not exist"):
        migrate.upgrade(f"sqlite:///{tmp_path}/none/catalog.db")

    assert list(tmp_path.iterdir()) == []


def test_a_new_sqlite_database_uses_write_ahead_logging(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path}/catalog.db")

    with migration_engine(f"sqlite:///{tmp_path}/catalog.db").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    url = "postgresql://u:hunter2@127.0.0.1:1/d"
    with pytest.raises(OperationalError) as failure:
        migrate.upgrade(url)
    by_alembic = alembic(url, "upgrade", "head")

    assert "127.0.0.1" in by_alembic.stderr
    assert "hunter2" not in f"{failure.value}{by_alembic.stdout}{by_alembic.stderr}"


def test_rows_left_without_what_they_refer_to_stop_a_migration(tmp_path: Path) -> None:
    """Foreign keys are not enforced while tables are rebuilt, so they are checked at the end."""
    url = f"sqlite:///{tmp_path}/catalog.db"
    migrate.upgrade(url)
    execute(url, "INSERT INTO credits (model_pk) VALUES (77)")

    with pytest.raises(SchemaError, match="rows of credits refer to rows that do not exist"):
        migrate.upgrade(url)


def test_the_room_of_a_checkout_is_beside_the_package() -> None:
    assert migrate.migrations_dir() == ROOT / "alembic"
    assert not (ROOT / "alembic" / "__init__.py").exists()
