"""Many rows into a database as fast as its driver can: for made-up histories, never for what is measured."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from benchmarks.histories import Encoding, History, Row
from models_db import tables
from models_db.engine import migration_engine
from models_db.migrate import require_head

_AT_ONCE = 2_000
_COUNTED = (("models", "model_pk"), ("sync_runs", "run_id"), ("catalog_changes", "change_id"))
_COMMIT_EVERY = 50  # times that many


def load(url: str, history_of: Callable[[Encoding], History]) -> History:
    """Fill a database at head that has no rows yet.

    Raises ``ValueError`` when it has some, ``SchemaError`` when it is not at head.
    """
    engine = migration_engine(url)
    require_head(engine)
    kind = engine.dialect.name
    history = history_of(ENCODINGS[kind])
    with engine.connect() as connection:
        if connection.exec_driver_sql("SELECT COUNT(*) FROM models").scalar():
            raise ValueError("the database has models already: give one that was only migrated")
    with closing(engine.raw_connection()) as pooled:
        {"sqlite": _into_sqlite, "postgresql": _into_postgresql, "mariadb": _into_mariadb}[kind](
            pooled.driver_connection, history
        )
    _settle(engine, kind)
    engine.dispose()
    return history


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


ENCODINGS = {
    "sqlite": Encoding(_text, float),
    "postgresql": Encoding(lambda moment: f"{_text(moment)}+00", str),
    "mariadb": Encoding(_text, str),
}


def _into_sqlite(driver: Any, history: History) -> None:
    connection: sqlite3.Connection = driver
    connection.execute("PRAGMA synchronous = OFF")
    for table, columns, rows in history.tables():
        connection.execute("BEGIN")
        connection.executemany(_insert(table, columns, "?"), rows)
        connection.execute("COMMIT")
    connection.executemany(*_state_update(history, "?"))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _into_postgresql(connection: Any, history: History) -> None:
    from psycopg.errors import InsufficientPrivilege

    # Checking each reference costs more than all else; the rows are made so that they hold.
    with suppress(InsufficientPrivilege), connection.transaction():
        connection.execute("SET SESSION session_replication_role = replica")
    with connection.cursor() as cursor:
        for table, columns, rows in history.tables():
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.executemany(*_state_update(history, "%s"))
        for table, key in _COUNTED:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), max({key})) FROM {table}")
    connection.commit()


def _into_mariadb(connection: Any, history: History) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
        for table, columns, rows in history.tables():
            for number, some in enumerate(_chunks(rows)):
                cursor.executemany(_insert(table, columns, "%s"), some)
                if number % _COMMIT_EVERY == 0:
                    connection.commit()
        cursor.executemany(*_state_update(history, "%s"))
    connection.commit()


def _settle(engine: Engine, kind: str) -> None:
    """What a server's own housekeeping would have done in all that time."""
    if kind == "sqlite":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if kind == "postgresql":
            connection.exec_driver_sql("VACUUM (ANALYZE)")
        else:
            connection.exec_driver_sql(f"ANALYZE TABLE {', '.join(tables.models.metadata.tables)}")


def _insert(table: str, columns: Sequence[str], mark: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"


def _state_update(history: History, mark: str) -> tuple[str, Iterable[Row]]:
    table, columns, rows = history.states()
    *values, key = columns
    return f"UPDATE {table} SET {', '.join(f'{name} = {mark}' for name in values)} WHERE {key} = {mark}", rows


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
