"""A pooler such as PgBouncer whose server takes no writes, or is silent, and which logs clients in all the same."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.impostors import exactly

_REFUSED_ENCRYPTION = {80877103, 80877104}  # SSLRequest, GSSENCRequest
_REPORTED = {
    "server_version": "18.0",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
    "integer_datetimes": "on",
    "default_transaction_read_only": "off",
    "in_hot_standby": "off",
}
"""What its server reported when it was the primary."""


@contextmanager
def fake_pooler(*, is_silent: bool) -> Iterator[int]:
    """Gives its port. Every statement fails as at a standby; with ``is_silent`` none is answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, is_silent), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, is_silent: bool) -> None:  # noqa: FBT001 # the arguments of a thread
    with suppress(OSError):
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=_serve, args=(peer, is_silent), daemon=True).start()


def _serve(peer: socket.socket, is_silent: bool) -> None:  # noqa: FBT001 # the arguments of a thread
    with peer, suppress(OSError, EOFError):
        while _startup_code(peer) in _REFUSED_ENCRYPTION:
            peer.sendall(b"N")
        reported = [_message(b"S", f"{name}\0{value}\0".encode()) for name, value in _REPORTED.items()]
        login = [_message(b"R", struct.pack("!I", 0)), *reported, _message(b"K", struct.pack("!II", 1, 1))]
        peer.sendall(b"".join([*login, _READY]))
        while True:
            kind, length = struct.unpack("!cI", exactly(peer, 5))
            query = exactly(peer, length - 4)
            if kind == b"Q" and not is_silent:
                peer.sendall(_answer(query))


def _answer(query: bytes) -> bytes:
    if query != b"SHOW transaction_read_only\0":
        error = b"SERROR\0VERROR\0C25006\0Mcannot execute in a read-only transaction\0\0"
        return _message(b"E", error) + _READY
    column = b"transaction_read_only\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
    rows = _message(b"T", struct.pack("!h", 1) + column) + _message(b"D", struct.pack("!hi", 1, 2) + b"on")
    return rows + _message(b"C", b"SHOW\0") + _READY


def _startup_code(peer: socket.socket) -> int:
    length, code = struct.unpack("!II", exactly(peer, 8))
    exactly(peer, length - 8)
    return int(code)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


_READY = _message(b"Z", b"I")
