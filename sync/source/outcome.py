"""What asking for a mode came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync.errors import CatalogSyncError


@dataclass(frozen=True)
class FetchSettings:
    """Where to ask, and the bounds.

    ``deadline`` is in seconds, for all requests of a run together; ``attempts`` are for each mode,
    ``max_bytes`` for each mode's body once decoded.
    """

    base_url: str
    deadline: float = 60.0
    attempts: int = 4
    max_bytes: int = 128 * 1024 * 1024


@dataclass(frozen=True)
class Fetched:
    """A complete answer under HTTP 200 whose envelope does not refuse; not parsed beyond that.

    ``asked_at`` is just before the request that was answered, ``arrived_at`` when its last byte was
    here, both by our clock; ``server_date`` is the answer's Date header, if it had a readable one.
    """

    mode: str
    body: bytes
    http_status: int
    attempts: int
    asked_at: datetime
    server_date: datetime | None
    arrived_at: datetime


@dataclass(frozen=True)
class FetchFailed:
    """No usable answer, and why; the other fields tell about the last request made, if any."""

    mode: str
    error: CatalogSyncError
    http_status: int | None
    attempts: int
    asked_at: datetime | None
    server_date: datetime | None


@dataclass(frozen=True)
class Retrying:
    """A request failed and is made again as ``attempt`` after ``wait`` seconds."""

    mode: str
    attempt: int
    wait: float
    reason: str
