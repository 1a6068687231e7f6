"""A proxy before a database server that can break a connection at a COMMIT."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal, Self

from tests.support.own_database_server import Server

Fate = Literal["passed on", "not sent", "not acknowledged"]
"""What the proxy does with a COMMIT. ``not sent``: it breaks the connection instead. ``not acknowledged``: the
server carries the COMMIT out, and the connection breaks before its reply."""

# As both protocols send it; "READ COMMITTED" occurs in other statements.
_COMMIT = re.compile(rb"COMMIT(?:\0|$)")


class CommitProxy:
    """Forwards all connections to a server and counts their COMMITs.

    ``at`` has functions by the number of the COMMIT: each is called before that COMMIT is passed on
    and returns its fate.
    """

    def __init__(self, server: Server, at: Mapping[int, Callable[[], Fate]]) -> None:
        self.commits = 0
        self._server, self._at = server, at
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._close(self._listener, *self._sockets)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._forward(client)

    def _forward(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._server.port))
        except OSError:
            client.close()
            return
        self._sockets += [client, server]
        cut = threading.Event()
        threading.Thread(target=self._forward_requests, args=(client, server, cut), daemon=True).start()
        threading.Thread(target=self._forward_replies, args=(server, client, cut), daemon=True).start()

    def _forward_requests(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        login_commits = self._server.commits_of_a_login
        with suppress(OSError):
            while data := client.recv(65536):
                is_commit = _COMMIT.search(data) is not None
                fate = self._next_fate() if is_commit and not login_commits else "passed on"
                login_commits -= is_commit and login_commits > 0
                if fate == "not sent":
                    break
                if fate == "not acknowledged":
                    cut.set()
                server.sendall(data)
        self._close(client, server)

    def _forward_replies(self, server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while (data := server.recv(65536)) and not cut.is_set():
                client.sendall(data)
        self._close(client, server)

    def _next_fate(self) -> Fate:
        with self._lock:
            self.commits += 1
            decide = self._at.get(self.commits)
        return decide() if decide else "passed on"

    def _close(self, *sockets: socket.socket) -> None:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
