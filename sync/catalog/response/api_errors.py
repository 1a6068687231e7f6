"""What each error status of the Partner API means, and what the operator can do about it.

The same table serves the HTTP status of a response and the ``code`` of its envelope: the API documents that
``code`` repeats the status, and a response with ``ok: false`` may have HTTP status 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from sync.catalog.text import one_line
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, ResponseRejected

_STATUSES = range(100, 1000)
_SERVER_ERRORS = range(500, 600)
_ERROR_CODE_LENGTH = 64


class _Meaning(Struct, frozen=True):
    kind: type[CatalogSyncError]
    reason: str
    action: str


_MEANINGS = {
    401: _Meaning(
        ApiRefused,
        "the key is missing, invalid or revoked",
        "create a new key on the API Keys page and set CATALOG_SYNC_API_KEY",
    ),
    402: _Meaning(
        ApiRefused,
        "the Studio requires an active Creator, Professional or Business plan",
        "subscribe, then run the command again",
    ),
    403: _Meaning(
        ApiRefused,
        "the plan of this key, such as the Scheduler tier, does not include the Studio",
        "use a key of a Creator, Professional or Business plan",
    ),
    206: _Meaning(
        ResponseRejected,
        "the response is only a part of the catalog",
        "check that no proxy changes responses; if this persists, report it to the API's maintainers",
    ),
    304: _Meaning(
        ResponseRejected,
        "a cache in front of the API sent no catalog, as if this program knew an older one",
        "try again, and check CATALOG_SYNC_BASE_URL and the caches in front of it",
    ),
    404: _Meaning(ResponseRejected, "there is no catalog at this address", "check CATALOG_SYNC_BASE_URL"),
    407: _Meaning(
        ApiUnreachable,
        "a proxy in front of the API requires a login, and the API key may be fine",
        "check the proxy variables",
    ),
    408: _Meaning(ApiUnreachable, "the request timed out on the server", "try again later"),
    422: _Meaning(ApiRefused, "the API does not support this mode", "use image or video"),
    429: _Meaning(ApiUnreachable, "too many requests in a short time", "sync less often, or try again later"),
}
_SERVER_ERROR = _Meaning(ApiUnreachable, "the server has a problem", "try again later")
_SOMETHING_IN_FRONT = _Meaning(
    ApiUnreachable,
    "something in front of the API answered, not the API itself, and the API key may be fine",
    "try again later, and check which firewall, proxy or login page is in front of CATALOG_SYNC_BASE_URL",
)
_UNDOCUMENTED = _Meaning(
    ResponseRejected,
    "this is not a documented response of the API",
    "check CATALOG_SYNC_BASE_URL, and that no proxy responds in place of the API",
)


def is_retryable(status: int) -> bool:
    """Whether the same request may succeed a little later."""
    return _meaning(status).kind is ApiUnreachable


def is_own_failure(envelope: Mapping[str, object], status: int) -> bool:
    """Whether the fields of a body are the API's own report of a failure with this HTTP status.

    The API documents ``ok``, a boolean, and a ``code`` that repeats the status. Firewalls, gateways and login pages
    respond with pages, or with JSON of another form.
    """
    return isinstance(envelope.get("ok"), bool) and _status(envelope.get("code")) == status


def error_for_status(
    status: int, *, error_code: str | None, message: str | None, mode: str | None, where: str, is_own: bool = True
) -> CatalogSyncError:
    """The error for a status other than 200, with the API's own message, the reason and what to do.

    The error is returned, not raised. ``where`` names the server or the file. ``error_code`` and ``message``
    are the API's own and are made safe to print here; secrets in them are not masked. Unless ``is_own``, the body
    is not the API's: then nothing can be said about the key and the plan.
    """
    meaning = _meaning(status)
    if meaning.kind is ApiRefused and not is_own:
        meaning = _SOMETHING_IN_FRONT
    status_text = " ".join(filter(None, (str(status), _quoted(error_code, message))))
    return meaning.kind(f"{where} returned {status_text}{_for_mode(mode)}: {meaning.reason}; {meaning.action}")


def error_for_envelope(
    envelope: Mapping[str, object], *, mode: str | None = None, where: str = "the API"
) -> CatalogSyncError | None:
    """The error that an envelope reports, or None for a success.

    A success has ``ok: true`` and a ``code`` of 200 or none. An envelope that is neither a success nor has
    the code of an error gives ``ResponseRejected``.
    """
    code = _status(envelope["code"]) if "code" in envelope else None
    is_ok = envelope.get("ok") is True
    if is_ok and (code == 200 or "code" not in envelope):
        return None
    error_code, message = _text(envelope.get("error_code")), _text(envelope.get("message"))
    if code is not None and code != 200:
        is_own = is_own_failure(envelope, code)
        return error_for_status(code, error_code=error_code, message=message, mode=mode, where=where, is_own=is_own)
    problem = "a code that is not a status" if is_ok else "an envelope whose ok is not true"
    quoted = " ".join(filter(None, (problem, _quoted(error_code, message))))
    return ResponseRejected(
        f"{where} returned {quoted}{_for_mode(mode)}: {_UNDOCUMENTED.reason}; {_UNDOCUMENTED.action}"
    )


def response_rejected(mode: str, reason: str) -> ResponseRejected:
    """The error for a response that is not a whole, consistent catalog of a mode."""
    return ResponseRejected(
        f"the response for mode {mode} was rejected: {reason}; nothing was changed in mode {mode}; "
        "if this persists, report it to the API's maintainers"
    )


def _meaning(status: int) -> _Meaning:
    return _MEANINGS.get(status, _SERVER_ERROR if status in _SERVER_ERRORS else _UNDOCUMENTED)


def _for_mode(mode: str | None) -> str:
    return f" for mode {mode}" if mode else ""


def _quoted(error_code: str | None, message: str | None) -> str:
    code, text = one_line(error_code or "", _ERROR_CODE_LENGTH), one_line(message or "")
    return " ".join(filter(None, (code, f"({text})" if text else "")))


def _status(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    # The range is checked before int(), which would create all digits of a number like 1e999999999.
    return int(value) if value in _STATUSES else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
