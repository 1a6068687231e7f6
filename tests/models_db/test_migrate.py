"""Up, down, and up again; side by side, half-way, and on databases that are not ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError

from models_db import migrate
from models_db.base import metadata
from models_db.engine import migration_engine, write_transaction
from models_db.errors import DatabaseSettingError, SchemaError
from models_db.views import VIEWS

ROOT = Path(__file__).parents[2]
OURS = {*metadata.tables, *(view.name for view in VIEWS)}
CHANGING = {"CREATE", "DROP", "INSERT", "DELETE", "UPDATE", "ALTER"}

Watch = Callable[[Callable[[str], None]], None]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Call a function with every statement that a migration is about to execute."""

    def watching(called: Callable[[str], None]) -> None:
        def engine(url: str | URL, *, create: bool = False) -> Engine:
            made = migration_engine(url, create=create)
            event.listen(made, "before_cursor_execute", lambda *arguments: called(arguments[2]))
            return made

        monkeypatch.setattr(migrate, "migration_engine", engine)

    return watching


def contents(url: str) -> set[str]:
    """The tables and views of a database, the version table apart."""
    inspector = inspect(migration_engine(url))
    return {*inspector.get_table_names(), *inspector.get_view_names()} - {migrate.VERSION_TABLE}


def execute(url: str, *statements: str) -> None:
    with write_transaction(migration_engine(url, create=True)) as connection:
        for statement in statements:
            connection.execute(text(statement))


def alembic(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"CATALOG_SYNC_DATABASE_URL": url}
    command = [sys.executable, "-m", "alembic", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


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
    metadata.create_all(migration_engine(database_url, create=True))

    assert described(database_url) == described(migrated_url)


def described(url: str) -> dict[str, list[str]]:
    """Each table of ours in the database's own words."""
    with migration_engine(url).connect() as connection:
        describe = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}[connection.dialect.name]
        return {
            name: sorted(" ".join(str(line).split()) for line in describe(connection, name)) for name in metadata.tables
        }


def _sqlite(connection: Any, table: str) -> list[str]:
    rows = connection.exec_driver_sql(f"SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND sql IS NOT NULL")
    return [part for (sql,) in rows for part in sql.removesuffix("\n)").split(", \n")]


def _mariadb(connection: Any, table: str) -> list[str]:
    (_, sql) = connection.exec_driver_sql(f"SHOW CREATE TABLE {table}").one()
    return [line.rstrip(",") for line in sql.splitlines()]


def _postgresql(connection: Any, table: str) -> list[str]:
    queries = (
        f"""SELECT attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation, attgenerated,
            pg_get_expr(adbin, adrelid), col_description(attrelid, attnum) FROM pg_attribute
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = '{table}'::regclass AND attnum > 0""",
        f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{table}'::regclass",
        f"SELECT indexdef FROM pg_indexes WHERE tablename = '{table}'",
        f"SELECT obj_description('{table}'::regclass)",
    )
    return [row for query in queries for row in connection.exec_driver_sql(query)]


def test_alembic_takes_the_url_as_an_argument(database_url: str) -> None:
    result = alembic("", "-x", f"url={database_url}", "upgrade", "head")

    assert (result.returncode, contents(database_url)) == (0, OURS), result.stderr


def test_alembic_without_a_database_says_how_to_name_one() -> None:
    result = alembic("", "current")

    expected = "FAILED: no database named: set CATALOG_SYNC_DATABASE_URL, or pass -x url=..."
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


class Halt(Exception):
    """The process dies here."""


def halt_at(number: int) -> Callable[[str], None]:
    """Fails before the statement of this number that changes anything."""
    passed = 0

    def count(statement: str) -> None:
        nonlocal passed
        passed += statement.split(maxsplit=1)[0] in CHANGING
        if passed == number:
            raise Halt

    return count


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


@pytest.mark.parametrize("statement", ["CREATE TABLE models (a INTEGER)", "CREATE VIEW v_sync_runs AS SELECT 1 AS a"])
def test_a_database_with_a_table_or_view_of_that_name_is_refused_untouched(database_url: str, statement: str) -> None:
    execute(database_url, statement)
    name = statement.split()[2]

    with pytest.raises(SchemaError, match=rf"already has {name}, not made by catalog-sync"):
        migrate.upgrade(database_url)

    assert contents(database_url) == {name}
    assert not inspect(migration_engine(database_url)).has_table(migrate.VERSION_TABLE)


def test_tables_of_others_are_left_alone(database_url: str) -> None:
    execute(database_url, "CREATE TABLE theirs (a INTEGER)")

    migrate.upgrade(database_url)

    assert contents(database_url) == {*OURS, "theirs"}
    assert alembic(database_url, "check").returncode == 0


def test_a_database_never_migrated_is_not_at_head(database_url: str) -> None:
    execute(database_url, "SELECT 1")

    with pytest.raises(SchemaError, match=rf"revision none, .* needs {migrate.HEAD}: run catalog-sync migrate"):
        migrate.require_head(migration_engine(database_url))


def set_revision(url: str, revision: str) -> None:
    execute(url, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '{revision}'")


def test_a_database_at_an_older_revision_is_not_at_head(database_url: str) -> None:
    migrate.upgrade(database_url)
    set_revision(database_url, "0000")

    with pytest.raises(SchemaError, match=rf"revision 0000, .* needs {migrate.HEAD}: run catalog-sync migrate"):
        migrate.require_head(migration_engine(database_url))


def test_a_database_at_a_newer_revision_asks_for_a_newer_program(database_url: str) -> None:
    migrate.upgrade(database_url)
    set_revision(database_url, "9999")

    for look in (migrate.require_head, lambda engine: migrate.upgrade(engine.url)):
        with pytest.raises(SchemaError, match=rf"9999.* none after {migrate.HEAD}: install a newer catalog-sync"):
            look(migration_engine(database_url))


def test_a_database_at_head_is_fine(migrated_url: str) -> None:
    migrate.require_head(migration_engine(migrated_url))


def test_an_unknown_revision_is_one_line(migrated_url: str) -> None:
    with pytest.raises(SchemaError, match=r"^the migration cannot be run: [^\n]*nonsense[^\n]*$"):
        migrate.upgrade(migrated_url, "nonsense")


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

    with pytest.raises(SchemaError, match="rows of credits without what they refer to"):
        migrate.upgrade(url)


def test_the_room_of_a_checkout_is_beside_the_package() -> None:
    assert migrate.migrations_dir() == ROOT / "alembic"
    assert not (ROOT / "alembic" / "__init__.py").exists()
