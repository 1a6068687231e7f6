"""The one place that makes an engine: what every connection is told, and the two kinds of transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from models_db.errors import DatabaseSettingError
from models_db.urls import normalise_url, shown

__all__ = [
    "WRITES",
    "is_transient",
    "migration_engine",
    "normalise_url",
    "open_engine",
    "read_transaction",
    "shown",
    "write_transaction",
]

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
# So long a MariaDB may take over one answer to the job; a migration may take as long as it likes.
SILENCE_SECONDS = 90
# An execution option: on SQLite such a transaction takes the write lock as it begins, because one
# that reads first and then writes fails at once when another writer came between.
WRITES = "catalog_sync_writes"

_MARIADB_SESSION = (
    # Without a strict mode too long text is cut and too large numbers are bent, with no error.
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',"
    f" innodb_lock_wait_timeout = {LOCK_SECONDS}, lock_wait_timeout = {LOCK_SECONDS}"
)
_SMALL_POOL = {"pool_size": 1, "max_overflow": 4}

_TRANSIENT_SQLSTATES = {"40001", "40P01"}  # serialization failure, deadlock
# Deadlock; lock wait; row changed meanwhile; and of Galera: node not ready, commit refused.
_TRANSIENT_MARIADB = {1213, 1205, 1020, 1047, 1180}
_NODE_LOST = {1047, 1180}


def open_engine(url: str | URL, *, create: bool = False) -> Engine:
    """An engine with a small pool whose connections are strict, speak UTC and never wait for ever.

    On SQLite the file must exist unless ``create``; foreign keys are enforced. Raises
    ``DatabaseSettingError`` for a bad URL, a missing driver, file or folder. Connects to nothing yet.
    """
    return _make(url, create=create, migrates=False, options=dict(_SMALL_POOL))


def migration_engine(url: str | URL, *, create: bool = False) -> Engine:
    """An engine for migrations: no pool, and no foreign keys on SQLite.

    Rebuilding a table there drops the old one, and enforced foreign keys would then delete the rows
    that refer to it.
    """
    return _make(url, create=create, migrates=True, options={"poolclass": NullPool})


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that may write: committed at the end, rolled back on any error.

    Waits at most 30 s for each lock.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        yield connection


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it was at one moment, however many statements are run."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        elif connection.dialect.name == "mariadb":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield connection


def is_transient(error: BaseException | None) -> bool:
    """Whether the whole transaction may succeed when it is run again at once.

    True for deadlocks, serialization failures, MariaDB's lock waits and lost connections. False for
    PostgreSQL's lock and statement time-outs (55P03, 57014): those have already waited their time.
    """
    if not isinstance(error, DBAPIError):
        return False
    original = error.orig
    return (
        error.connection_invalidated
        or getattr(original, "sqlstate", None) in _TRANSIENT_SQLSTATES
        or _mariadb_code(original) in _TRANSIENT_MARIADB
    )


def is_lost(error: BaseException | None) -> bool:
    """Whether the connection broke while it was in use, so that a commit may have been carried out unheard."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_unreachable(error: BaseException | None) -> bool:
    """Whether the database did not let us in, or the connection failed: later it may be there again."""
    return isinstance(error, OperationalError | InterfaceError)


def _mariadb_code(original: BaseException | None) -> int | None:
    if original is None or not type(original).__module__.startswith("pymysql") or not original.args:
        return None
    code = original.args[0]
    return code if isinstance(code, int) else None


def _make(url: str | URL, *, create: bool, migrates: bool, options: dict[str, Any]) -> Engine:
    url = normalise_url(url) if isinstance(url, str) else url
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, create=create, foreign_keys=not migrates, options=options)
    if url.get_backend_name() == "postgresql":
        return _postgresql_engine(url, options)
    return _mariadb_engine(url, options, silence=None if migrates else SILENCE_SECONDS)


def _sqlite_engine(url: URL, *, create: bool, foreign_keys: bool, options: dict[str, Any]) -> Engine:
    path = Path(url.database or "")
    _check_file(path, create=create)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={'rwc' if create else 'rw'}",
            uri=True,
            timeout=LOCK_SECONDS,
            isolation_level=None,  # the driver would begin transactions late and DDL outside of them
            check_same_thread=False,
        )
        if create:
            _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        return connection

    engine = create_engine(url, hide_parameters=True, creator=connect, **options)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _check_file(path: Path, *, create: bool) -> None:
    # Without a word on the folder: migrate makes that of the default database, and names any other.
    if not create and not path.is_file():
        raise DatabaseSettingError(f"there is no database at {path}: run catalog-sync migrate, or mend the URL")
    if not path.parent.is_dir():
        raise DatabaseSettingError(f"the folder of the database does not exist: make {path.parent}, or mend the URL")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a database that is still empty to write-ahead logging; one that is not stays as its owner set it."""
    deadline = time.monotonic() + LOCK_SECONDS
    while connection.execute("PRAGMA page_count").fetchone() == (0,):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Of several processes that make the file at once only one gets the lock, and SQLite does
            # not wait for this one.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL, options: dict[str, Any]) -> Engine:
    arguments: dict[str, Any] = {
        "prepare_threshold": None,  # a transaction pool gives the next statement to another session
        "client_encoding": "utf8",
        "connect_timeout": url.query.get("connect_timeout", CONNECT_SECONDS),
        # A server that is gone without a word is noticed within a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,  # milliseconds
    }
    engine = create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        use_native_hstore=False,  # saves a question to the server on every start
        connect_args=arguments,
        **options,
    )
    event.listen(engine, "connect", _postgresql_connected)
    return engine


def _postgresql_connected(connection: Any, _record: object) -> None:
    connection.autocommit = True
    # As statements: PgBouncer refuses the "options" parameter. The driver reads times in ISO form only.
    connection.execute("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'")
    connection.autocommit = False


def _mariadb_engine(url: URL, options: dict[str, Any], *, silence: int | None) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args={
            "charset": "utf8mb4",
            "autocommit": False,
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": silence,
            "write_timeout": silence,
            "init_command": _MARIADB_SESSION,
        },
        **options,
    )
    event.listen(engine, "handle_error", _mariadb_failed)
    return engine


def _mariadb_failed(context: ExceptionContext) -> None:
    # The node keeps the connection but is of no use: the next try must go to another one.
    if _mariadb_code(context.original_exception) in _NODE_LOST:
        context.is_disconnect = True
