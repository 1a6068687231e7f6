"""Ways in which one call of a run fails: a statement, a COMMIT, or a read from the API's socket."""

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

from tests.torture.database_calls import Around, Call

# So little is read at a time that one answer, zipped as it is, takes many reads.
_BYTES_A_READ = 50
_THREAD = "fetch-image"

Failure = Callable[[Call], None]
"""Raises what the driver would."""


def database_failures(kind: str) -> dict[str, Failure]:
    """How a call to a database of this kind can fail, by name."""
    if kind == "sqlite":
        return {
            "the disk is full": _raising(lambda: sqlite3.OperationalError("database or disk is full")),
            "an I/O error": _raising(lambda: sqlite3.OperationalError("disk I/O error")),
            "the file is locked": _raising(lambda: sqlite3.OperationalError("database is locked")),
        }
    if kind == "postgresql":
        from psycopg import errors

        return {
            "the connection breaks": _break_postgresql,
            "a deadlock": _raising(lambda: errors.DeadlockDetected("deadlock detected")),
            "the disk is full": _raising(lambda: errors.DiskFull("could not extend file")),
        }
    from pymysql.err import OperationalError

    return {
        "the connection breaks": _break_mariadb,
        "a deadlock": _raising(lambda: OperationalError(1213, "Deadlock found when trying to get lock")),
        "the disk is full": _raising(lambda: OperationalError(1114, "The table is full")),
    }


def failing_at(number: int, failure: Failure, *, after: bool, met: list[Call], commits: bool = False) -> Around:
    """Lets a call fail before it is made or after it was; the call is put into ``met``.

    With ``commits`` only COMMITs are counted.
    """
    counted = count(1)

    def act(call: Call, make: Callable[[], None]) -> None:
        if (commits and not call.is_commit) or next(counted) != number:
            make()
            return
        met.append(call)
        if after:
            make()
        failure(call)

    return act


def _raising(error: Callable[[], Exception]) -> Failure:
    def fail(call: Call) -> None:
        raise error()

    return fail


def _break_postgresql(call: Call) -> None:
    """The socket is shut down under the driver, which then finds out by itself."""
    with socket.socket(fileno=os.dup(call.connection.fileno())) as twin:
        twin.shutdown(socket.SHUT_RDWR)
    call.connection.execute("SELECT 1")


def _break_mariadb(call: Call) -> None:
    call.connection._sock.shutdown(socket.SHUT_RDWR)
    call.connection.query("SELECT 1")


def _reset() -> int:
    raise ConnectionResetError(104, "Connection reset by peer")


def _timeout() -> int:
    raise TimeoutError("timed out")


def _end() -> int:
    return 0


ENDS = "the answer ends"
READ_FAILURES: dict[str, Callable[[], int]] = {
    "the connection is reset": _reset,
    "nothing comes": _timeout,
    ENDS: _end,
}
"""How a read of a socket can fail: it raises, or gives how many bytes were read."""


@contextmanager
def reads_failing_at(
    number: int, failure: Callable[[], int], *, after: bool, on: bool, met: list[int]
) -> Iterator[None]:
    """Lets a read of the image answers fail, and with ``on`` all later ones; what failed is put into ``met``."""
    numbers = count(1)
    original = socket.socket.recv_into

    def recv_into(self: socket.socket, buffer: Any, size: int = 0, flags: int = 0) -> int:
        if threading.current_thread().name != _THREAD:
            return original(self, buffer, size, flags)
        mine = next(numbers)
        fails = mine >= number if on else mine == number
        if fails:
            met.append(mine)
        if fails and not after:
            return failure()
        read = original(self, buffer, min(size or len(buffer), _BYTES_A_READ), flags)
        return failure() if fails else read

    with (
        patch.object(socket.socket, "recv_into", recv_into),
        patch("sync.source.http.worker.wait_before", lambda *_: 0.0),  # there is no other client to spare
    ):
        yield
