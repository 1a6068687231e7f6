"""What PostgreSQL forgets when a view is dropped: who owns it and who may do what with it.

SQLite has no grants, and MariaDB keeps them by name though the view be gone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Grant:
    """A statement that gives back a permission, and the column that it needs, if any."""

    view: str
    column: str | None
    statement: str


# Quoted by the server itself. Owners come first: they are who may grant.
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

# What default privileges gave the new view by themselves, and someone may have taken away since.
_GIVEN_BY_DEFAULT = text(
    """
    SELECT DISTINCT format('REVOKE ALL ON %I FROM %s', relname,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
    FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass(quote_ident(:view))
    """
)


def read(connection: Connection, views: Collection[str]) -> list[Grant]:
    """The permissions on these views, to be restored once they have been made anew."""
    oids = text(
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND c.relkind = 'v' AND c.relname = ANY(:views)"
    )
    found = list(connection.scalars(oids, {"views": list(views)}))
    return [Grant(*row) for row in connection.execute(_READ, {"views": found})]


def restore(connection: Connection, grants: Collection[Grant], columns: dict[str, set[str]]) -> None:
    """Give the views the permissions they had; ``columns`` says which views there are and what they show."""
    kept = [grant for grant in grants if grant.view in columns]
    for view in {grant.view for grant in kept}:
        for statement in list(connection.scalars(_GIVEN_BY_DEFAULT, {"view": view})):
            connection.exec_driver_sql(statement)
    for grant in kept:
        if grant.column is None or grant.column in columns[grant.view]:
            connection.exec_driver_sql(grant.statement)
