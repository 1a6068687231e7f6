"""Whether a response may be parsed, or which error it means."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import msgspec

from sync.catalog.response.api_errors import error_for_envelope, error_for_status, is_own_failure
from sync.catalog.response.envelope import BOM, read_envelope
from sync.catalog.text import one_line
from sync.errors import CatalogSyncError, ResponseRejected
from sync.source.http.session import HttpResponse

# An error of the API is short. A large body that reports an error is not requested again.
_SMALL_BODY_BYTES = 64 * 1024
_EXCERPT_LENGTH = 80
_LONGEST_SECRET_BYTES = 4096
_PROXY_LOGIN = 407
_SHORTEST_LEAK = 8  # a shorter key, made up for the emulator, may be a word of a description
# 304 and 306 are no redirects, even with a Location.
_REDIRECTS = {300, 301, 302, 303, 305, 307, 308}


class ResponseValidator:
    """Checks the responses for one mode. ``mask`` hides the secrets in everything that is quoted from them.

    ``server`` names the API in messages; ``url`` is the address of the request.
    """

    def __init__(self, url: str, server: str, mode: str, key: str, mask: Callable[[str], str]) -> None:
        self._url, self._server, self._mode, self._key = url, server, mode, key
        self._mask = mask

    def check(self, response: HttpResponse) -> CatalogSyncError | None:
        """None when the response may be parsed, otherwise the error to report."""
        if response.status in _REDIRECTS and response.headers.get("Location"):
            return self._redirect_error(response)
        if response.status != 200:
            return self._status_error(response)
        if not response.body.removeprefix(BOM).lstrip().startswith(b"{"):
            return self._not_json_error(response)
        fields = _error_fields(response.body)
        # A body that is not JSON after all has no fields. The parser rejects it and reports the position.
        error = fields and error_for_envelope(self._masked(fields), mode=self._mode, where=self._server)
        if not error and len(self._key) >= _SHORTEST_LEAK and self._key.encode() in response.body:
            return self._key_error()
        return error or None

    def _redirect_error(self, response: HttpResponse) -> CatalogSyncError:
        target = self._quoted(_origin(self._url, response.headers.get("Location", "")))
        return ResponseRejected(
            f"{self._server} returned {response.status} for mode {self._mode}: a redirect to {target}, which is not "
            "followed because it would receive the API key; set CATALOG_SYNC_BASE_URL to the right address"
        )

    def _status_error(self, response: HttpResponse) -> CatalogSyncError:
        fields = self._masked(_error_fields(response.body) or {})
        is_own = is_own_failure(fields, response.status)
        texts = {name: value for name, value in fields.items() if isinstance(value, str)}
        # An error without the API's message comes from a proxy or another server: its body shows which. A proxy
        # that requires a login may repeat the password that it got.
        is_quotable = response.body and response.status != _PROXY_LOGIN
        message = texts.get("message") or (self._excerpt(response) if is_quotable else None)
        return error_for_status(
            response.status,
            error_code=texts.get("error_code"),
            message=message,
            mode=self._mode,
            where=self._server,
            is_own=is_own,
        )

    def _not_json_error(self, response: HttpResponse) -> CatalogSyncError:
        body = f"a body that is not a JSON object ({self._excerpt(response)})" if response.body else "an empty body"
        return ResponseRejected(
            f"{self._server} returned {response.status} with {body} for mode {self._mode}; "
            "check CATALOG_SYNC_BASE_URL, and that no proxy or login page responds in place of the API"
        )

    def _key_error(self) -> CatalogSyncError:
        # Models are stored byte for byte, so a response with the key would put it into the database.
        return ResponseRejected(
            f"the response for mode {self._mode} from {self._server} was rejected: it contains the API key; nothing "
            "of it was stored; create a new key on the API Keys page, and report this to the API's maintainers"
        )

    def _excerpt(self, response: HttpResponse) -> str:
        kind = self._quoted(response.headers.get("Content-Type", "") or "no content type")
        # Masked before it is cut, so that no part of a secret remains at the end.
        beginning = response.body[: _EXCERPT_LENGTH + _LONGEST_SECRET_BYTES].decode("utf-8", "replace")
        return f"{kind}: {one_line(self._mask(one_line(beginning, len(beginning))), _EXCERPT_LENGTH)}"

    def _quoted(self, text: str) -> str:
        return one_line(self._mask(one_line(text, len(text))))

    def _masked(self, fields: dict[str, object]) -> dict[str, object]:
        return {name: self._quoted(value) if isinstance(value, str) else value for name, value in fields.items()}


def is_retryable_response(response: HttpResponse) -> bool:
    """Whether a response with a temporary error may be requested again."""
    return response.status != 200 or len(response.body) < _SMALL_BODY_BYTES


def _error_fields(body: bytes) -> dict[str, object] | None:
    try:
        return read_envelope(body.removeprefix(BOM)).error_fields()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _origin(url: str, location: str) -> str:
    """Scheme and host of a redirect. User, path and query may contain secrets."""
    try:
        parts = urlsplit(urljoin(url, location))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        return "an invalid address"
