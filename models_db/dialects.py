"""Statements that the databases spell differently. A dialect is imported only where it is spoken."""

from __future__ import annotations

from sqlalchemy import Connection, Insert, Table


def insert_absent(connection: Connection, table: Table) -> Insert:
    """An insert that passes over rows whose key is there already, one being committed just now too."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import mysql

    key = next(iter(table.primary_key.columns))
    return mysql.insert(table).on_duplicate_key_update({key.name: key})
