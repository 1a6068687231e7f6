"""Owners and grants of views on PostgreSQL, which drops them with a view.

SQLite has no grants. MariaDB keeps grants by name when a view is dropped.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Grant:
    """A statement that restores the owner or a grant of a view; ``column`` is set for a grant on one column."""

    view: str
    column: str | None
    statement: str


# The server quotes the names. Owners come first, because only an owner may grant.
_READ = text(
    """
    SELECT view_name, column_name, statement FROM (
        SELECT relname AS view_name, NULL::name AS column_name, 1 AS rank,
            format('ALTER VIEW %I OWNER TO %I', relname, pg_get_userbyid(relowner)) AS statement
        FROM pg_class WHERE oid = ANY(:views) AND pg_get_userbyid(relowner) <> current_user
        UNION ALL
        SELECT relname, NULL, 2, format('GRANT %s ON %I TO %s%s', privilege_type, relname,
            CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM pg_class, aclexplode(relacl) WHERE oid = ANY(:views)
        UNION ALL
        SELECT relname, attname, 2, format('GRANT %s (%I) ON %I TO %s%s', privilege_type, attname, relname,
            CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
        WHERE pg_class.oid = ANY(:views)
    ) AS permission ORDER BY view_name, rank
    """
)

# Default privileges apply to a new view too. They may have been revoked from the old one, so they are revoked first.
_REVOKE_DEFAULTS = text(
    """
    SELECT DISTINCT format('REVOKE ALL ON %I FROM %s', relname,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
    FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass(quote_ident(:view))
    """
)


def read(connection: Connection, views: Collection[str]) -> list[Grant]:
    """Return owners and grants of the views, for ``restore`` after they are created again."""
    oids = text(
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND c.relkind = 'v' AND c.relname = ANY(:views)"
    )
    view_oids = list(connection.scalars(oids, {"views": list(views)}))
    return [Grant(*row) for row in connection.execute(_READ, {"views": view_oids})]


def restore(connection: Connection, grants: Collection[Grant], columns: dict[str, set[str]]) -> None:
    """Restore owners and grants. ``columns`` has the columns of each view that exists now."""
    kept = [grant for grant in grants if grant.view in columns]
    for view in {grant.view for grant in kept}:
        for statement in list(connection.scalars(_REVOKE_DEFAULTS, {"view": view})):
            connection.exec_driver_sql(statement)
    for grant in kept:
        if grant.column is None or grant.column in columns[grant.view]:
            connection.exec_driver_sql(grant.statement)
