"""Installs the views in a database.

Views are code, not state: they are installed when the schema is at head. A view is replaced only if its
text changed or a revision runs, so that its grants and its readers' locks are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, delete, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from models_db.errors import SchemaError
from models_db.tables import installed_views
from models_db.views import postgresql_grants
from models_db.views.loader import VIEWS, View
from models_db.views.postgresql_grants import Grant

_CANNOT_REPLACE = "42P16"  # PostgreSQL: a column would be dropped, renamed, moved or get another type


def remove(connection: Connection) -> list[Grant]:
    """Drop the views, so that a revision may change their tables. Return the grants for ``install`` to restore.

    Raises ``SchemaError`` if a view of a user reads one of them: it would be dropped too, or break.
    """
    return _drop(connection, _installed(connection))


def are_current(connection: Connection) -> bool:
    """Whether ``install`` would change nothing in a database at head."""
    present = _installed(connection)
    return not _outdated(connection, present) and not _obsolete(present)


def install(connection: Connection, grants: Collection[Grant] = ()) -> None:
    """Create each view that is missing and replace each view whose text changed."""
    dialect = connection.dialect.name
    present = _installed(connection)
    outdated, obsolete = _outdated(connection, present), _obsolete(present)
    if obsolete:  # other views may read an obsolete one
        grants = [*grants, *remove(connection)]
        present, outdated = [], list(VIEWS)
    if dialect == "postgresql":
        grants = [*grants, *_replace_on_postgresql(connection, outdated)]
    else:
        _replace(connection, outdated, present)
    _record(connection, outdated, obsolete)
    postgresql_grants.restore(connection, grants, {view.name: {c.name for c in view.columns} for view in VIEWS})


def offline_removal() -> Iterator[str]:
    """Yield the statements that drop all views, for a script."""
    return (f"DROP VIEW IF EXISTS {view.name}" for view in reversed(VIEWS))


def offline_installation(dialect: str) -> Iterator[str]:
    """Yield the statements that create and record all views, for a script."""
    for view in VIEWS:
        yield f"CREATE VIEW {view.name} AS\n{view.select(dialect)}"
        if dialect == "postgresql":
            yield from _comments(view)
        yield f"DELETE FROM installed_views WHERE view_name = '{view.name}'"  # noqa: S608  # a name from this package
        yield (
            "INSERT INTO installed_views (view_name, definition_sha256)"  # noqa: S608  # a name from this package
            f" VALUES ('{view.name}', '{view.digest(dialect)}')"
        )


def _installed(connection: Connection) -> list[str]:
    """Return the views in the database that this or an older version installed, in order of installation."""
    inspector = inspect(connection)
    present = set(inspector.get_view_names())
    names = [view.name for view in VIEWS]
    if inspector.has_table(installed_views.name):
        recorded = connection.scalars(select(installed_views.c.view_name).order_by(installed_views.c.view_name))
        names += [name for name in recorded if name not in names]
    return [name for name in names if name in present]


def _outdated(connection: Connection, present: Collection[str]) -> list[View]:
    """Return the views that are missing or have another text."""
    digests = {row.view_name: row.definition_sha256 for row in connection.execute(select(installed_views))}
    dialect = connection.dialect.name
    return [view for view in VIEWS if view.name not in present or digests.get(view.name) != view.digest(dialect)]


def _obsolete(present: Collection[str]) -> list[str]:
    return [name for name in present if name not in {view.name for view in VIEWS}]


def _drop(connection: Connection, names: list[str]) -> list[Grant]:
    if not names:
        return []
    _require_no_dependents(connection, names)
    if connection.dialect.name != "postgresql":
        for name in reversed(names):
            connection.exec_driver_sql(f"DROP VIEW {name}")
        return []
    grants = postgresql_grants.read(connection, names)
    connection.exec_driver_sql(f"DROP VIEW {', '.join(names)}")  # one statement, whichever view reads which
    return grants


def _replace_on_postgresql(connection: Connection, views: list[View]) -> list[Grant]:
    """Replace views in place, which keeps grants. Where PostgreSQL cannot, drop and create all views."""
    try:
        with connection.begin_nested():
            for view in views:
                create = f"CREATE OR REPLACE VIEW {view.name} AS\n{view.select('postgresql')}"
                connection.exec_driver_sql(";\n".join([create, *_comments(view)]))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _CANNOT_REPLACE:
            raise
        grants = remove(connection)
        return grants + _replace_on_postgresql(connection, list(VIEWS))
    return []


def _replace(connection: Connection, views: list[View], present: list[str]) -> None:
    dialect = connection.dialect.name
    if dialect == "sqlite":  # it has no CREATE OR REPLACE
        _drop(connection, [view.name for view in views if view.name in present])
    create = "CREATE OR REPLACE VIEW" if dialect == "mariadb" else "CREATE VIEW"
    for view in views:
        connection.exec_driver_sql(f"{create} {view.name} AS\n{view.select(dialect)}")


def _comments(view: View) -> Iterator[str]:
    """Yield the statements that store the comments of a view. Only PostgreSQL has such statements."""
    yield f"COMMENT ON VIEW {view.name} IS {_quote(view.comment)}"
    for column in view.columns:
        yield f"COMMENT ON COLUMN {view.name}.{column.name} IS {_quote(column.comment)}"


def _quote(comment: str) -> str:
    return "'" + comment.replace("'", "''") + "'"


def _record(connection: Connection, views: list[View], obsolete: list[str]) -> None:
    for name in [*obsolete, *(view.name for view in views)]:
        connection.execute(delete(installed_views).where(installed_views.c.view_name == name))
    for view in views:
        digest = view.digest(connection.dialect.name)
        connection.execute(insert(installed_views).values(view_name=view.name, definition_sha256=digest))


def _require_no_dependents(connection: Connection, names: list[str]) -> None:
    """Raise ``SchemaError`` if a view or trigger that catalog-sync did not install reads one of the views."""
    find = {"postgresql": _dependents_postgresql, "mariadb": _dependents_mariadb, "sqlite": _dependents_sqlite}
    own = {*names, *(view.name for view in VIEWS)}
    dependents = sorted(set(find[connection.dialect.name](connection, names, own)))
    if dependents:
        raise SchemaError(
            f"the views cannot be replaced: {', '.join(dependents)} reads them;"
            " drop it, run catalog-sync migrate, then create it again"
        )


def _dependents_postgresql(connection: Connection, names: list[str], own: set[str]) -> Iterator[str]:
    query = text(
        """
        SELECT DISTINCT rule.ev_class::regclass::text, dependent.relname, dependent.relnamespace = own.relnamespace
        FROM pg_depend JOIN pg_rewrite rule ON classid = 'pg_rewrite'::regclass AND objid = rule.oid
        JOIN pg_class own ON refclassid = 'pg_class'::regclass AND refobjid = own.oid
        JOIN pg_namespace ON pg_namespace.oid = own.relnamespace AND nspname = current_schema()
        JOIN pg_class dependent ON dependent.oid = rule.ev_class
        WHERE own.relname = ANY(:names)
        """
    )
    for qualified_name, name, in_own_schema in connection.execute(query, {"names": names}):
        if not (in_own_schema and name in own):
            yield qualified_name


def _dependents_mariadb(connection: Connection, names: list[str], own: set[str]) -> Iterator[str]:
    # MariaDB keeps no dependencies, but writes every name in a view's text with its database.
    database = connection.exec_driver_sql("SELECT DATABASE()").scalar()
    reads = re.compile("|".join(re.escape(f"`{database}`.`{name}`") for name in names))
    query = "SELECT table_schema, table_name, view_definition FROM information_schema.views"
    for schema, name, definition in connection.exec_driver_sql(query):
        if not (schema == database and name in own) and reads.search(definition or ""):
            yield f"{schema}.{name}"


def _dependents_sqlite(connection: Connection, names: list[str], own: set[str]) -> Iterator[str]:
    reads = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
    query = "SELECT name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
    for name, definition in connection.exec_driver_sql(query):
        if name not in own and reads.search(definition):
            yield name
