"""Connections to MariaDB: session settings, a limit on the login, and several hosts behind one URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.connections import Connection
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from models_db.engine.error_classes import mariadb_code, needs_another_host
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
_DEFAULT_PORT = 3306


def make_engine(url: URL, *, timeout: float | None, options: dict[str, Any]) -> Engine:
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
            "connect_timeout": connect_seconds(timeout),
            "read_timeout": timeout,
            "write_timeout": timeout,
            "init_command": _SESSION.format(seconds=lock_seconds(timeout)),
        },
        **options,
    )
    engine.url = url  # as it was given, for messages
    HostRotation(engine)
    report_refusals(engine)
    return engine


class LoginTimeoutConnection(SecureLogin):
    """A connection whose login fails when the server sends nothing for ``connect_timeout`` seconds.

    The driver applies ``connect_timeout`` only until the port accepts the connection. It waits for the
    server's greeting with ``read_timeout``, and migrations have no read timeout.
    """

    _read_timeout: float | None

    def connect(self, sock: Any = None) -> None:
        read_timeout = self._read_timeout
        self._read_timeout = min(filter(None, (self.connect_timeout, read_timeout)), default=None)
        try:
            super().connect(sock)
        finally:
            self._read_timeout = read_timeout


class HostRotation:
    """Connects an engine to the first host of its URL that accepts the login.

    A host that reports that it cannot serve writes is tried last from then on. PostgreSQL needs no such
    class: libpq takes several hosts itself.
    """

    def __init__(self, engine: Engine) -> None:
        self._first = 0
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "handle_error", self._on_error)

    def _connect(self, _dialect: object, _record: object, arguments: Any, options: dict[str, Any]) -> Connection:
        """Return a connection to the first host that accepts it; raises the last host's error."""
        *others, last = self._addresses(options)
        for address in others:
            with suppress(pymysql.OperationalError):
                return LoginTimeoutConnection(*arguments, **{**options, **address})
        return LoginTimeoutConnection(*arguments, **{**options, **last})

    def _addresses(self, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield host and port of each host, beginning with the one to try first."""
        hosts, ports = (str(options.get(name) or "").split(",") for name in ("host", "port"))
        for offset in range(len(hosts)):
            index = (self._first + offset) % len(hosts)
            port = ports[index] if index < len(ports) else ""
            yield {"host": hosts[index] or "localhost", "port": int(port or _DEFAULT_PORT)}

    def _on_error(self, context: ExceptionContext) -> None:
        # The server keeps such a connection open, so SQLAlchemy would give it out again.
        if needs_another_host(mariadb_code(context.original_exception)):
            context.is_disconnect = True
            self._first += 1
