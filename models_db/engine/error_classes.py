"""What a database error means for the caller: run the transaction again, reconnect, or give up."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

READ_ONLY = "is a standby or read-only"
"""The words of messages for a server that takes no writes."""

_TRANSIENT_SQLSTATES = {"40001", "40P01"}  # serialization failure, deadlock
# Deadlock; lock wait timeout; row changed since it was read; Galera: node not ready, commit rejected.
_TRANSIENT_MARIADB = {1213, 1205, 1020, 1047, 1180}
_READ_ONLY_MARIADB = {1290, 1792, 1836}  # the server, the session by a default of the server, InnoDB
# Galera: node not ready, or its majority lost during COMMIT; server that is read-only.
_NODE_CANNOT_WRITE = {1047, 1180} | _READ_ONLY_MARIADB
# Those of them that the server reports before it executes anything.
_NOTHING_EXECUTED = {1047} | _READ_ONLY_MARIADB
_CONNECTION_SQLSTATES = ("08", "57P")  # connection exceptions; server shutting down, crashed or starting
_LOCK_TIMEOUT_SQLSTATE = "55P03"
_READ_ONLY_SQLSTATE = "25006"
# Connection refused or broken during login; too many connections; server shutting down.
_MARIADB_UNAVAILABLE = {2002, 2003, 2006, 2013, 1040, 1053} | _NODE_CANNOT_WRITE
# libpq reports a failed connection as text only. "FATAL:" means that the server responded; a server that
# will soon accept connections gives one of the reasons below.
_SERVER_RESPONDED = "FATAL:"
# libpq has no password although the server asked for one. Another attempt has none either.
_NOT_SENT = "no password supplied"
_NOT_YET_ACCEPTING = (
    *("starting up", "shutting down", "in recovery", "not yet accepting"),
    *("too many clients", "connection slots"),
    # PgBouncer, of the server behind it.
    *("server login has been failing", "cannot connect to server", "server down", "query_wait_timeout"),
    *("server_login_retry", "server conn crashed"),
)
# libpq found a standby, or a session that may not write, where target_session_attrs asks for a primary.
_READ_ONLY_TEXTS = ("session is read-only", "server is in hot standby mode", READ_ONLY)


def is_transient(error: BaseException | None) -> bool:
    """Whether the whole transaction may succeed when it is run again at once.

    True for deadlocks, serialization failures, broken connections and MariaDB's lock wait timeouts. False
    for PostgreSQL's lock and statement timeouts (55P03, 57014): the caller has already waited for those.
    """
    if not isinstance(error, DBAPIError):
        return False
    original = error.orig
    return (
        error.connection_invalidated
        or getattr(original, "sqlstate", None) in _TRANSIENT_SQLSTATES
        or mariadb_code(original) in _TRANSIENT_MARIADB
    )


def commit_outcome_unknown(error: BaseException | None) -> bool:
    """Whether the COMMIT that failed with this error may have been carried out."""
    return isinstance(error, DBAPIError) and error.connection_invalidated and not _is_rejection(error)


def retry_may_reach_server(error: BaseException | None) -> bool:
    """Whether the connection failed or the server rejected it, so that a later attempt may succeed.

    True for a read-only server too: after a failover that may be the old primary.
    """
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return _is_rejection(error) or (
        isinstance(error, OperationalError | InterfaceError)
        and (state is None or state.startswith(_CONNECTION_SQLSTATES))
    )


def server_unavailable(error: BaseException | None) -> bool:
    """Whether no server can be used now, though one may be soon.

    The connection broke, none could be made, or the servers are not ready or read-only. False when a
    server rejected this user, password or database. Always False on SQLite.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = mariadb_code(error.orig)
    if code is not None:
        return code in _MARIADB_UNAVAILABLE
    if not type(error.orig).__module__.startswith("psycopg"):
        return False
    message = str(error.orig)
    will_accept = any(reason in message for reason in _NOT_YET_ACCEPTING)
    refused = _SERVER_RESPONDED in message or _NOT_SENT in message
    return retry_may_reach_server(error) and (not refused or will_accept)


def is_damaged(error: BaseException | None) -> bool:
    """Whether an SQLite file is damaged, or is not a database."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return getattr(original, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def is_closed_folder(error: BaseException | None) -> bool:
    """Whether SQLite may not write to the file, or make the files that belong to it in its folder."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return getattr(original, "sqlite_errorname", "").startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY"))


def is_lock_wait(error: BaseException | None) -> bool:
    """Whether a wait for a lock timed out on PostgreSQL. On MariaDB ``is_transient`` covers that."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT_SQLSTATE


def is_read_only(original: BaseException | None) -> bool:
    """Whether the driver's error says that the server, or one of several hosts, takes no writes."""
    if mariadb_code(original) in _READ_ONLY_MARIADB:
        return True
    if original is None or not type(original).__module__.startswith(("psycopg", "pymysql")):
        return False
    text = str(original)
    return getattr(original, "sqlstate", None) == _READ_ONLY_SQLSTATE or any(part in text for part in _READ_ONLY_TEXTS)


def needs_another_host(original: BaseException | None) -> bool:
    """Whether the driver's error means that the connection must be closed, although the server keeps it open."""
    return mariadb_code(original) in _NODE_CANNOT_WRITE or is_read_only(original)


def mariadb_code(original: BaseException | None) -> int | None:
    """The code of an error raised by MariaDB or its driver; None for any other error."""
    if original is None or not type(original).__module__.startswith("pymysql") or not original.args:
        return None
    code = original.args[0]
    return code if isinstance(code, int) else None


def error_text(original: BaseException) -> str:
    """The first line of the driver's own message: the lines after it may quote a statement."""
    message = " ".join(str(part) for part in original.args if isinstance(part, (str, int))) or str(original)
    return " ".join((message.strip().splitlines() or [type(original).__name__])[0].split())


def _is_rejection(error: DBAPIError) -> bool:
    return is_read_only(error.orig) or mariadb_code(error.orig) in _NOTHING_EXECUTED
