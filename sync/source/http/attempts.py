"""Asking for one mode until there is an answer, or no point in asking on.

Runs in a thread of its own; whoever waits for it may give it up at any moment.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from queue import SimpleQueue

from msgspec import Struct
from msgspec.structs import replace

from sync.errors import ApiUnreachable, CatalogSyncError, ResponseRejected, UsageError
from sync.source.api_key import mask
from sync.source.http.cancellation import SocketCanceller
from sync.source.http.error_text import LIBRARY_ERRORS, UNUSABLE_ADDRESS, why
from sync.source.http.response_check import ResponseValidator, may_be_asked_again
from sync.source.http.results import Fetched, FetchFailed, FetchSettings, Retrying
from sync.source.http.retry import RetryPolicy, parse_http_date, parse_retry_after, wait_before
from sync.source.http.session import HttpResponse, ask, open_session, read_response

_CONNECT_TIMEOUT = 10.0
_LATER = "try again later, and check the network"


class Crashed(Struct, frozen=True):
    """The thread met something that nobody foresaw."""

    error: BaseException


Event = Fetched | FetchFailed | Retrying | Crashed


@dataclass(frozen=True)
class Work:
    """What the modes of one run share. ``ends_at`` is the deadline on the monotonic clock."""

    settings: FetchSettings
    url: str
    where: str
    api_key: str = field(repr=False)
    trust_environment: bool
    ends_at: float
    clock: Callable[[], datetime]
    rng: random.Random
    events: SimpleQueue[Event]

    def left(self) -> float:
        """Seconds to the deadline; zero or less when it has passed."""
        return self.ends_at - time.monotonic()


class _FailedAttempt(Struct, frozen=True):
    """An attempt that brought nothing: what to say when it was the last, and whether it must be."""

    error: CatalogSyncError
    again: bool = False
    reason: str = ""
    retry_after: float | None = None


class ModeFetcher:
    """The requests for one mode. What they come to is put on ``work.events``."""

    def __init__(self, mode: str, work: Work) -> None:
        self._mode, self._work = mode, work
        self._watch = SocketCanceller()
        self._policy = RetryPolicy(attempts=max(1, work.settings.attempts))
        self._judge = ResponseValidator(work.url, work.where, mode, work.api_key)
        # What is known of the last request. Replaced as a whole, never changed: the waiting thread
        # reads it when the deadline has come.
        self._last = FetchFailed(mode, ApiUnreachable("not asked yet"), None, 0, None, None)
        self._reason = ""

    def start(self) -> None:
        """Begin asking, in a daemon thread: the look-up of a name cannot be cut short."""
        threading.Thread(target=self._run, name=f"fetch-{self._mode}", daemon=True).start()

    def abandon(self) -> None:
        """End the request or wait under way, if any; the thread then ends by itself."""
        self._watch.end()

    def overdue(self) -> FetchFailed:
        """How things stand when the deadline has come first."""
        before = f", before that: {self._reason}" if self._reason else ""
        return self._failed(
            ApiUnreachable(
                f"{self._work.where} gave no complete answer for mode {self._mode} within the deadline of "
                f"{self._work.settings.deadline:g} s (attempt {self._last.attempts} of {self._policy.attempts}"
                f"{before}); {_LATER}, or raise CATALOG_SYNC_DEADLINE"
            )
        )

    def _run(self) -> None:
        try:
            self._work.events.put(self._ask_until_done())
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it; here it would be lost
            self._work.events.put(Crashed(error))
        finally:
            self._watch.end()

    def _ask_until_done(self) -> Fetched | FetchFailed:
        attempt = 1
        while True:
            outcome = self._attempt(attempt)
            if isinstance(outcome, Fetched):
                return outcome
            if not outcome.again or attempt >= self._policy.attempts:
                return self._failed(outcome.error)
            attempt += 1
            if stop := self._wait(attempt, outcome):
                return stop

    def _wait(self, attempt: int, trouble: _FailedAttempt) -> FetchFailed | None:
        """Wait before the next attempt; a failure when the deadline leaves no time for that."""
        wait = wait_before(attempt, trouble.retry_after, self._policy, self._work.rng)
        self._reason = trouble.reason
        if wait >= self._work.left():
            return self._too_long(wait) if trouble.retry_after is not None else self.overdue()
        self._work.events.put(Retrying(self._mode, attempt, wait, trouble.reason))
        return self.overdue() if self._watch.ended.wait(wait) else None

    def _too_long(self, wait: float) -> FetchFailed:
        return self._failed(
            ApiUnreachable(
                f"{self._work.where} asks to wait {wait:.0f} s for mode {self._mode} ({self._reason}), but of the "
                f"deadline of {self._work.settings.deadline:g} s only {max(self._work.left(), 0):.1f} s are left; "
                "run again after that"
            )
        )

    def _attempt(self, attempt: int) -> Fetched | _FailedAttempt:
        asked_at = self._work.clock()
        self._last = replace(self._last, attempts=attempt, asked_at=asked_at, http_status=None, server_date=None)
        try:
            response = self._ask()
        except UNUSABLE_ADDRESS as error:
            return _FailedAttempt(self._unusable_address(error))
        except LIBRARY_ERRORS as error:
            return self._broken(attempt, mask(why(error), self._work.api_key))
        except ResponseRejected as error:
            return _FailedAttempt(self._unusable(error))
        finally:
            self._watch.drop()
        arrived_at = self._work.clock()
        if refusal := self._judge.error(response):
            return self._refused(response, refusal)
        date = self._last.server_date
        return Fetched(self._mode, response.body, response.status, attempt, asked_at, date, arrived_at)

    def _ask(self) -> HttpResponse:
        work = self._work
        left = max(work.left(), 0.001)
        # Half of the deadline for a silence leaves time for a second try.
        timeout = (min(_CONNECT_TIMEOUT, left), min(work.settings.deadline / 2, left))
        # A new connection each time: one that a server is about to close may look alive, and another
        # may lead to a server in better health.
        with (
            open_session(work.api_key, self._watch, trust_environment=work.trust_environment) as session,
            closing(ask(session, work.url, self._mode, timeout)) as response,
        ):
            date = parse_http_date(response.headers.get("Date"))
            self._last = replace(self._last, http_status=response.status_code, server_date=date)
            return read_response(response, work.settings.max_bytes)

    def _broken(self, attempt: int, reason: str) -> _FailedAttempt:
        error = ApiUnreachable(
            f"{self._work.where} gave no complete answer for mode {self._mode} in {attempt} "
            f"attempt{'s' if attempt > 1 else ''}: {reason}; {_LATER} and CATALOG_SYNC_BASE_URL"
        )
        return _FailedAttempt(error, again=True, reason=reason)

    def _unusable_address(self, error: Exception) -> UsageError:
        kind = type(error).__name__
        return UsageError(
            f"{self._work.where} cannot be asked ({kind}); check CATALOG_SYNC_BASE_URL and proxy variables"
        )

    def _unusable(self, error: ResponseRejected) -> ResponseRejected:
        return ResponseRejected(f"{self._work.where} answered for mode {self._mode}, but {error}")

    def _refused(self, response: HttpResponse, error: CatalogSyncError) -> _FailedAttempt:
        again = isinstance(error, ApiUnreachable) and may_be_asked_again(response)
        now = self._last.server_date or self._work.clock()
        wait = parse_retry_after(response.headers.get("Retry-After"), now)
        return _FailedAttempt(error, again, f"it answered {response.status}", wait)

    def _failed(self, error: CatalogSyncError) -> FetchFailed:
        # Masked once more and for all, whatever the message was made of.
        masked = type(error)(mask(str(error), self._work.api_key))
        return replace(self._last, error=masked)
