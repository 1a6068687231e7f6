"""What an answer is worth, before anyone parses its models."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import msgspec

from sync.catalog.response.api_errors import error_for_envelope, error_for_status
from sync.catalog.response.envelope import BOM, read_envelope
from sync.catalog.text import one_line
from sync.errors import CatalogSyncError, ResponseRejected
from sync.source.api_key import mask
from sync.source.http.session import HttpResponse

# A refusal is short; a large body that says it failed is not asked for again.
_SMALL_BODY = 64 * 1024
_SHOWN_BODY = 80
_REDIRECTS = range(300, 400)


class ResponseValidator:
    """Judges the answers of one place; ``key`` is masked in whatever is quoted from them."""

    def __init__(self, url: str, where: str, mode: str, key: str) -> None:
        self._url, self._where, self._mode, self._key = url, where, mode, key

    def error(self, response: HttpResponse) -> CatalogSyncError | None:
        """None when the answer may be parsed; else the error it stands for."""
        if response.status in _REDIRECTS:
            return self._redirected(response)
        if response.status != 200:
            return self._bad_status(response)
        if not response.body.removeprefix(BOM).lstrip().startswith(b"{"):
            return self._not_json(response)
        envelope = _read_envelope(response.body)
        # A body that is no JSON after all is the parser's to reject: it knows where it breaks.
        refused = envelope and error_for_envelope(self._masked(envelope), mode=self._mode, where=self._where)
        if not refused and self._key.encode() in response.body:
            return self._echoed()
        return refused or None

    def _redirected(self, response: HttpResponse) -> CatalogSyncError:
        target = self._quoted(_target(self._url, response.headers.get("Location", "")))
        return ResponseRejected(
            f"{self._where} answered {response.status} for mode {self._mode}, a redirect to {target}, which is not "
            "followed since it would be sent the key; set CATALOG_SYNC_BASE_URL to the right address"
        )

    def _bad_status(self, response: HttpResponse) -> CatalogSyncError:
        envelope = self._masked(_read_envelope(response.body) or {})
        words = {name: value for name, value in envelope.items() if isinstance(value, str)}
        # An error that is not the API's own comes from something in between: show what it is.
        message = words.get("message") or (self._shown(response) if response.body else None)
        return error_for_status(
            response.status, error_code=words.get("error_code"), message=message, mode=self._mode, where=self._where
        )

    def _not_json(self, response: HttpResponse) -> CatalogSyncError:
        what = f"something that is no JSON object ({self._shown(response)})" if response.body else "an empty body"
        return ResponseRejected(
            f"{self._where} answered {response.status} with {what} for mode {self._mode}; check CATALOG_SYNC_BASE_URL, "
            "and that no proxy or login page answers in its place"
        )

    def _echoed(self) -> CatalogSyncError:
        # What is stored is stored as it was sent, so that what must not be stored is not taken.
        return ResponseRejected(
            f"{self._where} repeats the API key in its answer for mode {self._mode}: nothing of it was stored; "
            "make a new key on the API Keys page, and tell the API's maintainers"
        )

    def _shown(self, response: HttpResponse) -> str:
        kind = self._quoted(response.headers.get("Content-Type", "") or "no content type")
        # Masked before it is cut, so that no half of a key is left over at the end.
        beginning = response.body[: _SHOWN_BODY + 4 * len(self._key)].decode("utf-8", "replace")
        return f"{kind}: {one_line(mask(one_line(beginning, len(beginning)), self._key), _SHOWN_BODY)}"

    def _quoted(self, text: str) -> str:
        return one_line(mask(one_line(text, len(text)), self._key))

    def _masked(self, envelope: dict[str, object]) -> dict[str, object]:
        return {name: self._quoted(value) if isinstance(value, str) else value for name, value in envelope.items()}


def may_be_asked_again(response: HttpResponse) -> bool:
    """Whether an answer that stands for a passing trouble is worth another request."""
    return response.status != 200 or len(response.body) < _SMALL_BODY


def _read_envelope(body: bytes) -> dict[str, object] | None:
    try:
        return read_envelope(body.removeprefix(BOM)).error_fields()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _target(url: str, location: str) -> str:
    """Scheme and host of a redirect: the rest may hold what nobody should read."""
    try:
        parts = urlsplit(urljoin(url, location))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        return "an address that makes no sense"
