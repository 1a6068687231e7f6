"""The thread that fetches one mode: it makes attempts until one succeeds or none can follow."""

from __future__ import annotations

import threading

from sync.errors import ApiUnreachable
from sync.source.http.attempts import FailedAttempt, ModeRequests
from sync.source.http.cancellation import SocketCanceller
from sync.source.http.context import FetchContext
from sync.source.http.results import Fetched, FetchFailed, Retrying, WorkerCrashed
from sync.source.http.retry import RetryPolicy, wait_before


class FetchWorker:
    """Fetches one mode in a separate thread, and puts the result on ``context.events``.

    ``cancel`` and ``deadline_failure`` are for the thread that waits, at any time.
    """

    def __init__(self, mode: str, context: FetchContext) -> None:
        self._mode, self._context = mode, context
        self._canceller = SocketCanceller()
        self._policy = RetryPolicy(attempts=max(1, context.settings.attempts))
        self._requests = ModeRequests(mode, context, self._canceller)
        self._last_reason = ""

    def start(self) -> None:
        """Begin in a daemon thread: getaddrinfo cannot be interrupted, and must not keep the process alive."""
        threading.Thread(target=self._run, name=f"fetch-{self._mode}", daemon=True).start()

    def cancel(self) -> None:
        """End the current request or wait, if any; the thread then ends soon."""
        self._canceller.cancel()

    def deadline_failure(self) -> FetchFailed:
        """The failure when the deadline passes before the worker has a result."""
        attempts = self._requests.last.attempts
        before = f" (before: {self._last_reason})" if self._last_reason else ""
        return self._failure(
            f"the deadline of {self._context.settings.deadline:g} s passed in attempt {attempts} of "
            f"{self._policy.attempts}{before}; try again later, check the network, or raise CATALOG_SYNC_DEADLINE"
        )

    def _run(self) -> None:
        try:
            self._context.events.put(self._fetch())
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it; a thread would only print it
            self._context.events.put(WorkerCrashed(error))
        finally:
            self._canceller.cancel()

    def _fetch(self) -> Fetched | FetchFailed:
        attempt = 1
        while True:
            result = self._requests.send(attempt)
            if isinstance(result, Fetched):
                return result
            if not result.is_retryable or attempt >= self._policy.attempts:
                return self._requests.failure(result.error)
            attempt += 1
            if failure := self._wait_for(attempt, result):
                return failure

    def _wait_for(self, attempt: int, failed: FailedAttempt) -> FetchFailed | None:
        """Wait before an attempt, or return the failure when the deadline leaves no time for it."""
        wait = wait_before(attempt, failed.retry_after, self._policy, self._context.rng)
        self._last_reason = failed.reason
        if wait >= self._context.seconds_left():
            return self.deadline_failure() if failed.retry_after is None else self._wait_too_long(wait)
        self._context.events.put(Retrying(self._mode, attempt, wait, failed.reason))
        return self.deadline_failure() if self._canceller.cancelled.wait(wait) else None

    def _wait_too_long(self, wait: float) -> FetchFailed:
        return self._failure(
            f"the server requires a wait of {wait:.0f} s ({self._last_reason}), but only "
            f"{max(self._context.seconds_left(), 0):.1f} s of the deadline of {self._context.settings.deadline:g} s "
            "are left; run again after that wait"
        )

    def _failure(self, reason: str) -> FetchFailed:
        return self._requests.failure(
            ApiUnreachable(f"fetching mode {self._mode} from {self._context.server} failed: {reason}")
        )
