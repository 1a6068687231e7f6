"""Views are code, not state: made at head only, and touched only when their text changed or a revision runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, delete, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from models_db.errors import SchemaError
from models_db.tables import installed_views
from models_db.views import postgresql_grants
from models_db.views.definitions import VIEWS
from models_db.views.postgresql_grants import Grant
from models_db.views.view import View

_CANNOT_REPLACE = "42P16"  # PostgreSQL: a column would go, or change its name, type or place


def remove(connection: Connection) -> list[Grant]:
    """Drop our views, so that a revision may change what they stand on; give what ``install`` needs to restore.

    Raises ``SchemaError`` when a view of the user's own stands on one of ours: it would be dropped too, or broken.
    """
    return _drop(connection, _installed(connection))


def install(connection: Connection, grants: Collection[Grant] = ()) -> None:
    """Make each view that is missing or was made from another text; leave the others alone."""
    present = _installed(connection)
    made_from = {row.view_name: row.definition_sha256 for row in connection.execute(select(installed_views))}
    stale = [view for view in VIEWS if view.name not in present or made_from.get(view.name) != view.digest]
    gone = [name for name in present if name not in {view.name for view in VIEWS}]
    if gone:  # any of the others may still stand on one of these
        grants = [*grants, *remove(connection)]
        present, stale = [], list(VIEWS)
    if connection.dialect.name == "postgresql":
        grants = [*grants, *_replace_or_remake(connection, stale)]
    else:
        _replace(connection, stale, present)
    _note(connection, stale, gone)
    postgresql_grants.restore(connection, grants, {view.name: {c.name for c in view.columns} for view in VIEWS})


def offline_removal() -> Iterator[str]:
    """The statements that drop all views, for a script."""
    return (f"DROP VIEW IF EXISTS {view.name}" for view in reversed(VIEWS))


def offline_installation(dialect: str) -> Iterator[str]:
    """The statements that make all views and note it, for a script."""
    for view in VIEWS:
        yield f"CREATE VIEW {view.name} AS {view.select}"
        if dialect == "postgresql":
            yield from _comments(view)
        yield f"DELETE FROM installed_views WHERE view_name = '{view.name}'"  # noqa: S608  # our own name
        yield (
            "INSERT INTO installed_views (view_name, definition_sha256)"  # noqa: S608  # our own name
            f" VALUES ('{view.name}', '{view.digest}')"
        )


def _installed(connection: Connection) -> list[str]:
    """Views of ours that are there, those of an older program included, in the order they were made."""
    inspector = inspect(connection)
    present = set(inspector.get_view_names())
    names = [view.name for view in VIEWS]
    if inspector.has_table(installed_views.name):
        noted = connection.scalars(select(installed_views.c.view_name).order_by(installed_views.c.view_name))
        names += [name for name in noted if name not in names]
    return [name for name in names if name in present]


def _drop(connection: Connection, names: list[str]) -> list[Grant]:
    if not names:
        return []
    _refuse_dependents(connection, names)
    grants = postgresql_grants.read(connection, names) if connection.dialect.name == "postgresql" else []
    if connection.dialect.name == "postgresql":  # in one statement they may stand on one another in any order
        _execute(connection, f"DROP VIEW {', '.join(names)}")
    else:
        for name in reversed(names):
            _execute(connection, f"DROP VIEW {name}")
    return grants


def _replace_or_remake(connection: Connection, stale: list[View]) -> list[Grant]:
    try:
        with connection.begin_nested():
            for view in stale:
                _execute(connection, f"CREATE OR REPLACE VIEW {view.name} AS {view.select}")
                for statement in _comments(view):
                    _execute(connection, statement)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _CANNOT_REPLACE:
            raise
        grants = remove(connection)
        return grants + _replace_or_remake(connection, list(VIEWS))
    return []


def _replace(connection: Connection, stale: list[View], present: list[str]) -> None:
    replaces = connection.dialect.name == "mariadb"
    if not replaces:
        _drop(connection, [view.name for view in stale if view.name in present])
    for view in stale:
        _execute(connection, f"CREATE {'OR REPLACE ' if replaces else ''}VIEW {view.name} AS {view.select}")


def _comments(view: View) -> Iterator[str]:
    yield f"COMMENT ON VIEW {view.name} IS {_quoted(view.comment)}"
    for column in view.columns:
        yield f"COMMENT ON COLUMN {view.name}.{column.name} IS {_quoted(column.comment)}"


def _quoted(comment: str) -> str:
    return "'" + comment.replace("'", "''") + "'"


def _note(connection: Connection, made: list[View], gone: list[str]) -> None:
    for name in [*gone, *(view.name for view in made)]:
        connection.execute(delete(installed_views).where(installed_views.c.view_name == name))
    for view in made:
        row = insert(installed_views).values(view_name=view.name, definition_sha256=view.digest)
        connection.execute(row)


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)


def _refuse_dependents(connection: Connection, names: list[str]) -> None:
    find = {"postgresql": _dependents_postgresql, "mariadb": _dependents_mariadb, "sqlite": _dependents_sqlite}
    ours = {*names, *(view.name for view in VIEWS)}
    found = sorted(set(find[connection.dialect.name](connection, names, ours)))
    if found:
        raise SchemaError(
            f"{', '.join(found)} reads views that this migration must make anew: drop it, migrate, make it again"
        )


def _dependents_postgresql(connection: Connection, names: list[str], ours: set[str]) -> Iterator[str]:
    query = text(
        """
        SELECT DISTINCT rule.ev_class::regclass::text, dependent.relname, dependent.relnamespace = ours.relnamespace
        FROM pg_depend JOIN pg_rewrite rule ON classid = 'pg_rewrite'::regclass AND objid = rule.oid
        JOIN pg_class ours ON refclassid = 'pg_class'::regclass AND refobjid = ours.oid
        JOIN pg_namespace ON pg_namespace.oid = ours.relnamespace AND nspname = current_schema()
        JOIN pg_class dependent ON dependent.oid = rule.ev_class
        WHERE ours.relname = ANY(:names)
        """
    )
    for masked_url, name, in_our_schema in connection.execute(query, {"names": names}):
        if not (in_our_schema and name in ours):
            yield masked_url


def _dependents_mariadb(connection: Connection, names: list[str], ours: set[str]) -> Iterator[str]:
    here = connection.exec_driver_sql("SELECT DATABASE()").scalar()
    read = re.compile("|".join(re.escape(f"`{here}`.`{name}`") for name in names))
    query = "SELECT table_schema, table_name, view_definition FROM information_schema.views"
    for schema, name, definition in connection.exec_driver_sql(query):
        if not (schema == here and name in ours) and read.search(definition or ""):
            yield f"{schema}.{name}"


def _dependents_sqlite(connection: Connection, names: list[str], ours: set[str]) -> Iterator[str]:
    read = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
    query = "SELECT name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
    for name, definition in connection.exec_driver_sql(query):
        if name not in ours and read.search(definition):
            yield name
