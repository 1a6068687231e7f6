"""Faults H7, H10, H11 and H13: locks of others, settings and default engine of a server, schemas and rights."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url

from models_db import migrate
from models_db.engine import migration_engine, normalise_url, open_engine
from models_db.migrate import upgrade
from tests.cli.conftest import Shell
from tests.faults.conftest import on_mariadb, on_postgresql
from tests.models_db.migrated_schema import run_alembic
from tests.support.commands import error_line, output
from tests.support.own_database_server import Server
from tests.support.synced_database import LISTED, SyncedDatabase, image

LOCKS = {
    "postgresql": f"SELECT pg_advisory_lock({migrate._POSTGRESQL_LOCK})",
    "mariadb": "SELECT GET_LOCK(CONCAT('catalog-sync ', MD5(DATABASE())), 0)",
    "sqlite": "BEGIN IMMEDIATE",
}


def administrator(url: str) -> Engine:
    plain = make_url(url).set(drivername=normalise_url(url).drivername)
    return create_engine(plain, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def execute(url: str, *statements: str) -> None:
    with administrator(url).connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_h7_at_head_nobody_waits_for_the_lock_of_a_migration(
    synced: SyncedDatabase, database_kind: str, shell: Shell
) -> None:
    with administrator(synced.url).connect() as other:
        other.exec_driver_sql(LOCKS[database_kind])
        output(shell("migrate"))
        if database_kind != "sqlite":  # there the lock is that of every writer
            output(synced.sync("--migrate", image=image(LISTED[1:])))
        other.exec_driver_sql("ROLLBACK" if database_kind == "sqlite" else "SELECT 1")


SETTINGS = {
    "sql_select_limit": ("10", "18446744073709551615"),
    "max_join_size": ("1", "18446744073709551615"),
    "sql_big_selects": ("0", "1"),
    "sql_safe_updates": ("1", "0"),
    "sql_auto_is_null": ("1", "0"),
    "check_constraint_checks": ("0", "1"),
    "foreign_key_checks": ("0", "1"),
    "div_precision_increment": ("0", "4"),
    "completion_type": ("2", "0"),
}


@on_mariadb
def test_h10_limits_and_checks_of_the_server_change_nothing(synced_own_server: SyncedDatabase) -> None:
    server = administrator(synced_own_server.url)
    with server.connect() as connection:
        for name, (value, _) in SETTINGS.items():
            connection.exec_driver_sql(f"SET GLOBAL {name} = {value}")
        try:
            synced_own_server.succeeds(image=image(LISTED[1:]))
        finally:
            for name, (_, value) in SETTINGS.items():
                connection.exec_driver_sql(f"SET GLOBAL {name} = {value}")


@on_postgresql
def test_h10_backslashes_are_letters_whatever_the_database_says(synced_own_server: SyncedDatabase) -> None:
    name = make_url(synced_own_server.url).database
    execute(synced_own_server.url, f"ALTER DATABASE {name} SET standard_conforming_strings = off")

    engine = open_engine(synced_own_server.url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(r"SELECT length('\n')").scalar() == 2
    engine.dispose()
    synced_own_server.succeeds(image=image(LISTED[1:]))


@on_mariadb
def test_h11_every_table_is_innodb_whatever_the_default_engine(own_server: Server, shell: Shell) -> None:
    name = f"engines_{uuid4().hex[:8]}"
    own_server.execute(f"CREATE DATABASE {name}", "SET GLOBAL default_storage_engine = MyISAM")
    url = own_server.url.set(database=name, drivername="mariadb").render_as_string()
    try:
        upgrade(url, "0002")
        execute(url, f"ALTER TABLE {migrate.VERSION_TABLE} ENGINE = MyISAM")  # as an older program made it
        upgrade(url)
        with administrator(url).connect() as connection:
            engines = connection.exec_driver_sql(
                "SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = DATABASE()"
                " AND table_type = 'BASE TABLE'"
            )
            assert [*engines.scalars()] == ["InnoDB"]
    finally:
        own_server.execute("SET GLOBAL default_storage_engine = InnoDB", f"DROP DATABASE {name}")


@on_mariadb
def test_h11_the_script_for_an_administrator_sets_the_engine(database_url: str) -> None:
    script = run_alembic(database_url, "upgrade", "head", "--sql").out.splitlines()

    assert script.index("SET SESSION default_storage_engine = InnoDB;") < next(
        number for number, line in enumerate(script) if migrate.VERSION_TABLE in line
    )


@pytest.fixture
def account(database_url: str) -> Iterator[str]:
    """The name of a role without any rights; with ``?options`` its search path is set."""
    name = f"job_{uuid4().hex[:8]}"
    execute(database_url, f"CREATE ROLE {name} LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield name
    execute(database_url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def url_of(database_url: str, account: str) -> str:
    return make_url(database_url).set(username=account).render_as_string()


@on_postgresql
def test_h13_without_rights_on_the_schema_the_line_names_the_statement_to_run(
    database_url: str, account: str, shell: Shell
) -> None:
    url = url_of(database_url, account)
    shell.set(DATABASE_URL=url)
    line = error_line(shell("migrate"), 2)

    assert "may not create tables in schema public; as the owner of the database run GRANT CREATE ON SCHEMA" in line
    execute(database_url, line.partition("run ")[2].partition(", or")[0])
    output(shell("migrate"))


@on_postgresql
def test_h13_without_any_schema_the_line_names_the_statement_to_run(
    database_url: str, account: str, shell: Shell
) -> None:
    execute(database_url, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    shell.set(DATABASE_URL=url_of(database_url, account))
    line = error_line(shell("migrate"), 2)

    execute(database_url, line.partition("run ")[2].partition(" as the owner")[0])
    output(shell("migrate"))


FOREIGN = (
    "CREATE TABLE public.models (a int)",
    "CREATE TABLE public.catalog_sync_version (version_num text)",
    "INSERT INTO public.catalog_sync_version VALUES ('9999')",
    "CREATE VIEW public.v_sync_runs AS SELECT 1 AS a",
)


@on_postgresql
def test_h13_foreign_tables_in_a_later_schema_do_not_count(database_url: str, shell: Shell) -> None:
    execute(database_url, *FOREIGN, "CREATE SCHEMA s1")
    name = make_url(database_url).database
    execute(database_url, f"ALTER DATABASE {name} SET search_path = s1, public")
    shell.set(DATABASE_URL=database_url)

    assert "there is no catalog" in error_line(shell("status"), 2)
    output(shell("migrate"))
    output(shell("migrate"))
    output(shell("verify"))
    with migration_engine(database_url).connect() as connection:
        counted = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        assert connection.exec_driver_sql(counted).scalar() == 3


@on_postgresql
def test_h13_a_second_catalog_in_a_later_schema_is_another_one(database_url: str, shell: Shell) -> None:
    upgrade(database_url)
    execute(database_url, "CREATE SCHEMA s1")
    execute(database_url, f"ALTER DATABASE {make_url(database_url).database} SET search_path = s1, public")
    shell.set(DATABASE_URL=database_url)

    assert "there is no catalog" in error_line(shell("status"), 2)
    upgrade(database_url)
    output(shell("verify"))


@on_mariadb
def test_h15_a_lock_of_a_reader_ends_with_its_idle_transaction_and_the_run_is_stored(
    synced_own_server: SyncedDatabase,
) -> None:
    execute(synced_own_server.url, "SET GLOBAL idle_transaction_timeout = 2")
    try:
        reader = administrator(synced_own_server.url).execution_options(isolation_level="READ COMMITTED")
        with reader.connect() as locking:
            locking.exec_driver_sql("SELECT * FROM sync_state FOR UPDATE")
            synced_own_server.succeeds(image=image(LISTED[1:]))
            locking.invalidate()
    finally:
        execute(synced_own_server.url, "SET GLOBAL idle_transaction_timeout = 0")
