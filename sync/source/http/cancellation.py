"""Ending a request from another thread.

The timeout of a Python socket, which is also the read timeout of ``requests``, covers each receive call and
not the whole response. A server that sends one byte now and then never exceeds it. The waiting thread
ends such a request by shutting its sockets down, which makes the blocked call return.
"""

from __future__ import annotations

import contextlib
import socket
import threading


class SocketCanceller:
    """The sockets of one worker, which another thread can shut down."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._lock = threading.Lock()
        self._duplicates: list[socket.socket] = []

    def add(self, sock: socket.socket) -> None:
        """Register a socket that has just been connected.

        Raises ``ConnectionAbortedError``, with the socket closed, when ``cancel`` was called before.
        """
        with self._lock:
            if not self.cancelled.is_set():
                # A duplicate, since ssl.wrap_socket detaches the original's descriptor before the
                # handshake, in which a server may hang as well. Both descriptors are one connection.
                self._duplicates.append(sock.dup())
                return
        sock.close()
        raise ConnectionAbortedError("the request was cancelled")

    def cancel(self) -> None:
        """Shut all sockets down, and refuse new ones. May be called again."""
        # Under the lock: a socket is either registered before and shut down here, or refused by add.
        with self._lock:
            self.cancelled.set()
        self.close_sockets()

    def close_sockets(self) -> None:
        """Shut down all sockets that are registered so far."""
        with self._lock:
            duplicates, self._duplicates = self._duplicates, []
        for duplicate in duplicates:
            with contextlib.suppress(OSError):  # the server may have disconnected already
                duplicate.shutdown(socket.SHUT_RDWR)
            duplicate.close()
