"""A wire to a database server, on which something happens at a COMMIT."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal, Self

from tests.support.own_database_server import Server

What = Literal["passed on", "lost", "unheard"]
"""What becomes of a COMMIT: it is passed on; it is lost with the connection; or it is carried out and the
connection breaks before the answer."""

# As both protocols write it; "READ COMMITTED" is said more often.
_COMMIT = re.compile(rb"COMMIT(?:\0|$)")


class CommitProxy:
    """Carries all connections to a server; ``at`` says by number what happens to a COMMIT, before it is passed on."""

    def __init__(self, server: Server, at: Mapping[int, Callable[[], What]]) -> None:
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
        self._end(self._listener, *self._sockets)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._carry(client)

    def _carry(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._server.port))
        except OSError:
            client.close()
            return
        self._sockets += [client, server]
        unheard = threading.Event()
        threading.Thread(target=self._ask, args=(client, server, unheard), daemon=True).start()
        threading.Thread(target=self._answer, args=(server, client, unheard), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, unheard: threading.Event) -> None:
        passed_over = self._server.commits_of_a_login
        with suppress(OSError):
            while data := client.recv(65536):
                is_commit = _COMMIT.search(data) is not None
                what = self._next() if is_commit and not passed_over else "passed on"
                passed_over -= is_commit and passed_over > 0
                if what == "lost":
                    break
                if what == "unheard":
                    unheard.set()
                server.sendall(data)
        self._end(client, server)

    def _answer(self, server: socket.socket, client: socket.socket, unheard: threading.Event) -> None:
        with suppress(OSError):
            while (data := server.recv(65536)) and not unheard.is_set():
                client.sendall(data)
        self._end(client, server)

    def _next(self) -> What:
        with self._lock:
            self.commits += 1
            happens = self._at.get(self.commits)
        return happens() if happens else "passed on"

    def _end(self, *sockets: socket.socket) -> None:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
