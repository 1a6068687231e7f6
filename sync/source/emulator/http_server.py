"""The HTTP side of the emulator: it sends what a function replies to each request."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sync.catalog.text import one_line


@dataclass(frozen=True)
class Reply:
    """A response to send: its JSON body, and headers beside those of every response."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class ReplyServer(ThreadingHTTPServer):
    """Calls ``reply`` with path and Authorization header of each GET request, from several threads.

    Every other request gets ``other_method``. ``log`` gets a line for each request, without the key. The Date of a
    response is the time of ``clock``.
    """

    # The listen backlog. The default of socketserver is 5, and a connection beyond it waits for the SYN to be
    # sent again, which takes a second.
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        reply: Callable[[str, str], Reply],
        other_method: Reply,
        log: Callable[[str], None] | None,
        clock: Callable[[], datetime],
    ) -> None:
        self.reply, self.other_method, self.log, self.clock = reply, other_method, log, clock
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores a client that disconnected; prints the traceback of any other error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # the stub lists socket types


class _Handler(BaseHTTPRequestHandler):
    server: ReplyServer
    protocol_version = "HTTP/1.1"
    server_version = "catalog-sync-emulator"
    sys_version = ""
    # http.server writes headers and body separately, and Nagle's algorithm would delay the second packet.
    disable_nagle_algorithm = True
    # An idle connection is closed after this number of seconds.
    timeout = 30

    def do_GET(self) -> None:
        self._send(self.server.reply(self.path, self.headers.get("Authorization", "")))

    def do_POST(self) -> None:
        # The request body is not read, so the next request on this connection could not be found.
        self.close_connection = True
        self._send(self.server.other_method)

    def _send(self, reply: Reply) -> None:
        is_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        body = gzip.compress(reply.body, 1, mtime=0) if is_gzip else reply.body
        self.send_response(reply.status)
        encoding = (("Content-Encoding", "gzip"),) if is_gzip else ()
        fixed = (("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Vary", "Accept-Encoding"))
        for name, value in (*fixed, *encoding, *reply.headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header: the base class would take it from the host's clock."""
        return super().date_time_string(self.server.clock().timestamp() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        if self.server.log is not None:
            self.server.log(one_line(format % args))
