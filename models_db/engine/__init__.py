"""The one place that makes an engine: what every connection is told, and the two kinds of transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import ExceptionContext

from models_db.engine.error_classes import is_read_only
from models_db.engine.mariadb import Hosts
from models_db.engine.sqlite import check_file, open_file
from models_db.engine.urls import masked_url, normalise_url

__all__ = [
    "DEFAULT_TIMEOUT_SECONDS",
    "WRITES",
    "masked_url",
    "migration_engine",
    "normalise_url",
    "open_engine",
    "read_transaction",
    "write_transaction",
]

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
# So long a server may be silent before it counts as lost; in a migration it may be as long as it likes.
DEFAULT_TIMEOUT_SECONDS = 60.0
# An execution option: on SQLite such a transaction takes the write lock as it begins, because one
# that reads first and then writes fails at once when another writer came between.
WRITES = "catalog_sync_writes"
_TIMEOUT = "catalog_sync_patience"

_MARIADB_SESSION = (
    # Without a strict mode too long text is cut and too large numbers are bent, with no error.
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',"
    " innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}"
)
_SMALL_POOL = {"pool_size": 1, "max_overflow": 4}


def open_engine(url: str | URL, *, create: bool = False, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Engine:
    """An engine with a small pool whose connections are strict, speak UTC and never wait for ever.

    A server that is silent for ``timeout`` seconds counts as lost. On SQLite the file must exist
    unless ``create``; foreign keys are enforced. Raises ``DatabaseSettingError`` for a bad URL, a
    missing driver, file or folder. Connects to nothing yet.
    """
    engine = _make(url, create=create, timeout=timeout, options=dict(_SMALL_POOL))
    engine.update_execution_options(**{_TIMEOUT: timeout})
    return engine


def timeout_of(engine: Engine) -> float:
    """How many seconds of silence its connections bear; also how long a lost server is worth looking for."""
    return float(engine.get_execution_options().get(_TIMEOUT, DEFAULT_TIMEOUT_SECONDS))


def migration_engine(url: str | URL, *, create: bool = False) -> Engine:
    """An engine for migrations: no pool, and no foreign keys on SQLite.

    Rebuilding a table there drops the old one, and enforced foreign keys would then delete the rows
    that refer to it.
    """
    return _make(url, create=create, timeout=None, options={"poolclass": NullPool})


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that may write: committed at the end, rolled back on any error.

    Waits at most 30 s for each lock, or half of the engine's patience if that is less.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            seconds = _lock_seconds(timeout_of(engine))
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{seconds}s'")
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


def _lock_seconds(timeout: float | None) -> int:
    """Less than the patience: a server that waits for a lock is not lost, and says when it gives up."""
    return LOCK_SECONDS if timeout is None else max(1, min(LOCK_SECONDS, int(timeout / 2)))


def _make(url: str | URL, *, create: bool, timeout: float | None, options: dict[str, Any]) -> Engine:
    """An engine; with a ``timeout`` of None it is for migrations."""
    url = normalise_url(url) if isinstance(url, str) else url
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, create, timeout, options)
    if url.get_backend_name() == "postgresql":
        return _postgresql_engine(url, timeout, options)
    return _mariadb_engine(url, timeout, options)


def _sqlite_engine(url: URL, create: bool, timeout: float | None, options: dict[str, Any]) -> Engine:  # noqa: FBT001  # passed on
    path = Path(url.database or "")
    check_file(path, create=create)

    def connect() -> sqlite3.Connection:
        connection = open_file(path, create=create, wait=_lock_seconds(timeout))
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if timeout is None else 'ON'}")
        return connection

    engine = create_engine(url, hide_parameters=True, creator=connect, **options)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _connect_seconds(timeout: float | None) -> int:
    return CONNECT_SECONDS if timeout is None else max(1, min(CONNECT_SECONDS, int(timeout)))


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL, timeout: float | None, options: dict[str, Any]) -> Engine:
    arguments: dict[str, Any] = {
        "prepare_threshold": None,  # a transaction pool gives the next statement to another session
        "client_encoding": "utf8",
        "connect_timeout": url.query.get("connect_timeout", _connect_seconds(timeout)),
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
    if timeout is not None:
        _make_patient(engine, timeout)
    event.listen(engine, "connect", _postgresql_connected)
    event.listen(engine, "handle_error", _postgresql_failed)
    return engine


def _make_patient(engine: Engine, timeout: float) -> None:
    from models_db.copying import CopyingCursor
    from models_db.engine.postgresql import ReadTimeoutConnection

    def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> ReadTimeoutConnection:
        connection = ReadTimeoutConnection.connect(*arguments, **options)
        connection.timeout = timeout
        connection.cursor_factory = CopyingCursor
        return connection

    event.listen(engine, "do_connect", connect)


def _postgresql_connected(connection: Any, _record: object) -> None:
    connection.autocommit = True
    # As statements: PgBouncer refuses the "options" parameter. The driver reads times in ISO form only.
    connection.execute("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'")
    connection.autocommit = False


def _postgresql_failed(context: ExceptionContext) -> None:
    # After a failover the old primary may be a standby: the next try must go to the new one.
    if is_read_only(context.original_exception):
        context.is_disconnect = True


def _mariadb_engine(url: URL, timeout: float | None, options: dict[str, Any]) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args={
            "charset": "utf8mb4",
            "autocommit": False,
            "connect_timeout": _connect_seconds(timeout),
            "read_timeout": timeout,
            "write_timeout": timeout,
            "init_command": _MARIADB_SESSION.format(seconds=_lock_seconds(timeout)),
        },
        **options,
    )
    Hosts(engine)
    return engine
