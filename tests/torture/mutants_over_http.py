"""Sends responses over a socket, and mutates some of them there: status, headers, coding and length."""

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

_DEADLINE_SECONDS = 10.0
_DOCUMENTED = {Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.REJECTED}
_WRONG_HEADERS = (
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


def fetch_mutated(body: bytes, mode: str, key: str, rng: random.Random) -> bytes | None:
    """The body that the fetch returns; None if it fails, which it must do with a documented error."""
    with RudeServer(_sending(_mutated_response(body, rng))) as server:
        result = fetch_modes(
            [mode],
            FetchSettings(server.url, deadline=_DEADLINE_SECONDS, attempts=1, max_bytes=32 * 1024 * 1024),
            key,
            clock=lambda: datetime.now(UTC),
            rng=random.Random(1),
            cancelled=threading.Event(),
        )[mode]
    if isinstance(result, Fetched):
        return result.body
    require(result.error.outcome in _DOCUMENTED, f"exit {result.error.outcome}: {result.error}")
    require(len(str(result.error).splitlines()) == 1, f"not one line: {result.error}")
    return None


def _sending(response: bytes) -> Script:
    def run(peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(response)

    return run


def _mutated_response(body: bytes, rng: random.Random) -> bytes:
    """The bytes of a response, in one of three codings; in about half of all cases something is wrong."""
    # Most responses are successful, or few bodies would reach the parser.
    status = rng.choice(["200 OK"] * 8 + ["500 Oops", "204 No Content", "302 Found", "99999 X"])
    headers = ["Content-Type: application/json"]
    coding = rng.choice(("plain", "gzip", "chunked"))
    if coding == "gzip":
        body = gzip.compress(body, 1)
        headers.append("Content-Encoding: gzip")
    if coding == "chunked":
        body = _in_chunks(body, rng)
        headers.append("Transfer-Encoding: chunked")
    else:
        headers.append(f"Content-Length: {len(body)}")
    if rng.random() < 0.2:
        headers.append(rng.choice(_WRONG_HEADERS))
    response = "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1") + body
    if rng.random() < 0.3:
        return response[: rng.randrange(len(response) + 1)]
    if rng.random() < 0.3:
        return _with_flipped_bit(response, rng)
    return response


def _with_flipped_bit(response: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(response))
    return response[:at] + bytes([response[at] ^ (1 << rng.randrange(8))]) + response[at + 1 :]


def _in_chunks(body: bytes, rng: random.Random) -> bytes:
    size = rng.choice((1000, 5000, 100_000))
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
