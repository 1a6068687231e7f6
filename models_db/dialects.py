"""Statements that the databases spell differently. A dialect is imported only where it is spoken."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Insert, Subquery, Table, func, select

from models_db.tables import models


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


def latest_interval_start(connection: Connection, interval: Table, moment: datetime) -> Subquery:
    """``model_pk`` and ``valid_from`` of the last row of each model that began at or before a moment.

    One step down the primary key for each model, however many intervals it has. PostgreSQL and SQLite
    take it for a largest value that hangs on the model's row; MariaDB would read all of the model's
    intervals then, and skips along its key only when it groups by it.
    """
    last = select(func.max(interval.c.valid_from).label("valid_from")).where(interval.c.valid_from <= moment)
    if connection.dialect.name == "mariadb":
        return last.add_columns(interval.c.model_pk).group_by(interval.c.model_pk).subquery()
    of_model = last.where(interval.c.model_pk == models.c.model_pk).scalar_subquery()
    return select(models.c.model_pk, of_model.label("valid_from")).subquery()
