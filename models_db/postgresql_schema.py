"""The one schema of a PostgreSQL database that a migration may touch."""

from __future__ import annotations

from sqlalchemy import Connection

from models_db.errors import SchemaError


def use_one(connection: Connection) -> None:
    """Make the first usable schema of ``search_path`` the only one, for this transaction.

    Tables of others in a later schema are then not taken for those of the catalog.

    Raises ``SchemaError`` if there is none, or if the account may not create tables in it.
    """
    query = "SELECT quote_ident(current_schema()), quote_ident(current_user)"
    schema, account = connection.exec_driver_sql(query).one()
    if schema is None:
        raise SchemaError(
            f"the migration did not start: the account {account} may use no schema of its search_path;"
            f" run CREATE SCHEMA {account} AUTHORIZATION {account} as the owner of the database"
        )
    if not connection.exec_driver_sql("SELECT has_schema_privilege(current_schema(), 'CREATE')").scalar():
        raise SchemaError(
            f"the migration did not start: the account {account} may not create tables in schema {schema};"
            f" as the owner of the database run GRANT CREATE ON SCHEMA {schema} TO {account}, or"
            f" CREATE SCHEMA {account} AUTHORIZATION {account}"
        )
    connection.exec_driver_sql("SELECT set_config('search_path', quote_ident(current_schema()), true)")
