"""What asking for a mode came to."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from sync.errors import CatalogSyncError


class FetchSettings(Struct, frozen=True):
    """Where to ask, and the bounds.

    ``deadline`` is in seconds, for all requests of a run together; ``attempts`` are for each mode,
    ``max_bytes`` for each mode's body once decoded.
    """

    base_url: str
    deadline: float = 60.0
    attempts: int = 4
    max_bytes: int = 128 * 1024 * 1024


class Fetched(Struct, frozen=True):
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


class FetchFailed(Struct, frozen=True):
    """No usable answer, and why; the other fields tell about the last request made, if any."""

    mode: str
    error: CatalogSyncError
    http_status: int | None
    attempts: int
    asked_at: datetime | None
    server_date: datetime | None


class Retrying(Struct, frozen=True):
    """A request failed and is made again as ``attempt`` after ``wait`` seconds."""

    mode: str
    attempt: int
    wait: float
    reason: str
