"""Connections to MariaDB: session settings, a limit on the login, and servers that take no statements or writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from models_db.engine.error_classes import needs_another_host
from models_db.engine.hosts import Use, first_connection
from models_db.engine.mariadb_login import SecureLogin, without_own_options
from models_db.engine.refusals import report_refusals
from models_db.engine.timeouts import connect_seconds, lock_seconds
from models_db.engine.tls import tls_of

# Without a strict mode MariaDB cuts text that is too long and clips numbers that are too large, without an error.
# The others are defaults of MariaDB that a server may change, and with them results, rows or commits: a limit on
# rows, refused joins and updates, IS NULL that finds the last id, unchecked constraints, digits of a mean, COMMIT that
# ends the connection, and tables without transactions.
_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',"
    " innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds},"
    " sql_select_limit = 18446744073709551615, max_join_size = 18446744073709551615, sql_big_selects = 1,"
    " sql_safe_updates = 0, sql_auto_is_null = 0, foreign_key_checks = 1, unique_checks = 1,"
    " check_constraint_checks = 1, div_precision_increment = 4, completion_type = NO_CHAIN,"
    " default_storage_engine = InnoDB"
)
_STATE = "SHOW GLOBAL VARIABLES WHERE variable_name IN ('read_only', 'wsrep_on', 'wsrep_reject_queries')"
_DEFAULT_PORT = 3306


def make_engine(url: URL, *, timeout: float | None, reads_only: bool, options: dict[str, Any]) -> Engine:
    """Return an engine; a ``timeout`` of None means no read timeout."""
    tls = tls_of(url)
    engine = create_engine(
        without_own_options(url),
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args={
            "charset": "utf8mb4",
            "tls": tls,
            "ssl": tls.context(),
            "ssl_disabled": tls.mode == "disable",
            "autocommit": False,
            "connect_timeout": connect_seconds(url, timeout),
            "read_timeout": timeout,
            "write_timeout": timeout,
            "init_command": _SESSION.format(seconds=lock_seconds(timeout)),
        },
        **options,
    )

    def connect(_dialect: object, _record: object, arguments: Any, given: dict[str, Any]) -> Connection:
        def to_one(host: dict[str, Any], use: Use) -> Connection:
            return _connect(arguments, host, use)

        return first_connection(given, to_one, pymysql.OperationalError, reads_only=reads_only)

    engine.url = url  # as it was given, for messages
    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", _on_error)
    report_refusals(engine)
    return engine


def _connect(arguments: Any, options: dict[str, Any], use: Use) -> Connection:
    port = int(options.get("port") or _DEFAULT_PORT)
    connection = LoginTimeoutConnection(*arguments, **{**options, "port": port})
    try:
        with connection.login_timeout():
            _require_ready(connection, use)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_ready(connection: Connection, use: Use) -> None:
    """Raise the error that the first statement would raise at a server that takes none.

    Here it is the host's error, so that the connection goes to the next one.
    """
    with connection.cursor() as cursor:
        # A node of Galera that is not ready answers SHOW alone.
        cursor.execute(_STATE)
        state = dict(cursor.fetchall())
        if state.get("wsrep_on") == "ON":
            cursor.execute("SHOW GLOBAL STATUS LIKE 'wsrep_ready'")
            is_ready = dict(cursor.fetchall()).get("wsrep_ready") != "OFF"
            if not is_ready or state.get("wsrep_reject_queries", "NONE") != "NONE":
                raise pymysql.OperationalError(ER.UNKNOWN_COM_ERROR, "the node of the Galera cluster is not ready")
    if use == "writes" and state.get("read_only", "OFF") not in {"OFF", "0"}:
        raise pymysql.OperationalError(ER.OPTION_PREVENTS_STATEMENT, "the server is read-only")


def _on_error(context: ExceptionContext) -> None:
    # The server keeps such a connection open, so SQLAlchemy would give it out again.
    if needs_another_host(context.original_exception):
        context.is_disconnect = True


class LoginTimeoutConnection(SecureLogin):
    """A connection whose login fails when the server sends nothing for ``connect_timeout`` seconds.

    The driver applies ``connect_timeout`` only until the port accepts the connection. It waits for the
    server's greeting with ``read_timeout``, and migrations have no read timeout.
    """

    _read_timeout: float | None

    def connect(self, sock: Any = None) -> None:
        with self.login_timeout():
            super().connect(sock)

    @contextmanager
    def login_timeout(self) -> Iterator[None]:
        """Within it a response is waited for no longer than for the connection."""
        read_timeout = self._read_timeout
        self._read_timeout = min(filter(None, (self.connect_timeout, read_timeout)), default=None)
        try:
            yield
        finally:
            self._read_timeout = read_timeout
