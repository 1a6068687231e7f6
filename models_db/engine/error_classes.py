"""What an error of the database means for the one who met it: try again, look for the server, or give up."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

_TRANSIENT_SQLSTATES = {"40001", "40P01"}  # serialization failure, deadlock
# Deadlock; lock wait; row changed meanwhile; and of Galera: node not ready, commit refused.
_TRANSIENT_MARIADB = {1213, 1205, 1020, 1047, 1180}
# A node of Galera that is not ready, or lost its majority in a COMMIT; a server that takes no writes.
_NODE_OF_NO_USE = {1047, 1180, 1290, 1836}
# Of those, the ones that say before anything is done that it will not be.
_NOT_BEGUN = {1047, 1290, 1836}
_CONNECTION = ("08", "57P")  # connection exceptions; the server is shut down, has crashed or is starting
_LOCK_WAIT_SQLSTATE = "55P03"
_READ_ONLY_SQLSTATE = "25006"
# Nobody there, or gone while we were let in; too many connections; shutting down; node not ready.
_MARIADB_AWAY = {2002, 2003, 2006, 2013, 1040, 1053, 1047}
# libpq tells a failed connection in words alone. A server that answered says FATAL first, and one
# that is about to serve says so behind it.
_ANSWERED = "FATAL:"
_NOT_YET = ("starting up", "shutting down", "in recovery", "not yet accepting", "too many clients", "connection slots")


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
        or mariadb_code(original) in _TRANSIENT_MARIADB
    )


def connection_unusable(error: BaseException | None) -> bool:
    """Whether the connection is of no more use, and another may be."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def commit_outcome_unknown(error: BaseException | None) -> bool:
    """Whether the connection broke while it was in use, so that a commit may have been carried out unheard."""
    return isinstance(error, DBAPIError) and error.connection_invalidated and not _is_refusal(error)


def retry_may_reach_server(error: BaseException | None) -> bool:
    """Whether the database did not let us in, or the connection failed: later it may be there again.

    True for a server that takes no writes, too: after a failover that may be the one of yesterday.
    """
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return _is_refusal(error) or (
        isinstance(error, OperationalError | InterfaceError) and (state is None or state.startswith(_CONNECTION))
    )


def server_unavailable(error: BaseException | None) -> bool:
    """Whether no server took the connection: none there, none that can be asked yet, or none that takes writes.

    False when a server answered and refused this user, password or database, and on SQLite.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = mariadb_code(error.orig)
    if code is not None:
        return code in _MARIADB_AWAY
    if not type(error.orig).__module__.startswith("psycopg"):
        return False
    words = str(error.orig)
    return retry_may_reach_server(error) and (_ANSWERED not in words or any(word in words for word in _NOT_YET))


def is_damaged(error: BaseException | None) -> bool:
    """Whether an SQLite file is damaged, or no database at all."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return getattr(original, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def is_lock_wait(error: BaseException | None) -> bool:
    """Whether PostgreSQL gave up waiting for a lock; MariaDB's wait counts as transient."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _LOCK_WAIT_SQLSTATE


def is_read_only(original: BaseException | None) -> bool:
    """Whether a PostgreSQL takes no writes."""
    return getattr(original, "sqlstate", None) == _READ_ONLY_SQLSTATE


def needs_another_host(mariadb_code: int | None) -> bool:
    """Whether a MariaDB says by this number that another server should be asked."""
    return mariadb_code in _NODE_OF_NO_USE


def _is_refusal(error: DBAPIError) -> bool:
    return is_read_only(error.orig) or mariadb_code(error.orig) in _NOT_BEGUN


def mariadb_code(original: BaseException | None) -> int | None:
    """The number of an error that MariaDB or its driver raised; None for any other."""
    if original is None or not type(original).__module__.startswith("pymysql") or not original.args:
        return None
    code = original.args[0]
    return code if isinstance(code, int) else None
