"""Whether two base URLs are the same address, however they are spelled."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

_DEFAULT_PORTS = {"https": 443, "http": 80}


def is_same_source(one: str, other: str) -> bool:
    """Whether two base URLs are the same address.

    The default port of a scheme, slashes at the end and the spelling of scheme, host (case, IDNA, IPv6) and
    escaped characters make no difference.
    """
    return _address(one) == _address(other)


def _address(url: str) -> tuple[object, ...]:
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        path = unquote(parts.path).rstrip("/")
        return scheme, _host(parts.hostname or ""), parts.port or _DEFAULT_PORTS.get(scheme), path, parts.query
    except ValueError:
        return (url,)


def _host(name: str) -> str:
    with suppress(ValueError):  # not an IP address
        return ip_address(name).compressed
    with suppress(UnicodeError):  # not a name of the DNS
        name = name if name.isascii() else name.encode("idna").decode()  # the codec takes long to import
    return name.rstrip(".")
