"""Servers that begin a login as PostgreSQL or MariaDB do: to get the password, or to be another product.

Scripts for a ``RudeServer`` with ``before_request``.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field

_PLUGIN_AUTH, _SECURE, _TLS, _PROTOCOL_41, _WITH_DATABASE = 1 << 19, 1 << 15, 1 << 11, 1 << 9, 1 << 3
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_OK = b"\x00\x00\x00\x02\x00\x00\x00"


def exactly(peer: socket.socket, length: int) -> bytes:
    """The next bytes that a client sends. Raises ``EOFError`` if it sends fewer."""
    got = b""
    while len(got) < length:
        part = peer.recv(length - len(got))
        if not part:
            raise EOFError
        got += part
    return got


@dataclass
class Impostor:
    """What all of them have in common; ``heard`` is everything that clients sent after TLS."""

    tls: ssl.SSLContext | None = None
    heard: bytes = b""

    def __call__(self, peer: socket.socket, stop: threading.Event) -> None:
        with contextlib.suppress(OSError, EOFError), contextlib.ExitStack() as stack:
            self.serve(peer, stack)

    def serve(self, peer: socket.socket, stack: contextlib.ExitStack) -> None:
        raise NotImplementedError

    def secured(self, peer: socket.socket, stack: contextlib.ExitStack) -> socket.socket:
        assert self.tls is not None
        return stack.enter_context(self.tls.wrap_socket(peer, server_side=True))

    def read(self, peer: socket.socket, length: int) -> bytes:
        got = exactly(peer, length)
        self.heard += got
        return got


@dataclass
class PostgreSQLImpostor(Impostor):
    """Asks for the password in clear; with ``parameters`` it accepts the login and reports them instead."""

    parameters: dict[str, str] = field(default_factory=dict)

    def serve(self, peer: socket.socket, stack: contextlib.ExitStack) -> None:
        start = self._start(peer)
        if start[4:8] == struct.pack("!i", 80877104):  # encryption by GSSAPI
            peer.sendall(b"N")
            start = self._start(peer)
        if start == _SSL_REQUEST:
            peer.sendall(b"S" if self.tls else b"N")
            peer = self.secured(peer, stack) if self.tls else peer
            self._start(peer)
        if self.parameters:
            self._accept(peer)
        peer.sendall(b"R" + struct.pack("!ii", 8, 3))
        self.read(peer, 1)
        (length,) = struct.unpack("!i", self.read(peer, 4))
        self.read(peer, length - 4)

    def _accept(self, peer: socket.socket) -> None:
        peer.sendall(b"R" + struct.pack("!ii", 8, 0))
        for name, value in self.parameters.items():
            peer.sendall(_message(b"S", f"{name}\0{value}\0".encode()))
        while True:  # until the client ends
            peer.sendall(_message(b"Z", b"I"))
            kind = self.read(peer, 1)
            self.read(peer, struct.unpack("!i", self.read(peer, 4))[0] - 4)
            if kind == b"Q":  # libpq asks an older server whether the session is read-only
                column = struct.pack("!h", 1) + b"transaction_read_only\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
                peer.sendall(_message(b"T", column) + _message(b"D", struct.pack("!hi", 1, 3) + b"off"))
                peer.sendall(_message(b"C", b"SHOW\0"))

    def _start(self, peer: socket.socket) -> bytes:
        head = self.read(peer, 4)
        return head + self.read(peer, struct.unpack("!i", head)[0] - 4)


def _message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", len(content) + 4) + content


@dataclass
class MariaDBImpostor(Impostor):
    """Greets with a version and a method, and then asks for another method, or accepts the login."""

    version: str = "5.5.5-10.11.6-MariaDB"
    greeting: str = "mysql_native_password"
    method: str | None = None

    def serve(self, peer: socket.socket, stack: contextlib.ExitStack) -> None:
        self._send(peer, 0, self._greeting())
        number, login = self._packet(peer)
        if self.tls and len(login) == 32:
            peer = self.secured(peer, stack)
            number, login = self._packet(peer)
        if self.method:
            more = b"\x04Password: " if self.method == "dialog" else b"s" * 20 + b"\x00"
            self._send(peer, number + 1, b"\xfe" + self.method.encode() + b"\x00" + more)
            number, _ = self._packet(peer)
        self._send(peer, number + 1, _OK)
        while True:
            _, query = self._packet(peer)
            self._answer(peer, query[1:].decode())

    def _greeting(self) -> bytes:
        flags = _PLUGIN_AUTH | _SECURE | _PROTOCOL_41 | _WITH_DATABASE | (_TLS if self.tls else 0)
        low, high = struct.pack("<I", flags)[:2], struct.pack("<I", flags)[2:]
        salt = b"abcdefgh\x00" + low + b"\x2d\x02\x00" + high + b"\x15" + b"\x00" * 10 + b"ijklmnopqrst\x00"
        return b"\x0a" + self.version.encode() + b"\x00\x01\x00\x00\x00" + salt + self.greeting.encode() + b"\x00"

    def _answer(self, peer: socket.socket, query: str) -> None:
        if "VERSION()" not in query.upper():
            self._send(peer, 1, _OK)
            return
        name = b"\x03def\x00\x00\x00\x09VERSION()\x00\x0c\x2d\x00\x64\x00\x00\x00\xfd\x00\x00\x1f\x00\x00"
        value = bytes([len(self.version)]) + self.version.encode()
        for number, packet in enumerate((b"\x01", name, b"\xfe\x00\x00\x02\x00", value, b"\xfe\x00\x00\x02\x00"), 1):
            self._send(peer, number, packet)

    def _send(self, peer: socket.socket, number: int, payload: bytes) -> None:
        peer.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)

    def _packet(self, peer: socket.socket) -> tuple[int, bytes]:
        head = self.read(peer, 4)
        return head[3], self.read(peer, int.from_bytes(head[:3], "little"))
