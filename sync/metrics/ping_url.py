"""The URL of a check at Healthchecks or a service like it, and the URLs of its pings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from sync.errors import UsageError


@dataclass(frozen=True)
class PingUrl:
    """A URL that says who may ping, so it is a secret."""

    text: str = field(repr=False)
    server: str
    """The host and port, which may be printed."""

    @property
    def has_password(self) -> bool:
        return bool(urlsplit(self.text).password)

    def of(self, signal: str) -> str:
        """The URL of a signal: ``start``, or an exit code. It goes to the end of the path, before a query."""
        parts = urlsplit(self.text)
        return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{signal}"))


def parse_ping_url(text: str) -> PingUrl:
    """The URL of a check, without blanks around it. Raises ``UsageError``, which does not quote it."""
    text = text.strip()
    parts = _split(text)
    is_plain = not any(char.isspace() or not char.isprintable() for char in text)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not is_plain:
        raise UsageError(
            "the ping URL is not of the form https://HOST/PATH; correct --ping-url or CATALOG_SYNC_PING_URL"
        )
    if "#" in text:
        raise UsageError("the ping URL has a fragment, which is never sent; give the URL without it")
    return PingUrl(text, parts.netloc.rpartition("@")[2])


def secret_parts(text: str) -> Iterator[str]:
    """What must not be printed of a ping URL, right or wrong: its path, its query and its password."""
    rest = text.strip().partition("://")[2] or text.strip()
    authority, _, path = rest.partition("/")
    login = authority.rpartition("@")[0].partition(":")[::2]
    path, _, query = path.partition("?")
    texts = [*login, path.strip("/"), query, *path.split("/"), *(value for _, value in parse_qsl(query))]
    yield from (form for each in texts if each for form in dict.fromkeys((each, unquote(each))))


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for a port that is not a number
    except ValueError:
        raise UsageError("the ping URL is not a URL; correct --ping-url or CATALOG_SYNC_PING_URL") from None
    return parts
