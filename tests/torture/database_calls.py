"""The calls that a run makes to its database, held up one by one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb
from sqlalchemy.engine.default import DefaultDialect

# Where SQLAlchemy speaks to a driver; PyMySQL's dialect has a way of its own for many rows.
_STATEMENTS = (
    (DefaultDialect, "do_execute"),
    (DefaultDialect, "do_executemany"),
    (DefaultDialect, "do_execute_no_params"),
    (MySQLDialect_mysqldb, "do_executemany"),
)


@dataclass(frozen=True)
class Call:
    """One call to the database. ``connection`` is the driver's."""

    number: int
    """Counted from 1, statements and commits together."""
    is_commit: bool
    text: str
    connection: Any


Around = Callable[[Call, Callable[[], None]], None]
"""Gets each call and what carries it out."""


@contextmanager
def around_calls(act: Around) -> Iterator[None]:
    """While this lasts, every statement and COMMIT of every engine goes through ``act``."""
    numbers = iter(range(1, 10**9))

    def statement(original: Any) -> Any:
        def do(self: Any, cursor: Any, text: str, *rest: Any, **named: Any) -> None:
            call = Call(next(numbers), is_commit=False, text=text, connection=cursor.connection)
            act(call, lambda: original(self, cursor, text, *rest, **named))

        return do

    def commit(self: Any, connection: Any) -> None:
        raw = getattr(connection, "dbapi_connection", connection)
        call = Call(next(numbers), is_commit=True, text="COMMIT", connection=raw)
        act(call, lambda: original_commit(self, connection))

    original_commit: Callable[[Any, Any], None] = DefaultDialect.do_commit
    patches = [patch.object(place, name, statement(getattr(place, name))) for place, name in _STATEMENTS]
    with _all([*patches, patch.object(DefaultDialect, "do_commit", commit)]):
        yield


def dying_at(number: int, *, after: bool) -> Around:
    """Ends this process by SIGKILL at a call, before it is made or after it was."""

    def act(call: Call, make: Callable[[], None]) -> None:
        if call.number == number and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        make()
        if call.number == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return act


def quiet_end(pid: int) -> None:
    """End a process of ours, whether it still runs or not, and take its end."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


@contextmanager
def _all(patches: list[Any]) -> Iterator[None]:
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in reversed(patches):
            each.stop()
