"""Asking the Partner API for the catalog.

The modes are asked at the same time, each in its own thread, so that a mode whose answer never ends
cannot use up the time of the other; the caller's thread only waits, and so can always leave.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sync.errors import Interrupted, UsageError
from sync.source.http.results import Fetched, FetchFailed, FetchSettings, Retrying

if TYPE_CHECKING:
    from sync.source.http.attempts import ModeFetcher, Work

__all__ = ["FetchFailed", "FetchSettings", "Fetched", "OnRetry", "fetch_modes"]

OnRetry = Callable[[str, int, float, str], None]

# How long a wish to stop may go unnoticed, in seconds.
_NOTICE = 0.05


def fetch_modes(
    modes: Sequence[str],
    settings: FetchSettings,
    api_key: str,
    *,
    clock: Callable[[], datetime],
    rng: random.Random,
    cancelled: threading.Event,
    on_retry: OnRetry | None = None,
) -> dict[str, Fetched | FetchFailed]:
    """Ask for each mode, and say for each what came of it, in the order given.

    Returns within the deadline, whatever the server does. Each mode is judged by itself. ``clock``
    gives aware UTC times and is called from several threads; ``on_retry`` gets the mode, the number
    of the coming attempt, the seconds until it, and the reason, and is called in this thread.

    Raises ``Interrupted`` soon after ``cancelled`` is set, and ``UsageError`` for a key that no
    header can carry. However it ends, no socket stays open. No text of it holds the key.
    """
    _check_key(api_key)
    # Late: this brings requests along, which a command that fetches nothing should not pay for.
    from sync.source.http.attempts import ModeFetcher

    work = _work(settings, api_key, clock, rng)
    fetches = {mode: ModeFetcher(mode, work) for mode in modes}
    try:
        return _gather(fetches, work, cancelled, on_retry)
    finally:
        _abandon(fetches.values())


def _work(settings: FetchSettings, api_key: str, clock: Callable[[], datetime], rng: random.Random) -> Work:
    from sync.source.http.attempts import Work

    url = settings.base_url.rstrip("/") + "/studio/models"
    try:
        parts = urlsplit(settings.base_url)
    except ValueError:
        raise UsageError("the base URL is no address; check CATALOG_SYNC_BASE_URL") from None
    return Work(
        settings=settings,
        url=url,
        where=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",
        api_key=api_key,
        # Plain http is for loopback, where a proxy has no part and would be shown the key.
        trust_environment=parts.scheme == "https",
        ends_at=time.monotonic() + settings.deadline,
        clock=clock,
        rng=rng,
        events=queue.SimpleQueue(),
    )


def _gather(
    fetches: dict[str, ModeFetcher], work: Work, cancelled: threading.Event, on_retry: OnRetry | None
) -> dict[str, Fetched | FetchFailed]:
    done: dict[str, Fetched | FetchFailed] = {}
    if not cancelled.is_set():
        for fetch in fetches.values():
            fetch.start()
    while len(done) < len(fetches):
        if cancelled.is_set():
            raise Interrupted("stopped while asking the API; nothing of an answer was stored: run the command again")
        if (left := work.left()) <= 0:
            break
        _take_event(work, min(left, _NOTICE), done, on_retry)
    return {mode: done.get(mode) or fetch.overdue() for mode, fetch in fetches.items()}


def _take_event(work: Work, patience: float, done: dict[str, Fetched | FetchFailed], on_retry: OnRetry | None) -> None:
    try:
        event = work.events.get(timeout=patience)
    except queue.Empty:
        return
    if isinstance(event, Fetched | FetchFailed):
        done[event.mode] = event
    elif isinstance(event, Retrying):
        if on_retry:
            on_retry(event.mode, event.attempt, event.wait, event.reason)
    else:
        raise event.error


def _abandon(fetches: Iterable[ModeFetcher]) -> None:
    for fetch in fetches:
        fetch.abandon()


def _check_key(key: str) -> None:
    # A key with a line break would reach an error text of http.client, so it never gets that far.
    if not key or not all("!" <= char <= "~" for char in key):
        raise UsageError(
            "the API key is empty, or holds a blank, a line break or a character outside ASCII; "
            "copy it again from the API Keys page and set CATALOG_SYNC_API_KEY"
        )
