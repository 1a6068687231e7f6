"""One HTTP request with ``requests``, without its redirects, retries and .netrc.

Import this module late: ``requests`` takes a large part of the start of a program.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import requests
from msgspec import Struct
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_auth_from_url
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from sync import __version__
from sync.errors import ResponseRejected
from sync.source.http.body import read_body
from sync.source.http.cancellation import SocketCanceller
from sync.source.http.error_text import LIBRARY_ERRORS
from sync.source.http.headers import StrictHttpResponse

_ERROR_BODY_LIMIT = 64 * 1024
_UNREADABLE: tuple[type[Exception], ...] = (ResponseRejected, *LIBRARY_ERRORS)


class HttpResponse(Struct, frozen=True):
    """A response that was read completely. Header names are case-insensitive; repeated headers are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _BearerAuth(AuthBase):
    """Sets the Authorization header.

    A session without an auth object reads .netrc, and an entry there replaces an Authorization header
    that was set by hand.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None. Even with ``allow_redirects=False`` requests reads the whole body of a redirect, without a limit."""


def open_session(api_key: str, canceller: SocketCanceller, *, trust_environment: bool) -> requests.Session:
    """A session without retries and redirects, whose sockets ``canceller`` can shut down.

    With ``trust_environment`` the usual proxy and CA bundle variables apply.
    """
    session = _cancellable_session(canceller, trust_environment=trust_environment)
    session.auth = _BearerAuth(api_key)
    session.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            # A response from a cache in between could have outdated prices.
            "Cache-Control": "no-cache",
        }
    )
    return session


def post_text(url: str, body: bytes, canceller: SocketCanceller, timeout: float, limit: int) -> tuple[int, bytes]:
    """Send a plain text, and return the status and at most ``limit`` bytes of the body.

    A user and a password in the URL are sent as Basic authentication. Raises one of ``LIBRARY_ERRORS``.
    """
    user, password = get_auth_from_url(url)
    with _cancellable_session(canceller, trust_environment=True) as session:
        session.auth = HTTPBasicAuth(user, password) if user or password else _NoAuth()
        session.headers["Content-Type"] = "text/plain; charset=utf-8"
        with closing(
            session.post(url, data=body, timeout=(timeout, timeout), stream=True, allow_redirects=False)
        ) as response:
            return response.status_code, response.raw.read(limit, decode_content=False) or b""


class _NoAuth(AuthBase):
    """Sets nothing, and so keeps .netrc out."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _cancellable_session(canceller: SocketCanceller, *, trust_environment: bool) -> requests.Session:
    session = _Session()
    session.trust_env = trust_environment
    session.headers.update(
        {"User-Agent": f"catalog-sync/{__version__}", "Accept-Encoding": "identity", "Connection": "close"}
    )
    session.mount("https://", _CancellableAdapter(canceller))
    session.mount("http://", _CancellableAdapter(canceller))
    return session


def send_request(session: requests.Session, url: str, mode: str, timeout: tuple[float, float]) -> requests.Response:
    """Send one request. The caller reads the body and closes the response.

    ``timeout`` has the seconds to connect and the seconds between two reads.
    """
    return session.get(url, params={"mode": mode}, timeout=timeout, stream=True, allow_redirects=False)


def header_values(response: requests.Response, name: str) -> list[str]:
    """The values of a header that may have been sent several times, each as it was sent."""
    return list(response.raw.headers.getlist(name))


def read_response(response: requests.Response, limit: int) -> HttpResponse:
    """The response with its body, which for an error status may be cut or empty.

    Raises ``ResponseRejected`` for a body that is invalid or larger than ``limit``, and one of
    ``LIBRARY_ERRORS`` when it was not received completely.
    """
    body = _read(response, limit) if response.status_code == 200 else _read_error(response)
    return HttpResponse(response.status_code, response.headers, body)


def _read(response: requests.Response, limit: int) -> bytes:
    # read() leaves chunks to http.client, which limits the length of a size line; urllib3's stream() does not.
    return read_body(
        lambda size: response.raw.read(size, decode_content=False) or b"",
        response.headers.get("Content-Encoding", ""),
        limit,
    )


def _read_error(response: requests.Response) -> bytes:
    """The body of an error response; empty when it is invalid or too large, since the status is enough."""
    try:
        return _read(response, _ERROR_BODY_LIMIT)
    except _UNREADABLE:
        return b""


class _CancellableAdapter(HTTPAdapter):
    """An adapter that registers the socket of each connection, also of one through a proxy."""

    def __init__(self, canceller: SocketCanceller) -> None:
        self._pools = _cancellable_pools(canceller)  # before the base class, whose __init__ makes the pool manager
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _cancellable_pools(canceller: SocketCanceller) -> dict[str, type[HTTPConnectionPool]]:
    # urllib3 takes classes and makes the connections itself, so the canceller is bound in classes made here.
    class Plain(HTTPConnection):
        response_class = StrictHttpResponse

        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            canceller.add(sock)
            return sock

    class Secure(HTTPSConnection):
        response_class = StrictHttpResponse

        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            canceller.add(sock)
            return sock

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
