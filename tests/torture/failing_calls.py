"""Ways to make one call of a run fail: a statement, a COMMIT, or a read from the socket to the API."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from tests.torture.database_calls import DatabaseCall, Interceptor

# Small enough that even a compressed response takes many reads.
_BYTES_PER_READ = 50
# Only one of the two fetching threads fails, so that the number of a read means the same in each run.
_THREAD = "fetch-image"

BROKEN_CONNECTION = "the connection breaks"
Failure = Callable[[DatabaseCall], None]
"""Raises the error that the driver would raise."""


def database_failures(kind: str) -> dict[str, Failure]:
    """The ways in which a call to a database of this kind can fail, by name."""
    if kind == "sqlite":
        return {
            "the disk is full": _raising(lambda: sqlite3.OperationalError("database or disk is full")),
            "an I/O error": _raising(lambda: sqlite3.OperationalError("disk I/O error")),
            "the file is locked": _raising(lambda: sqlite3.OperationalError("database is locked")),
        }
    if kind == "postgresql":
        from psycopg import errors

        return {
            BROKEN_CONNECTION: _break_postgresql,
            "a deadlock": _raising(lambda: errors.DeadlockDetected("deadlock detected")),
            "the disk is full": _raising(lambda: errors.DiskFull("could not extend file")),
        }
    from pymysql.err import OperationalError

    return {
        BROKEN_CONNECTION: _break_mariadb,
        "a deadlock": _raising(lambda: OperationalError(1213, "Deadlock found when trying to get lock")),
        "the disk is full": _raising(lambda: OperationalError(1114, "The table is full")),
    }


def fail_call(
    number: int, failure: Failure, *, after: bool, failed: list[DatabaseCall], commits: bool = False
) -> Interceptor:
    """Makes the call with this number fail, before it is carried out or after it; it is added to ``failed``.

    With ``commits`` only COMMITs are counted.
    """
    numbers = count(1)

    def intercept(call: DatabaseCall, proceed: Callable[[], None]) -> None:
        if (commits and not call.is_commit) or next(numbers) != number:
            proceed()
            return
        failed.append(call)
        if after:
            proceed()
        failure(call)

    return intercept


def _raising(error: Callable[[], Exception]) -> Failure:
    def fail(call: DatabaseCall) -> None:
        raise error()

    return fail


def _break_postgresql(call: DatabaseCall) -> None:
    """Shuts the socket down, so that the driver meets the broken connection by itself and raises its own error."""
    with socket.socket(fileno=os.dup(call.connection.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)
    # The driver raises its own error for the broken socket.
    call.connection.execute("SELECT 1")


def _break_mariadb(call: DatabaseCall) -> None:
    call.connection._sock.shutdown(socket.SHUT_RDWR)
    call.connection.query("SELECT 1")


def _reset() -> int:
    raise ConnectionResetError(104, "Connection reset by peer")


def _timeout() -> int:
    raise TimeoutError("timed out")


def _end() -> int:
    return 0


END_OF_RESPONSE = "the response ends"
READ_FAILURES: dict[str, Callable[[], int]] = {
    "the connection is reset": _reset,
    "the read times out": _timeout,
    END_OF_RESPONSE: _end,
}
"""The ways in which a read from a socket can fail: it raises, or returns 0 as the number of bytes read."""


@contextmanager
def fail_reads(
    number: int, failure: Callable[[], int], *, after: bool, all_later: bool, failed: list[int]
) -> Iterator[None]:
    """Makes the read of an image response with this number fail, and with ``all_later`` all reads after it.

    The numbers of the failed reads are added to ``failed``.
    """
    numbers = count(1)
    original = socket.socket.recv_into

    def recv_into(self: socket.socket, buffer: Any, size: int = 0, flags: int = 0) -> int:
        if threading.current_thread().name != _THREAD:
            return original(self, buffer, size, flags)
        current = next(numbers)
        fails = current >= number if all_later else current == number
        if fails:
            failed.append(current)
        if fails and not after:
            return failure()
        # The size is limited for every read, or the first one would return the whole response.
        read = original(self, buffer, min(size or len(buffer), _BYTES_PER_READ), flags)
        return failure() if fails else read

    with (
        patch.object(socket.socket, "recv_into", recv_into),
        patch("sync.source.http.worker.wait_before", lambda *_: 0.0),  # no other client uses this server
    ):
        yield
