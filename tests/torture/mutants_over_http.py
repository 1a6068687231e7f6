"""Answers that go over a socket, and are made wrong there."""

from __future__ import annotations

import gzip
import random
import socket
import threading
from datetime import UTC, datetime

from sync.errors import Outcome
from sync.source.http.fetch import Fetched, FetchSettings, fetch_modes
from tests.support.rude_server import RudeServer, Script
from tests.torture.database_under_test import require

_DEADLINE = 10.0
_DOCUMENTED = {Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.REJECTED}
_ODD_LINES = (
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Content-Encoding: gzip",
    "Content-Encoding: br",
    "Location: http://[",
    "Date: yesterday",
    "Retry-After: soon",
    "X: " + "y" * 70_000,
    "\0",
    "Content-Length: -1",
)


def fetched(body: bytes, mode: str, key: str, chance: random.Random) -> bytes | None:
    """The body that fetch takes, or None when it refuses, which it must do in a documented way."""
    with RudeServer(_saying(_response(body, chance))) as server:
        found = fetch_modes(
            [mode],
            FetchSettings(server.url, deadline=_DEADLINE, attempts=1, max_bytes=32 * 1024 * 1024),
            key,
            clock=lambda: datetime.now(UTC),
            rng=random.Random(1),
            cancelled=threading.Event(),
        )[mode]
    if isinstance(found, Fetched):
        return found.body
    require(found.error.outcome in _DOCUMENTED, f"exit {found.error.outcome}: {found.error}")
    require(len(str(found.error).splitlines()) == 1, f"not one line: {found.error}")
    return None


def _saying(whole: bytes) -> Script:
    def run(peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(whole)

    return run


def _response(body: bytes, chance: random.Random) -> bytes:
    """The bytes on the wire: plain, with gzip or in chunks, and half of the time wrong somewhere."""
    status = chance.choice(["200 OK"] * 8 + ["500 Oops", "204 No Content", "302 Found", "99999 X"])
    headers = ["Content-Type: application/json"]
    coding = chance.choice(("plain", "gzip", "chunked"))
    if coding == "gzip":
        body = gzip.compress(body, 1)
        headers.append("Content-Encoding: gzip")
    if coding == "chunked":
        body = _in_chunks(body, chance)
        headers.append("Transfer-Encoding: chunked")
    else:
        headers.append(f"Content-Length: {len(body)}")
    if chance.random() < 0.2:
        headers.append(chance.choice(_ODD_LINES))
    whole = "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1") + body
    if chance.random() < 0.3:
        return whole[: chance.randrange(len(whole) + 1)]
    if chance.random() < 0.3:
        at = chance.randrange(len(whole))
        return whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1 :]
    return whole


def _in_chunks(body: bytes, chance: random.Random) -> bytes:
    size = chance.choice((1000, 5000, 100_000))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
