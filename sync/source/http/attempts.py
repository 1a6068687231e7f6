"""One request for the catalog of a mode, and the error when it fails."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, ResponseRejected, UsageError
from sync.source.http.cancellation import SocketCanceller
from sync.source.http.context import FetchContext
from sync.source.http.error_text import INVALID_ADDRESS, LIBRARY_ERRORS, describe
from sync.source.http.response_check import ResponseValidator, is_retryable_response
from sync.source.http.response_time import ResponseTime, read_response_time, stale_copy_error
from sync.source.http.results import Fetched, FetchFailed
from sync.source.http.retry import parse_retry_after
from sync.source.http.session import HttpResponse, header_values, open_session, read_response, send_request

# Linux sends a SYN without a response again after 1, 3 and 7 s, so lost packets cause no failure yet.
_CONNECT_TIMEOUT = 10.0


class FailedAttempt(Struct, frozen=True):
    """An attempt without a usable response.

    ``error`` is for the case that no attempt follows, ``reason`` a few words for the case that one does.
    ``retry_after`` is the wait in seconds that the server requires, or None.
    """

    error: CatalogSyncError
    is_retryable: bool = False
    reason: str = ""
    retry_after: float | None = None


class LastRequest(Struct, frozen=True):
    """What is known of the request that was sent last."""

    attempts: int = 0
    asked_at: datetime | None = None
    http_status: int | None = None
    time: ResponseTime = ResponseTime()
    headers_at: datetime | None = None
    response: HttpResponse | None = None
    """The response, once it had arrived as a whole."""
    arrived_at: datetime | None = None


class ModeRequests:
    """Sends the requests for one mode, one after the other; ``canceller`` ends the current one."""

    def __init__(self, mode: str, context: FetchContext, canceller: SocketCanceller) -> None:
        self._mode, self._context, self._canceller = mode, context, canceller
        self._validator = ResponseValidator(context.url, context.server, mode, context.api_key, context.mask)
        # Replaced as a whole and never changed in place: at the deadline the waiting thread reads it
        # while the worker may still be writing.
        self.last = LastRequest()

    def send(self, attempt: int) -> Fetched | FailedAttempt:
        """Send one request and read its response."""
        asked_at = self._context.clock()
        self.last = LastRequest(attempt, asked_at)
        try:
            response = self._read_response()
        except INVALID_ADDRESS as error:
            return FailedAttempt(self._invalid_address(error))
        except LIBRARY_ERRORS as error:
            return self._connection_failed(attempt, self._context.mask(describe(error)))
        except ResponseRejected as error:
            return FailedAttempt(self._invalid_body(error))
        finally:
            self._canceller.close_sockets()
        arrived_at = self._context.clock()
        self.last = replace(self.last, response=response, arrived_at=arrived_at)
        rejection, time = self._validator.check(response), self.last.time
        # A refusal that a cache has kept says as little about now as a catalog that it has kept.
        if time.is_stale and (rejection is None or isinstance(rejection, ApiRefused)):
            rejection = stale_copy_error(self._mode, time.age, self._context.server)
        if rejection:
            return self._error_response(response, rejection)
        return Fetched(
            self._mode,
            response.body,
            response.status,
            attempt,
            asked_at,
            time.date,
            arrived_at,
            time.age,
            response.headers,
            self.last.headers_at,
            time.problems,
        )

    def failure(self, error: CatalogSyncError) -> FetchFailed:
        """The failure of the mode, with what is known of the last request."""
        # Every message passes through here, so none of its parts can bring a secret back in.
        masked = type(error)(self._context.mask(str(error)))
        last = self.last
        time, response = last.time, last.response or HttpResponse(0, {}, b"")
        return FetchFailed(
            *(self._mode, masked, last.http_status, last.attempts, last.asked_at, time.date, time.age),
            *(response.body, response.headers, last.arrived_at),
        )

    def _read_response(self) -> HttpResponse:
        context = self._context
        left = max(context.seconds_left(), 0.001)  # a timeout of 0 would make the socket non-blocking
        # A read timeout of half the deadline leaves time for a second attempt.
        timeout = (min(_CONNECT_TIMEOUT, left), min(context.settings.deadline / 2, left))
        # Each attempt has a new connection. A kept one may be about to be closed by the server, and a new
        # one may reach another server behind the same name.
        with (
            open_session(context.api_key, self._canceller, trust_environment=context.trust_environment) as session,
            closing(send_request(session, context.url, self._mode, timeout)) as response,
        ):
            dates, ages = header_values(response, "Date"), header_values(response, "Age")
            now = context.clock()
            time = read_response_time(dates, ages, now)
            self.last = replace(self.last, http_status=response.status_code, time=time, headers_at=now)
            return read_response(response, context.settings.max_bytes)

    def _connection_failed(self, attempt: int, reason: str) -> FailedAttempt:
        error = ApiUnreachable(
            f"fetching mode {self._mode} from {self._context.server} failed after {attempt} "
            f"attempt{'s' if attempt > 1 else ''}: {reason}; "
            "try again later, and check the network and CATALOG_SYNC_BASE_URL"
        )
        return FailedAttempt(error, is_retryable=True, reason=reason)

    def _invalid_address(self, error: Exception) -> UsageError:
        return UsageError(
            f"fetching mode {self._mode} from {self._context.server} failed: the address or a proxy setting is invalid "
            f"({type(error).__name__}); check CATALOG_SYNC_BASE_URL and the proxy variables"
        )

    def _invalid_body(self, error: ResponseRejected) -> ResponseRejected:
        return ResponseRejected(f"the response for mode {self._mode} from {self._context.server} was rejected: {error}")

    def _error_response(self, response: HttpResponse, error: CatalogSyncError) -> FailedAttempt:
        is_stale = self.last.time.is_stale
        # The size says nothing about a copy: the catalog itself may be large.
        is_retryable = isinstance(error, ApiUnreachable) and (is_stale or is_retryable_response(response))
        # A date in Retry-After is by the server's clock, so it is compared with the server's own Date.
        now = self.last.time.date or self._context.clock()
        wait = parse_retry_after(response.headers.get("Retry-After"), now)
        reason = "only a cache answered" if is_stale else f"HTTP status {response.status}"
        return FailedAttempt(error, is_retryable, reason, wait)
