"""One ping: a short POST in a thread, which can be given up at any time."""

from __future__ import annotations

import threading
import time

from sync.metrics.ping_url import PingUrl

SECONDS = 5.0
"""How long a ping may take in all."""
_MOST_BYTES = 10_000  # Healthchecks keeps so many of a body
_CHECK_INTERVAL = 0.05
_QUOTED_BYTES = 200


class Ping:
    """A ping that is being sent since it was made."""

    def __init__(self, url: PingUrl, signal: str, body: str = "") -> None:
        from sync.source.http.cancellation import SocketCanceller

        self._url, self._signal = url, signal
        self._body = body.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore").encode()
        self._ends_at = time.monotonic() + SECONDS
        self._canceller, self._done = SocketCanceller(), threading.Event()
        self._failure: str | None = None
        # A daemon: resolving a name cannot be interrupted, and must not keep the process alive.
        threading.Thread(target=self._run, name=f"ping-{signal}", daemon=True).start()

    def failure(self, given_up: threading.Event | None = None) -> str | None:
        """Why the ping failed, None if it was received. Waits to its end, ``SECONDS`` after its begin.

        Once ``given_up`` is set it is cancelled.
        """
        while not self._done.wait(_CHECK_INTERVAL):
            if time.monotonic() >= self._ends_at or (given_up is not None and given_up.is_set()):
                self._canceller.cancel()
                return f"no response within {SECONDS:g} s"
        return self._failure

    def _run(self) -> None:
        try:
            self._failure = self._send()
        finally:
            self._canceller.close_sockets()
            self._done.set()

    def _send(self) -> str | None:
        from sync.source.http.error_text import LIBRARY_ERRORS, describe
        from sync.source.http.session import post_text

        # Longer than the ping itself, which ends when it is cancelled: drops of a response would reach no timeout.
        timeout = 2 * SECONDS
        try:
            status, begin = post_text(self._url.of(self._signal), self._body, self._canceller, timeout, _QUOTED_BYTES)
        except LIBRARY_ERRORS as error:
            return describe(error)
        if 300 <= status < 400:
            return f"a redirect (HTTP status {status}), which is not followed: give the URL to which it leads"
        if not 200 <= status < 300:
            return f"HTTP status {status}"
        # Healthchecks answers with "OK (not found)" or "OK (rate limited)" where it records nothing.
        text = begin.decode("utf-8", "replace").strip()
        return f"the response is {text!r}" if text.startswith("OK (") else None
