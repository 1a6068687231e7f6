"""Serves metrics over HTTP while the process does something else.

Whoever can reach the address can read the metrics: there is no password and no TLS.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from sync.errors import UsageError

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOST_CONNECTIONS = 16
_CLIENT_SECONDS = 5.0  # for a client that sends nothing, or reads nothing
# Prometheus gives a scrape 10 s.
_TURN_SECONDS = 5.0


class Unavailable(Exception):
    """There are no metrics now; the text says why, without secrets."""


@contextmanager
def metrics_server(host: str, port: int, read: Callable[[], bytes]) -> Iterator[int]:
    """Serves ``/metrics`` and ``/health`` at this address until the end of the with statement; yields the port.

    ``read`` gives the text of the metrics, is called for each scrape and by one thread at a time, and raises
    ``Unavailable``. Raises ``UsageError`` if the address cannot be used.
    """
    server = _open(host, port, _Pages(read))
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True, name="metrics")
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class _Pages:
    """The pages by their paths: each has a status and a text."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read, self._turn = read, threading.Lock()

    def page(self, path: str) -> tuple[HTTPStatus, bytes]:
        path = path.partition("?")[0]
        if path == "/health":  # of the process alone: a probe must not restart it because a server is down
            return HTTPStatus.OK, b"ok\n"
        if path == "/metrics":
            return self._metrics()
        return HTTPStatus.NOT_FOUND, b"not found; /metrics and /health are served\n"

    def _metrics(self) -> tuple[HTTPStatus, bytes]:
        # One at a time: scrapes that pile up must not open a connection to a slow database each.
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            return HTTPStatus.SERVICE_UNAVAILABLE, b"no metrics: another scrape is waiting for the database\n"
        try:
            return HTTPStatus.OK, self._read()
        except Unavailable as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, f"no metrics: {error}\n".encode()
        finally:
            self._turn.release()


def _open(host: str, port: int, pages: _Pages) -> ThreadingHTTPServer:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return _server_class(family)(cast("Any", address), _handler_class(pages))
    except (OSError, UnicodeError, OverflowError) as error:  # a UnicodeError is a label that no name has
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise UsageError(
            f"cannot listen at {shown}: {reason}; give another address or port with --listen, or end the program that"
            " uses it"
        ) from error


def _server_class(address_family: int) -> type[ThreadingHTTPServer]:
    free = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    class Server(ThreadingHTTPServer):
        daemon_threads = True  # the process does not wait for a client

        def server_bind(self) -> None:
            if address_family == socket.AF_INET6:  # [::] is every IPv6 address, and leaves IPv4 to others
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Not that of HTTPServer, which looks up the name of the host, for seconds where DNS is slow.
            self.socket.bind(self.server_address)
            self.server_address = self.socket.getsockname()

        def process_request(self, request: Any, client_address: Any) -> None:
            if free.acquire(blocking=False):
                super().process_request(request, client_address)
            else:
                self.shutdown_request(request)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                free.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that breaks off is nothing to print."""

    Server.address_family = address_family
    return Server


def _handler_class(pages: _Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _CLIENT_SECONDS
        server_version, sys_version = "catalog-sync", ""

        def do_GET(self) -> None:
            status, text = pages.page(self.path)
            self.send_response(status)
            self.send_header("Content-Type", _CONTENT_TYPE)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing: a scrape each few seconds is no news."""

    return Handler
