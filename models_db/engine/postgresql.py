"""Connections to PostgreSQL: session settings, a read timeout, and COPY."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from typing import Any, Self, TypeAlias, TypeVar

import psycopg
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from models_db.engine.error_classes import needs_another_host
from models_db.engine.hosts import Use, first_connection
from models_db.engine.postgresql_login import login_arguments, require_postgresql, without_own_options
from models_db.engine.refusals import report_refusals
from models_db.engine.timeouts import connect_seconds

T = TypeVar("T")
WaitGenerator: TypeAlias = Generator[Any, Any, T]
"""What the driver waits with: yields what to wait for, is sent what is ready or 0, and returns the result."""

_COPY = "COPY "


def make_engine(url: URL, *, timeout: float | None, reads_only: bool, options: dict[str, Any]) -> Engine:
    """Return an engine; a ``timeout`` of None means no read timeout."""
    arguments: dict[str, Any] = {
        "prepare_threshold": None,  # a transaction pooler gives the next statement to another session
        "client_encoding": "utf8",
        "connect_timeout": connect_seconds(url, timeout),
        # TCP reports an unreachable host within about a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,  # milliseconds
        **login_arguments(url),
    }
    engine = create_engine(
        without_own_options(url),
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        use_native_hstore=False,  # saves a query at each start
        connect_args=arguments,
        **options,
    )

    def connect(_dialect: object, _record: object, arguments: Any, given: dict[str, Any]) -> ReadTimeoutConnection:
        def to_one(host: dict[str, Any], use: Use) -> ReadTimeoutConnection:
            connection = ReadTimeoutConnection.connect(*arguments, **{"target_session_attrs": "any", **host})
            if use == "writes" and "target_session_attrs" not in host:
                _require_writes(connection, float(host["connect_timeout"]))
            connection.timeout = float("inf") if timeout is None else timeout
            connection.cursor_factory = CopyCursor
            return connection

        return first_connection(given, to_one, psycopg.OperationalError, reads_only=reads_only)

    event.listen(engine, "do_connect", connect)
    # Before SQLAlchemy asks for the version, which it cannot read on another product.
    event.listen(engine, "connect", require_postgresql, insert=True)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "handle_error", _on_error)
    engine.url = url  # as it was given, for messages
    report_refusals(engine)
    return engine


def _require_writes(connection: ReadTimeoutConnection, seconds: float) -> None:
    """Raise an error for which ``is_read_only`` holds if the server takes no writes.

    A statement asks for it, because PgBouncer logs a client in by itself: it repeats what its server
    reported at an earlier login, before a failover too, and a frozen server behind it is silent only now.
    """
    connection.timeout = seconds
    connection.autocommit = True
    try:
        row = connection.execute("SHOW transaction_read_only").fetchone()
    except BaseException:
        connection.close()
        raise
    if row == ("on",):
        connection.close()
        raise psycopg.OperationalError("session is read-only")
    connection.autocommit = False


def _on_connect(connection: Any, _record: object) -> None:
    connection.autocommit = True
    # These are statements because PgBouncer rejects the "options" parameter. The driver reads times in ISO form only.
    # In the statements a backslash within quotes is a character like any other.
    connection.execute("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET standard_conforming_strings = on")
    connection.autocommit = False


def _on_error(context: ExceptionContext) -> None:
    # After a failover the old primary may be a standby: the next connection must go to the new primary.
    if needs_another_host(context.original_exception):
        context.is_disconnect = True


class ReadTimeout(psycopg.OperationalError):
    """The server has sent nothing for too long. The connection is closed; the commit outcome may be unknown."""


class ReadTimeoutConnection(psycopg.Connection[Any]):
    """A connection that raises ``ReadTimeout`` when the server sends nothing for ``timeout`` seconds.

    The driver itself waits as long as the server's host is up. A frozen server, or a COMMIT that waits
    for an unreachable standby, would block a run forever, and no setting of the server prevents that.
    """

    timeout = float("inf")

    def wait(self, gen: WaitGenerator[T], *args: Any, **kwargs: Any) -> T:
        """Wait for the server. The driver calls this method for statements, commits and rollbacks."""
        try:
            return super().wait(_with_read_timeout(gen, self.timeout), *args, **kwargs)
        except ReadTimeout:
            self.pgconn.finish()  # the protocol cannot continue after part of a response
            raise


def _with_read_timeout(gen: WaitGenerator[T], seconds: float) -> WaitGenerator[T]:
    """Run ``gen``, but raise ``ReadTimeout`` after ``seconds`` without data.

    The driver resumes the generator several times a second even when nothing is ready.
    """
    try:
        wanted = next(gen)
        last_data_at = time.monotonic()
        while True:
            ready = yield wanted
            now = time.monotonic()
            if ready:
                last_data_at = now
            elif now - last_data_at > seconds:
                raise ReadTimeout(f"no response within {seconds:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result


class CopyCursor(psycopg.Cursor[Any]):
    """A cursor that takes the rows of ``COPY ... FROM STDIN`` as parameters.

    So SQLAlchemy runs COPY like any other statement, and events and errors work as usual.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        if params is None or not _is_copy(query):
            return super().execute(query, params, **options)
        self._copy_rows(query, [params])
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        if _is_copy(query):
            self._copy_rows(query, params_seq)
        else:
            super().executemany(query, params_seq, returning=returning)

    def _copy_rows(self, query: Any, rows: Iterable[Any]) -> None:
        with self.copy(query) as copy:
            for row in rows:
                copy.write_row(row)


def _is_copy(query: object) -> bool:
    return isinstance(query, str) and query.startswith(_COPY)
