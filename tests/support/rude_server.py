"""A server on loopback that misbehaves as a test wants."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Self

from tests.support.api_address import api_port

Script = Callable[[socket.socket, threading.Event], None]


def says(*parts: bytes) -> Script:
    """Sends this, then closes the connection."""

    def run(peer: socket.socket, stop: threading.Event) -> None:
        for part in parts:
            peer.sendall(part)

    return run


def drips(beginning: bytes, drop: bytes = b"x", every: float = 0.05) -> Script:
    """Sends the beginning, then a drop every ``every`` seconds forever."""

    def run(peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(beginning)
        while not stop.wait(every):
            peer.sendall(drop)

    return run


def floods(beginning: bytes, chunk: bytes) -> Script:
    """Sends the beginning, then the same chunk forever, as fast as the client reads."""
    return drips(beginning, chunk, 0)


def silent(peer: socket.socket, stop: threading.Event) -> None:
    """Reads the request and sends nothing."""
    stop.wait()


def resets(beginning: bytes) -> Script:
    """Sends the beginning, then resets the connection."""

    def run(peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(beginning)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return run


def response(status: str, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """The bytes of a response, with the right Content-Length unless ``length`` is given."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def catalog(mode: str = "image") -> bytes:
    """The body of a valid response without models."""
    return (
        f'{{"ok":true,"code":200,"message":"Studio models retrieved","data":{{"mode":"{mode}","total":0,"models":[]}}}}'
    ).encode()


GOOD = says(response("200 OK", catalog(), "Content-Type: application/json"))


class RudeServer:
    """Runs one script for each request: the scripts in turn, the last one repeated, or the one of the mode.

    With ``before_request`` a script runs as soon as a client connects.
    """

    def __init__(self, *scripts: Script, before_request: bool = False, **by_mode: Script) -> None:
        self.requests: list[str] = []
        self.hung_up = threading.Event()
        self._scripts, self._by_mode, self._before_request = list(scripts), by_mode, before_request
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._listener = _listener()
        self._threads = [threading.Thread(target=self._accept)]
        self._peers: list[socket.socket] = []
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/partner/v1"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._stop.set()
        _shut_down([self._listener, *self._peers])
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(peer,))
            self._peers.append(peer)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            try:
                if self._before_request:
                    self._script("")(peer, self._stop)
                elif head := _read_head(peer):  # a client may connect, end, and send no request
                    self._script(head)(peer, self._stop)
            except (BrokenPipeError, ConnectionResetError):
                self.hung_up.set()

    def _script(self, head: str) -> Script:
        with self._lock:
            self.requests.append(head)
            for mode, script in self._by_mode.items():
                if f"mode={mode}" in head:
                    return script
            return self._scripts[min(len(self.requests), len(self._scripts)) - 1]


def _listener() -> socket.socket:
    """A socket on the address of this process's API; on another one while a server has that."""
    try:
        return socket.create_server(("127.0.0.1", api_port()))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def _read_head(peer: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head and (data := peer.recv(65536)):
        head += data
    return head.decode("latin-1")


def _shut_down(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
