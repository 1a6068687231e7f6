"""Intercepts each call that the program makes to its database, to count it or to make it fail."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb
from sqlalchemy.engine.default import DefaultDialect

# Where SQLAlchemy calls a driver. The dialect for PyMySQL has its own method for statements with many rows.
_STATEMENT_METHODS = (
    (DefaultDialect, "do_execute"),
    (DefaultDialect, "do_executemany"),
    (DefaultDialect, "do_execute_no_params"),
    (MySQLDialect_mysqldb, "do_executemany"),
)


@dataclass(frozen=True)
class DatabaseCall:
    """One statement or COMMIT."""

    number: int
    """Counted from 1, statements and COMMITs together."""
    is_commit: bool
    sql: str
    connection: Any
    """The connection of the driver."""


Interceptor = Callable[[DatabaseCall, Callable[[], None]], None]
"""Takes a call and the function that carries it out."""


@contextmanager
def intercept_calls(intercept: Interceptor) -> Iterator[None]:
    """Inside the block every statement and COMMIT of every engine goes through ``intercept``."""
    numbers = iter(range(1, 10**9))

    def intercepted_statement(original: Any) -> Any:
        def do(self: Any, cursor: Any, sql: str, *args: Any, **kwargs: Any) -> None:
            call = DatabaseCall(next(numbers), is_commit=False, sql=sql, connection=cursor.connection)
            intercept(call, lambda: original(self, cursor, sql, *args, **kwargs))

        return do

    def intercepted_commit(self: Any, connection: Any) -> None:
        raw = getattr(connection, "dbapi_connection", connection)
        call = DatabaseCall(next(numbers), is_commit=True, sql="COMMIT", connection=raw)
        intercept(call, lambda: original_commit(self, connection))

    original_commit: Callable[[Any, Any], None] = DefaultDialect.do_commit
    patches = [
        patch.object(dialect, name, intercepted_statement(getattr(dialect, name)))
        for dialect, name in _STATEMENT_METHODS
    ]
    with ExitStack() as stack:
        for each in [*patches, patch.object(DefaultDialect, "do_commit", intercepted_commit)]:
            stack.enter_context(each)
        yield


def kill_at(number: int, *, after: bool) -> Interceptor:
    """Kills this process with SIGKILL before the call with this number, or after it."""

    def intercept(call: DatabaseCall, proceed: Callable[[], None]) -> None:
        if call.number == number and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        proceed()
        if call.number == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return intercept
