"""What a run wrote, as the database itself tells it: rows by table, and bytes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from benchmarks.databases import MeasuredDatabase, Sqlite
from benchmarks.servers import Mariadb, Postgresql

Written: TypeAlias = dict[str, dict[str, int]]
"""``rows``: rows inserted, updated or deleted by table; ``bytes``: what the database wrote for them."""

_POSTGRESQL_ROWS = (
    "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
    " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY relname"
)
_MARIADB_ROWS = (
    "SELECT table_name, rows_changed FROM information_schema.table_statistics"
    " WHERE table_schema = 'work' AND rows_changed > 0 ORDER BY table_name"
)


def written(place: MeasuredDatabase, work: Callable[[], object]) -> Written:
    """What ``work`` writes to the database at work, which is a fresh copy."""
    if isinstance(place, Postgresql):
        return _postgresql(place, work)
    if isinstance(place, Mariadb):
        return _mariadb(place, work)
    if isinstance(place, Sqlite):
        return _sqlite(place.work, work)
    raise TypeError(f"no meter for {place.kind}")


def _postgresql(place: Postgresql, work: Callable[[], object]) -> Written:
    """A fresh copy is made by a checkpoint, after which each page goes into the WAL whole when it is first touched.

    So WAL is counted twice: of this work, and of the same done once more, when the pages have been touched.
    """
    first = _wal_of(place, work)
    rows = _rows(place, _POSTGRESQL_ROWS)
    return {"rows": rows, "bytes": {"wal_after_checkpoint": first, "wal_again": _wal_of(place, work)}}


def _wal_of(place: Postgresql, work: Callable[[], object]) -> int:
    position = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
    with place.administrator() as connection:
        before = connection.exec_driver_sql(position).scalar() or 0
        work()
        return int((connection.exec_driver_sql(position).scalar() or 0) - before)


def _mariadb(place: Mariadb, work: Callable[[], object]) -> Written:
    before = _log_written(place)
    work()
    rows = _rows(place, _MARIADB_ROWS)
    return {"rows": rows, "bytes": {"redo_log": _log_written(place) - before}}


def _log_written(place: Mariadb) -> int:
    with place.administrator() as connection:
        return int(connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'").one()[1])


def _rows(place: Postgresql | Mariadb, query: str) -> dict[str, int]:
    with place.administrator("work") as connection:
        return {table: int(number) for table, number in connection.exec_driver_sql(query)}


def _sqlite(path: Path, work: Callable[[], object]) -> Written:
    """Files before and after are compared, row by row and page by page."""
    before = path.with_suffix(".before")
    shutil.copyfile(path, before)
    work()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ATTACH ? AS before", (str(before),))
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: _different_rows(connection, table) for table in sorted(tables)}
        page = int(connection.execute("PRAGMA page_size").fetchone()[0])
    pages = _different_pages(before, path, page)
    before.unlink()
    return {"rows": {table: number for table, number in rows.items() if number}, "bytes": {"pages": pages * page}}


def _different_rows(connection: sqlite3.Connection, table: str) -> int:
    """New and changed rows, and rows that are gone, by their key."""
    keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]] or ["rowid"]
    now = f"(SELECT COUNT(*) FROM (SELECT * FROM main.{table} EXCEPT SELECT * FROM before.{table}))"
    key = ", ".join(keys)
    gone = f"(SELECT COUNT(*) FROM (SELECT {key} FROM before.{table} EXCEPT SELECT {key} FROM main.{table}))"
    return int(connection.execute(f"SELECT {now} + {gone}").fetchone()[0])


def _different_pages(before: Path, after: Path, size: int) -> int:
    number = 0
    with before.open("rb") as old, after.open("rb") as new:
        while page := new.read(size):
            number += page != old.read(size)
    return number
