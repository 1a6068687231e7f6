"""Ending a request from outside.

A time-out of a socket counts from one byte to the next, so a server that sends a byte now and then
is never caught by it. The thread that waits ends such a request by shutting its sockets down.
"""

from __future__ import annotations

import contextlib
import socket
import threading


class SocketCanceller:
    """The sockets of one request and its retries, open to being ended by another thread."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._twins: list[socket.socket] = []

    def watch(self, sock: socket.socket) -> None:
        """Remember a socket that has just been connected; refuse it when all is over already.

        A duplicate is kept, since TLS takes the original's descriptor away for its handshake, which
        is when a silent server may have to be left. Shutting a duplicate down shuts both.
        """
        with self._lock:
            if not self.ended.is_set():
                self._twins.append(sock.dup())
                return
        sock.close()
        raise ConnectionAbortedError("the request was given up")

    def end(self) -> None:
        """Shut every socket down, and let no new one begin. May be called again."""
        with self._lock:
            self.ended.set()
        self.drop()

    def drop(self) -> None:
        """Shut every socket down that there is so far."""
        with self._lock:
            twins, self._twins = self._twins, []
        for twin in twins:
            with contextlib.suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)
            twin.close()
