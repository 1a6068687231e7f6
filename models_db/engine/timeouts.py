"""How long a database connection may wait: for the server, for a lock, for data."""

from __future__ import annotations

from sqlalchemy import URL, Engine

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
DEFAULT_TIMEOUT_SECONDS = 60.0

_TIMEOUT_OPTION = "catalog_sync_timeout"


def set_timeout(engine: Engine, seconds: float) -> None:
    """Record the engine's timeout for ``timeout_of``."""
    engine.update_execution_options(**{_TIMEOUT_OPTION: seconds})


def timeout_of(engine: Engine) -> float:
    """Return the engine's read timeout in seconds. An unreachable server is retried for the same time."""
    return float(engine.get_execution_options().get(_TIMEOUT_OPTION, DEFAULT_TIMEOUT_SECONDS))


def connect_seconds(url: URL, timeout: float | None) -> int:
    """Return how long to wait for a connection: ``connect_timeout`` of the URL, else at most half of ``timeout``.

    So a frozen server costs less than three timeouts: that of a response, that of the retries, and the last
    of them. A ``timeout`` of None means no read timeout.
    """
    given = url.query.get("connect_timeout")
    if given is not None:
        return int(str(given))  # checked with the URL
    return CONNECT_SECONDS if timeout is None else max(1, min(CONNECT_SECONDS, int(timeout / 2)))


def lock_seconds(timeout: float | None) -> int:
    """Return how long to wait for a lock.

    Half of the read timeout at most: the server must report the failed lock before the client gives up
    on the server.
    """
    return LOCK_SECONDS if timeout is None else max(1, min(LOCK_SECONDS, int(timeout / 2)))
