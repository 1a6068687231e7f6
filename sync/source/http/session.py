"""One HTTP request by ``requests``, with what it does by itself and we do not want turned off.

Import this late: ``requests`` is a good part of a program's start.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import requests
from msgspec import Struct
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
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
    """An answer read to its end. Header names are matched in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _BearerAuth(AuthBase):
    """Sets the header last of all.

    Having an auth object also keeps requests from reading .netrc, whose entry for the host would
    otherwise replace a header given by hand.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even when told not to follow, requests would read a redirect's body, all of it."""


def open_session(api_key: str, watch: SocketCanceller, *, trust_environment: bool) -> requests.Session:
    """A session that asks once, follows nothing, and whose sockets ``watch`` can end.

    With ``trust_environment`` the usual proxy and CA bundle variables count.
    """
    session = _Session()
    session.trust_env = trust_environment
    session.auth = _BearerAuth(api_key)
    session.headers.update(
        {
            "User-Agent": f"catalog-sync/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "close",
            # An old answer from a cache in between would be taken for today's prices.
            "Cache-Control": "no-cache",
        }
    )
    session.mount("https://", _WatchedAdapter(watch))
    session.mount("http://", _WatchedAdapter(watch))
    return session


def ask(session: requests.Session, url: str, mode: str, timeout: tuple[float, float]) -> requests.Response:
    """Send one request; its body is still to be read, and the response to be closed."""
    return session.get(url, params={"mode": mode}, timeout=timeout, stream=True, allow_redirects=False)


def read_response(response: requests.Response, limit: int) -> HttpResponse:
    """The answer with its body.

    Raises ``ResponseRejected`` for a body that cannot be used, and what requests and urllib3 raise
    when it did not arrive in full.
    """
    good = response.status_code == 200
    body = _read(response, limit) if good else _read_error(response)
    return HttpResponse(response.status_code, response.headers, body)


def _read(response: requests.Response, limit: int) -> bytes:
    # read(), not stream(): urllib3's own reading of chunks takes a size line of any length.
    return read_body(
        lambda size: response.raw.read(size, decode_content=False) or b"",
        response.headers.get("Content-Encoding", ""),
        limit,
    )


def _read_error(response: requests.Response) -> bytes:
    """As much of an error's body as helps; the status says enough when it cannot be read."""
    try:
        return _read(response, _ERROR_BODY_LIMIT)
    except _UNREADABLE:
        return b""


class _WatchedAdapter(HTTPAdapter):
    """An adapter whose connections, through a proxy too, are of the watched kind."""

    def __init__(self, watch: SocketCanceller) -> None:
        self._pools = _watched_pools(watch)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _watched_pools(watch: SocketCanceller) -> dict[str, type[HTTPConnectionPool]]:
    # urllib3 makes its connections from classes, so what they should know is closed over here.
    class Plain(HTTPConnection):
        response_class = StrictHttpResponse

        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            watch.watch(sock)
            return sock

    class Secure(HTTPSConnection):
        response_class = StrictHttpResponse

        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            watch.watch(sock)
            return sock

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
