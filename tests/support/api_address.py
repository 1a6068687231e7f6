"""One port for the servers that a test runs one after the other: a sync refuses another base URL than the last one."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import cache
from typing import Any

from sync.source.emulator.server import Catalog, Emulator


def api_port() -> int:
    """A port of this process that nobody else gets; a server with SO_REUSEADDR can listen on it at any time."""
    return int(_reservation().getsockname()[1])


@cache
def _reservation() -> socket.socket:
    # Bound and never listening: the system gives the port to no one who asks for a free one, and lets a socket with
    # the same option listen on it.
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind(("127.0.0.1", 0))
    return reservation


def emulator(catalogs: Sequence[Catalog], **options: Any) -> Emulator:
    """The emulator on the address of this process; on another one while a server has that."""
    try:
        return Emulator(catalogs, port=api_port(), **options)
    except OSError:
        return Emulator(catalogs, **options)
