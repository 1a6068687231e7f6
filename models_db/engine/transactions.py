"""The two kinds of transaction: one that may write, and one that reads a consistent snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from models_db.engine.sqlite import WRITES
from models_db.engine.timeouts import lock_seconds, timeout_of


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that is committed at the end and rolled back on any error.

    A lock is waited for at most 30 s, and at most half of the engine's timeout.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # MariaDB and SQLite get their lock timeouts when they connect. A pooler such as PgBouncer would
            # drop a setting made then on PostgreSQL.
            seconds = lock_seconds(timeout_of(engine))
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{seconds}s'")
        yield connection


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """Give a connection on which all statements see the same snapshot of the database."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        elif connection.dialect.name == "mariadb":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield connection
