"""The settings of a fetch, and what it gives for each mode."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct, field

from sync.errors import CatalogSyncError
from sync.source import DEFAULT_MAX_BYTES


class FetchSettings(Struct, frozen=True):
    """The address of the API, and the limits.

    ``deadline`` is in seconds, for all requests of a run together; ``attempts`` are for each mode,
    ``max_bytes`` for each mode's decoded body. With ``trusts_environment`` requests over https use the proxies and the
    CA bundle of the process's environment.
    """

    base_url: str
    deadline: float = 60.0
    attempts: int = 4
    max_bytes: int = DEFAULT_MAX_BYTES
    trusts_environment: bool = True


class Fetched(Struct, frozen=True):
    """A complete response with HTTP status 200 whose envelope reports no error. The models are not parsed yet.

    ``asked_at`` is just before the successful request was sent, ``arrived_at`` just after its last byte
    was received, both by this host's clock. ``server_date`` is the Date header of the response, or None
    when it is missing or not a date. ``age`` is the number of seconds in its Age header, or None without one.
    ``headers`` are all its headers, and ``headers_at`` is when they had arrived; None means with the body.
    ``problems`` are clauses about its Date and Age that a person should see.
    """

    mode: str
    body: bytes
    http_status: int
    attempts: int
    asked_at: datetime
    server_date: datetime | None
    arrived_at: datetime
    age: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_at: datetime | None = None
    problems: tuple[str, ...] = ()


class FetchFailed(Struct, frozen=True):
    """Why a mode has no usable response. The other fields describe the last request, if one was sent.

    ``body`` is that of its response, as far as it could be read; it may repeat a secret.
    """

    mode: str
    error: CatalogSyncError
    http_status: int | None
    attempts: int
    asked_at: datetime | None
    server_date: datetime | None
    age: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    arrived_at: datetime | None = None


class Retrying(Struct, frozen=True):
    """A request failed for ``reason``; ``attempt`` follows after ``wait`` seconds."""

    mode: str
    attempt: int
    wait: float
    reason: str


class WorkerCrashed(Struct, frozen=True):
    """A worker ended with an unexpected error."""

    error: BaseException


FetchEvent: TypeAlias = Fetched | FetchFailed | Retrying | WorkerCrashed
