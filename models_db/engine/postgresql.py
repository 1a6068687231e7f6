"""A PostgreSQL connection that does not wait for ever.

The driver waits for an answer as long as the server's host lives. A server that is frozen, or whose
COMMIT waits for a standby that is gone, would hold a run for good; no setting of the server ends that.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

import psycopg

T = TypeVar("T")
Asking: TypeAlias = Generator[Any, Any, T]
"""How the driver asks to be woken: what it waits for goes out, what is ready comes in, none as 0."""


class ReadTimeout(psycopg.OperationalError):
    """The server has sent nothing for too long. The connection is closed; what was asked may have been done."""


class ReadTimeoutConnection(psycopg.Connection[Any]):
    """Raises ``ReadTimeout`` when an answer, or the rest of it, does not come within ``timeout`` seconds."""

    timeout = float("inf")

    def wait(self, gen: Asking[T], *args: Any, **kwargs: Any) -> T:
        """What the driver does for every answer it waits for: statements, commits, rollbacks."""
        try:
            return super().wait(_limited(gen, self.timeout), *args, **kwargs)
        except ReadTimeout:
            self.pgconn.finish()  # in the middle of an answer it is of no more use
            raise


def _limited(gen: Asking[T], seconds: float) -> Asking[T]:
    """The same, ended when nothing has come for so long; the driver asks several times a second."""
    try:
        wanted = next(gen)
        last = time.monotonic()
        while True:
            ready = yield wanted
            now = time.monotonic()
            if ready:
                last = now
            elif now - last > seconds:
                raise ReadTimeout(f"no answer within {seconds:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result
