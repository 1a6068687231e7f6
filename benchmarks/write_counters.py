"""The rows that a run inserted, updated or deleted, as the database counts them."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, make_url

from benchmarks.databases import administrator

_POSTGRESQL_ROWS = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
_POSTGRESQL_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
_MARIADB_ROWS = (
    "SELECT table_name, rows_changed FROM information_schema.table_statistics WHERE table_schema = DATABASE()"
)


def rows_written(url: str, work: Callable[[], object]) -> dict[str, int]:
    """The number of rows that ``work`` writes to each table; tables without any are left out.

    Servers count every write, so a row that is inserted and updated counts twice. On SQLite the files
    before and after are compared, so there it counts once.
    """
    if url.startswith("sqlite"):
        return _written_to_file(Path(make_url(url).database or ""), work)
    with administrator(url) as connection:
        before = _counts(connection)
        work()
        after = _counts(connection)
    return {table: count - before.get(table, 0) for table, count in sorted(after.items()) if count != before.get(table)}


def _counts(connection: Connection) -> dict[str, int]:
    if connection.dialect.name == "mariadb":
        return {table: int(count) for table, count in connection.exec_driver_sql(_MARIADB_ROWS)}
    own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    # A backend reports its counts as it ends, and it ends a moment after its client.
    while connection.exec_driver_sql(_POSTGRESQL_OTHERS, (own,)).scalar():
        time.sleep(0.01)
    return {table: count for table, count in connection.exec_driver_sql(_POSTGRESQL_ROWS) if count}


def _written_to_file(path: Path, work: Callable[[], object]) -> dict[str, int]:
    before = path.with_name(f"{path.name}-before")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, before)
    work()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS before", (str(before),))
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {table: _different_rows(connection, table) for table in sorted(tables)}
    return {table: count for table, count in counts.items() if count}


def _different_rows(connection: sqlite3.Connection, table: str) -> int:
    """New and changed rows, and rows that were deleted."""
    keys = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]) or "rowid"
    written = f"SELECT * FROM main.{table} EXCEPT SELECT * FROM before.{table}"
    deleted = f"SELECT {keys} FROM before.{table} EXCEPT SELECT {keys} FROM main.{table}"
    query = f"SELECT (SELECT COUNT(*) FROM ({written})) + (SELECT COUNT(*) FROM ({deleted}))"
    return int(connection.execute(query).fetchone()[0])
