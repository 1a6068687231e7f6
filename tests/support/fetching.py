"""Fetches from a server on loopback as a run does, without random waits."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime

from sync.source.http.fetch import Fetched, FetchFailed, FetchSettings, OnRetry, fetch_modes

KEY = "gva_live_x1y2z3w4.s3cr3tpartthatnobodymaysee"


class NoWait(random.Random):
    """A source of jitter that is always the least, so that retries follow at once."""

    def uniform(self, a: float, b: float) -> float:
        return a


def now() -> datetime:
    return datetime.now(UTC)


def fetch_both(
    url: str,
    *,
    deadline: float = 5,
    attempts: int = 3,
    max_bytes: int = 1 << 20,
    cancelled: threading.Event | None = None,
    on_retry: OnRetry | None = None,
    modes: tuple[str, ...] = ("image", "video"),
) -> dict[str, Fetched | FetchFailed]:
    settings = FetchSettings(url, deadline=deadline, attempts=attempts, max_bytes=max_bytes)
    stop = cancelled or threading.Event()
    return fetch_modes(modes, settings, KEY, clock=now, rng=NoWait(), cancelled=stop, on_retry=on_retry)


def fetched(url: str, *, attempts: int = 3, deadline: float = 5, max_bytes: int = 1 << 20) -> Fetched:
    """The response for mode image; the fetch must succeed."""
    outcome = fetch_both(url, modes=("image",), attempts=attempts, deadline=deadline, max_bytes=max_bytes)["image"]
    assert isinstance(outcome, Fetched), outcome
    return outcome


def failed(
    url: str,
    *,
    attempts: int = 3,
    deadline: float = 5,
    max_bytes: int = 1 << 20,
    on_retry: OnRetry | None = None,
) -> FetchFailed:
    """The error for mode image; the fetch must fail, and its message must be one line without the key."""
    outcome = fetch_both(
        url, modes=("image",), attempts=attempts, deadline=deadline, max_bytes=max_bytes, on_retry=on_retry
    )["image"]
    assert isinstance(outcome, FetchFailed), outcome
    message = str(outcome.error)
    assert message.isprintable()
    assert not any(part in message for part in KEY.split("."))
    return outcome
