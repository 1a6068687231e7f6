"""What each status of the Partner API means for us, and what its reader should do.

The same list serves the HTTP status of an answer and the ``code`` of an envelope, which the API
documents as mirroring it: ``ok: false`` may come under HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sync.catalog.text import one_line
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, ResponseRejected

_STATUSES = range(100, 1000)

_REFUSED = {
    401: "the key is missing, invalid or revoked: make a new one on the API Keys page and set CATALOG_SYNC_API_KEY",
    402: "the Studio needs an active Creator, Professional or Business plan: subscribe, then run again",
    403: "the plan of this key, such as the Scheduler tier, cannot use the Studio: "
    "use a key of a Creator, Professional or Business plan",
    422: "the API does not support this mode: ask for image or video",
}
_UNREACHABLE = {
    408: "the API gave up waiting: try again later",
    429: "too many requests in a short time: run less often, or try again later",
}
_REJECTED = {404: "there is no catalog at this address: check CATALOG_SYNC_BASE_URL"}
_SERVER_FAULT = "the API is in trouble: try again later"
_SERVER_FAULTS = range(500, 600)
_UNEXPECTED = "this is no answer of the documented API: check CATALOG_SYNC_BASE_URL, and that no proxy answers for it"


def is_retryable(status: int) -> bool:
    """Whether the same request may be answered well a little later."""
    return status in _UNREACHABLE or status in _SERVER_FAULTS


def error_for_status(
    status: int, *, error_code: str | None, message: str | None, mode: str | None, where: str
) -> CatalogSyncError:
    """The error that a status other than 200 stands for, with the API's own words and the remedy.

    It is returned, not raised. ``where`` names the server or the file; ``error_code`` and
    ``message`` are the API's own, and are made safe to print here. Secrets are not masked here.
    """
    kind, remedy = _meaning(status)
    asked = f" for mode {mode}" if mode else ""
    return kind(f"{where} answered {_in_its_words(status, error_code, message)}{asked}; {remedy}")


def error_for_envelope(
    envelope: Mapping[str, object], *, mode: str | None = None, where: str = "the API"
) -> CatalogSyncError | None:
    """The error an envelope stands for, or None when it says that all went well.

    Well is ``ok: true`` and a ``code`` of 200, or none. A code that is missing while ``ok`` is not
    true, is no whole number, or means nothing to us, makes the answer one that cannot be trusted.
    """
    code = _whole_number(envelope["code"]) if "code" in envelope else None
    well = envelope.get("ok") is True
    if well and (code == 200 or "code" not in envelope):
        return None
    error_code, message = _text(envelope.get("error_code")), _text(envelope.get("message"))
    if code is not None and code != 200:
        return error_for_status(code, error_code=error_code, message=message, mode=mode, where=where)
    fault = "a code that is no status" if well else "an envelope whose ok is not true"
    quoted = "".join(f" {one_line(text)}" for text in (error_code, message) if text)
    asked = f" for mode {mode}" if mode else ""
    return ResponseRejected(f"{where} answered with {fault}{asked}{':' if quoted else ''}{quoted}; {_UNEXPECTED}")


def _meaning(status: int) -> tuple[type[CatalogSyncError], str]:
    if status in _REFUSED:
        return ApiRefused, _REFUSED[status]
    if is_retryable(status):
        return ApiUnreachable, _UNREACHABLE.get(status, _SERVER_FAULT)
    return ResponseRejected, _REJECTED.get(status, _UNEXPECTED)


def _in_its_words(status: int, error_code: str | None, message: str | None) -> str:
    code = one_line(error_code or "", 64)
    words = one_line(message or "")
    return " ".join(filter(None, (str(status), code, f"({words})" if words else "")))


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    # Only three digits are looked at: int() of a number with a huge exponent would build them all.
    return int(value) if value in _STATUSES else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
