"""Fetching the catalog from the Partner API.

The modes are fetched at the same time, each in its own thread, so that a mode whose response never ends does
not use up the time of the other. The calling thread only waits, so it can return at any time.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sync.errors import Interrupted, UsageError
from sync.source import MODELS_PATH
from sync.source.api_key import mask as mask_key
from sync.source.api_key import require_sendable
from sync.source.http.context import FetchContext
from sync.source.http.results import Fetched, FetchFailed, FetchSettings, Retrying

if TYPE_CHECKING:
    from sync.source.http.worker import FetchWorker

__all__ = ["FetchFailed", "FetchSettings", "Fetched", "OnRetry", "fetch_modes"]

OnRetry = Callable[[str, int, float, str], None]

# Seconds between two checks of ``cancelled``: short for a person who presses Ctrl-C, long for the CPU.
_CHECK_INTERVAL = 0.05


def fetch_modes(
    modes: Sequence[str],
    settings: FetchSettings,
    api_key: str,
    *,
    clock: Callable[[], datetime],
    rng: random.Random,
    cancelled: threading.Event,
    on_retry: OnRetry | None = None,
    mask: Callable[[str], str] | None = None,
) -> dict[str, Fetched | FetchFailed]:
    """Fetch each mode, and return the result of each in the order given.

    Returns within the deadline, whatever the server does. A failure of one mode does not affect the other.
    ``clock`` gives aware UTC times and is called from several threads. ``on_retry`` gets the mode, the number
    of the next attempt, the seconds until then and the reason, and is called in this thread. ``mask`` hides the
    secrets in what is quoted from a server; by default it hides the key alone.

    Raises ``Interrupted`` soon after ``cancelled`` is set, and ``UsageError`` for a base URL or key that
    cannot be used. All sockets are closed when it returns or raises. No message contains the key.
    """
    require_sendable(api_key)
    # Imported late: it imports requests, which a command that fetches nothing does not need.
    from sync.source.http.worker import FetchWorker

    context = _context(settings, api_key, mask or partial(mask_key, key=api_key), clock, rng)
    workers = {mode: FetchWorker(mode, context) for mode in modes}
    try:
        return _collect(workers, context, cancelled, on_retry)
    finally:
        for worker in workers.values():
            worker.cancel()


def _context(
    settings: FetchSettings,
    api_key: str,
    mask: Callable[[str], str],
    clock: Callable[[], datetime],
    rng: random.Random,
) -> FetchContext:
    try:
        parts = urlsplit(settings.base_url)
    except ValueError:
        raise UsageError("the base URL is not a valid URL; check CATALOG_SYNC_BASE_URL") from None
    return FetchContext(
        settings=settings,
        url=settings.base_url.rstrip("/") + MODELS_PATH,
        server=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",
        api_key=api_key,
        mask=mask,
        # Plain http is only allowed to loopback. A proxy there would receive the key unencrypted.
        trust_environment=settings.trusts_environment and parts.scheme == "https",
        ends_at=time.monotonic() + settings.deadline,
        clock=clock,
        rng=rng,
        events=queue.SimpleQueue(),
    )


def _collect(
    workers: dict[str, FetchWorker], context: FetchContext, cancelled: threading.Event, on_retry: OnRetry | None
) -> dict[str, Fetched | FetchFailed]:
    results: dict[str, Fetched | FetchFailed] = {}
    if not cancelled.is_set():
        for worker in workers.values():
            worker.start()
    while len(results) < len(workers):
        if cancelled.is_set():
            raise Interrupted("the fetch was interrupted: no response was stored; run the command again")
        if (left := context.seconds_left()) <= 0:
            break
        _handle_event(context, min(left, _CHECK_INTERVAL), results, on_retry)
    return {mode: results.get(mode) or worker.deadline_failure() for mode, worker in workers.items()}


def _handle_event(
    context: FetchContext, timeout: float, results: dict[str, Fetched | FetchFailed], on_retry: OnRetry | None
) -> None:
    try:
        event = context.events.get(timeout=timeout)
    except queue.Empty:
        return
    if isinstance(event, Fetched | FetchFailed):
        results[event.mode] = event
    elif isinstance(event, Retrying):
        if on_retry:
            on_retry(event.mode, event.attempt, event.wait, event.reason)
    else:
        raise event.error
