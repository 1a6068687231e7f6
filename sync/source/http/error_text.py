"""Errors of the HTTP libraries in a few plain words.

The messages of requests and urllib3 contain names of Python objects and memory addresses, so they are not
shown. The cause is searched in the chain of exceptions instead.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from sync.catalog.text import one_line

# Everything that requests and the libraries below it raise. ValueError is among them because http.client
# raises it for invalid header and chunk lines.
LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)

# The address or a proxy setting is invalid, so another attempt would fail as well.
INVALID_ADDRESS: tuple[type[Exception], ...] = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.LocationParseError,
)

_PRIVATE_AUTHORITY = "for a private certificate authority, set REQUESTS_CA_BUNDLE to its file"
# By the numbers of OpenSSL's X509_V_ERR: not valid yet, expired, issued for another host.
_CERTIFICATE_ADVICE = {
    9: "check this host's clock",
    10: "check this host's clock",
    62: "the address must be that of the API itself",
}

_Kinds = tuple[type[BaseException], ...]
# The first matching entry counts.
_REASONS: tuple[tuple[_Kinds, str | None], ...] = (
    ((urllib3.exceptions.NameResolutionError,), "the host name cannot be resolved"),
    # urllib3 derives it from ConnectTimeoutError, but wraps every error of connecting in it.
    ((urllib3.exceptions.NewConnectionError,), None),
    ((requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError), "connect timeout"),
    ((TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError), "read timeout"),
    (
        (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead, http.client.RemoteDisconnected),
        "the response was cut short",
    ),
)


def describe(error: BaseException) -> str:
    """The cause of an error, on one line."""
    chain = list(_chain(error))
    reason = next(filter(None, map(_known_reason, chain)), "the connection failed")
    through_proxy = any(isinstance(each, urllib3.exceptions.ProxyError) for each in chain)
    return f"through the proxy: {reason}" if through_proxy else reason


def _known_reason(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = _CERTIFICATE_ADVICE.get(error.verify_code, _PRIVATE_AUTHORITY)
        return f"the TLS certificate is not valid ({one_line(error.verify_message).rstrip('.')}; {advice})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({one_line(error.reason or 'no reason given')})"
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror).lower()
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    # requests reports a missing CA bundle as a plain OSError with a readable text.
    return one_line(str(error)) if type(error) is OSError else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made from, each once.

    The cause is in ``__cause__`` or ``__context__``, in ``args`` (requests) or in ``reason`` (urllib3).
    """
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (getattr(current, "reason", None), *current.args, current.__cause__, current.__context__)
        waiting += [each for each in inner if isinstance(each, BaseException)]
