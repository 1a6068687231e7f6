"""Views follow their files. Grants are kept, and a user's view that reads a replaced one stops the migration."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Connection, NullPool, create_engine, inspect, text

from models_db import migrate
from models_db.engine import migration_engine
from models_db.errors import SchemaError
from models_db.views import install
from models_db.views.loader import VIEWS, View
from tests.models_db.changed_views import CURRENT_CATALOG, SYNC_RUNS, narrower, wider

on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
on_mariadb = pytest.mark.parametrize("database_kind", ["mariadb"], indirect=True)

WIDER = wider(CURRENT_CATALOG)
NARROWER = narrower(CURRENT_CATALOG)
LAST_COLUMN = CURRENT_CATALOG.columns[-1].name


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to a separate database at head."""
    migrate.upgrade(database_url)
    with create_engine(database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


@pytest.fixture
def role(connection: Connection) -> Iterator[str]:
    """An account that may only read."""
    name = f"reader_{uuid4().hex[:8]}"
    postgresql = connection.dialect.name == "postgresql"
    connection.exec_driver_sql(f"CREATE {'ROLE' if postgresql else 'USER'} {name}")
    yield name
    if postgresql:
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
    connection.exec_driver_sql(f"DROP {'ROLE' if postgresql else 'USER'} {name}")


def program_with(monkeypatch: pytest.MonkeyPatch, *views: View) -> None:
    """Replaces views of the program by those of the same name, as a newer version might."""
    newer = {view.name: view for view in (*VIEWS, *views)}
    monkeypatch.setattr(install, "VIEWS", tuple(newer.values()))


def columns(connection: Connection, view: View) -> list[str]:
    return [column["name"] for column in inspect(connection).get_columns(view.name)]


def recreate_views(connection: Connection) -> None:
    """Drops and installs all views, as a migration does before and after its revisions."""
    with migration_engine(connection.engine.url).begin() as transaction:
        grants = install.remove(transaction)
        assert inspect(transaction).get_view_names() == []
        install.install(transaction, grants)


@pytest.mark.parametrize("newer", [WIDER, NARROWER], ids=["wider", "narrower"])
def test_a_view_with_a_changed_text_is_replaced(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch, newer: View
) -> None:
    program_with(monkeypatch, newer)
    migrate.upgrade(database_url)

    assert columns(connection, newer) == [column.name for column in newer.columns]
    assert len(inspect(connection).get_view_names()) == len(VIEWS)


def test_a_missing_view_is_installed(connection: Connection, database_url: str) -> None:
    connection.exec_driver_sql(f"DROP VIEW {SYNC_RUNS.name}")

    migrate.upgrade(database_url)

    assert columns(connection, SYNC_RUNS) == [column.name for column in SYNC_RUNS.columns]


def test_a_view_that_the_program_no_longer_has_is_dropped(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "VIEWS", VIEWS[:-1])

    migrate.upgrade(database_url)

    assert set(inspect(connection).get_view_names()) == {view.name for view in VIEWS[:-1]}


def test_a_users_view_on_an_installed_view_stops_a_revision_and_is_named(
    connection: Connection, database_url: str
) -> None:
    connection.exec_driver_sql(f"CREATE VIEW my_prices AS SELECT model_id FROM {CURRENT_CATALOG.name}")

    with pytest.raises(SchemaError, match=r"^the views cannot be replaced: (\w+\.)?my_prices reads them; "):
        migrate.downgrade(database_url, "base")

    assert len(inspect(connection).get_view_names()) == len(VIEWS) + 1


def test_a_users_view_on_a_table_or_on_another_users_view_is_kept(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE VIEW my_models AS SELECT model_id FROM models")
    connection.exec_driver_sql("CREATE VIEW my_ids AS SELECT model_id FROM my_models")

    with migration_engine(connection.engine.url).begin() as transaction:
        install.remove(transaction)

    assert set(inspect(connection).get_view_names()) == {"my_models", "my_ids"}


@on_postgresql
def test_a_users_view_does_not_stop_a_replacement_in_place(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.exec_driver_sql(f"CREATE VIEW my_prices AS SELECT model_id FROM {CURRENT_CATALOG.name}")
    program_with(monkeypatch, WIDER)

    migrate.upgrade(database_url)

    assert columns(connection, WIDER)[-1] == "extra"


def permissions(connection: Connection) -> list[tuple[object, ...]]:
    """Owner and permissions of the views and their columns, as PostgreSQL reports them."""
    query = text(
        "SELECT relname, pg_get_userbyid(relowner), relacl::text, attname, attacl::text FROM pg_class"
        " JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0"
        " WHERE relkind = 'v' AND relname = ANY(:names) ORDER BY relname, attnum"
    )
    return [tuple(row) for row in connection.execute(query, {"names": [view.name for view in VIEWS]})]


GRANTS = {
    "a reader": "GRANT SELECT ON v_current_catalog TO {role}",
    "a reader of one column": "GRANT SELECT (model_id, mode) ON v_current_catalog TO {role}",
    "a reader with grant option": "GRANT SELECT ON v_current_catalog TO {role} WITH GRANT OPTION",
    "PUBLIC": "GRANT SELECT ON v_current_catalog, v_sync_runs TO PUBLIC",
    "another owner": "ALTER VIEW v_current_catalog OWNER TO {role}; GRANT SELECT ON v_current_catalog TO PUBLIC",
    "revoked default privilege": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role};"
    " GRANT SELECT ON v_sync_runs TO PUBLIC",
}


@on_postgresql
@pytest.mark.parametrize("grant", GRANTS.values(), ids=GRANTS.keys())
def test_a_revision_keeps_permissions(connection: Connection, role: str, grant: str) -> None:
    connection.exec_driver_sql(grant.format(role=role))
    before = [row for row in permissions(connection) if row[2] or row[4]]

    recreate_views(connection)

    assert before
    assert set(before) <= set(permissions(connection))


@on_postgresql
def test_a_change_that_needs_all_views_dropped_keeps_permissions(
    connection: Connection, database_url: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.exec_driver_sql(f"GRANT SELECT ON v_current_catalog, v_provider_costs_daily TO {role}")
    connection.exec_driver_sql(f"GRANT SELECT (mode, {LAST_COLUMN}) ON v_current_catalog TO {role}")
    before = permissions(connection)
    program_with(monkeypatch, NARROWER)

    migrate.upgrade(database_url)

    assert permissions(connection) == [row for row in before if (row[0], row[3]) != ("v_current_catalog", LAST_COLUMN)]


@on_mariadb
def test_a_revision_keeps_permissions_on_mariadb(connection: Connection, role: str) -> None:
    connection.exec_driver_sql(f"GRANT SELECT ON v_current_catalog TO {role}")
    before = list(connection.exec_driver_sql(f"SHOW GRANTS FOR {role}"))

    recreate_views(connection)

    assert list(connection.exec_driver_sql(f"SHOW GRANTS FOR {role}")) == before


@on_postgresql
def test_views_and_their_columns_have_comments_in_the_database(connection: Connection) -> None:
    query = text(
        "SELECT relname, attname, obj_description(pg_class.oid), col_description(attrelid, attnum)"
        " FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid WHERE relkind = 'v' AND relname = ANY(:names)"
    )
    described = {tuple(row) for row in connection.execute(query, {"names": [view.name for view in VIEWS]})}

    assert described == {(v.name, column.name, v.comment, column.comment) for v in VIEWS for column in v.columns}
