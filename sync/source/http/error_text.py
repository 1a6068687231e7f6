"""What went wrong underneath, in a few plain words.

The texts of requests and urllib3 name objects and addresses in memory, so they are not shown; the
cause is looked for in the chain of exceptions instead.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from sync.catalog.text import one_line

# Whatever may come out of requests and what lies below it. ValueError is among them since
# http.client raises it for odd header and chunk lines.
LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)

# The address or a proxy setting cannot be used at all; another try would fail alike.
UNUSABLE_ADDRESS: tuple[type[Exception], ...] = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.LocationParseError,
)

_OWN_AUTHORITY = "for an authority of your own, name its file in REQUESTS_CA_BUNDLE"
# By OpenSSL's numbers: not valid yet, expired, for another host.
_CERTIFICATE_ADVICE = {
    9: "check this host's clock",
    10: "check this host's clock",
    62: "the address must be that of the API itself",
}

_Kinds = tuple[type[BaseException], ...]
_REASONS: tuple[tuple[_Kinds, str | None], ...] = (
    ((urllib3.exceptions.NameResolutionError,), "the host name cannot be resolved"),
    # It counts itself a time-out, but is only the wrapping of whatever kept a connection from being made.
    ((urllib3.exceptions.NewConnectionError,), None),
    ((TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError), "no answer in time"),
    (
        (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead, http.client.RemoteDisconnected),
        "the answer was cut short",
    ),
)


def why(error: BaseException) -> str:
    """A short reason for people, on one line."""
    chain = list(_chain(error))
    reason = next(filter(None, map(_known_reason, chain)), "the connection broke")
    through_proxy = any(isinstance(each, urllib3.exceptions.ProxyError) for each in chain)
    return f"through the proxy: {reason}" if through_proxy else reason


def _known_reason(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = _CERTIFICATE_ADVICE.get(error.verify_code, _OWN_AUTHORITY)
        return f"the TLS certificate is not valid ({one_line(error.verify_message).rstrip('.')}; {advice})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({one_line(error.reason or 'no reason given')})"
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror).lower()
    # So requests says that a CA bundle is missing; its other errors are of classes of their own.
    return one_line(str(error)) if type(error) is OSError else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it was made from, each once: the libraries hide them in many places."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (getattr(current, "reason", None), *current.args, current.__cause__, current.__context__)
        waiting += [each for each in inner if isinstance(each, BaseException)]
