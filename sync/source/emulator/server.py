"""The Partner API on loopback, for demos and for tests.

It answers ``GET /studio/models`` as documented: the envelope, ``mode`` as image, video, all or left
out, ``total``, and the documented errors, which some keys ask for. It is a stand-in, not a proof of
how the real API behaves.
"""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

import msgspec

from sync.catalog.modes import MODES
from sync.catalog.text import one_line
from sync.source.emulator.catalogs import Catalog, load_catalogs

__all__ = ["BUSY_KEY", "EXPIRED_KEY", "LOW_TIER_KEY", "NO_PLAN_KEY", "Catalog", "Emulator", "load_catalogs"]

BASE_PATH = "/api/partner/v1"

# Keys that are answered with one of the documented errors. Any other key is good.
EXPIRED_KEY = "gva_live_expired.0000000000"  # 401 invalid_token
NO_PLAN_KEY = "gva_live_noplan.0000000000"  # 402 subscription_required
LOW_TIER_KEY = "gva_live_lowtier.0000000000"  # 403 tier_not_allowed
BUSY_KEY = "gva_live_busy.0000000000"  # 429 rate_limited, Retry-After: 1

Stepping = Literal["request", "manual"]


@dataclass(frozen=True)
class _Reply:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def _refusal(status: int, error_code: str, message: str, *headers: tuple[str, str]) -> _Reply:
    envelope = {"ok": False, "code": status, "message": message, "error_code": error_code}
    return _Reply(status, msgspec.json.encode(envelope), headers)


_INVALID_TOKEN = _refusal(401, "invalid_token", "API key not found")
_INVALID_QUERY = _refusal(422, "invalid_query", "Unsupported mode")
_NOT_FOUND = _refusal(404, "not_found", "Route not found")
_NOT_ALLOWED = _refusal(405, "method_not_allowed", "Only GET is answered here", ("Allow", "GET"))
_BY_KEY = {
    EXPIRED_KEY: _INVALID_TOKEN,
    NO_PLAN_KEY: _refusal(402, "subscription_required", "An active subscription is required"),
    LOW_TIER_KEY: _refusal(403, "tier_not_allowed", "The Scheduler tier cannot use the Studio"),
    BUSY_KEY: _refusal(429, "rate_limited", "Too many requests in a short window", ("Retry-After", "1")),
}


class _Playback:
    """Which catalog each mode is at. May be used from several threads."""

    def __init__(self, catalogs: Sequence[Catalog], stepping: Stepping) -> None:
        if not catalogs:
            raise ValueError("an emulator needs at least one catalog")
        self._catalogs, self._stepping = tuple(catalogs), stepping
        self._position = dict.fromkeys(MODES, 0)
        self._lock = threading.Lock()

    def step_to(self, step: int) -> None:
        if not 0 <= step < len(self._catalogs):
            raise ValueError(f"there is no step {step}: the series has 0 to {len(self._catalogs) - 1}")
        with self._lock:
            self._position = dict.fromkeys(MODES, step)

    def take(self, modes: Sequence[str]) -> list[bytes]:
        """The models of these modes, which then move on."""
        models: list[bytes] = []
        with self._lock:
            for mode in modes:
                step = self._position[mode]
                models += getattr(self._catalogs[step], mode)
                if self._stepping == "request":
                    self._position[mode] = min(step + 1, len(self._catalogs) - 1)
        return models


class Emulator:
    """The API, serving from the time it is made until ``close``, or as a context manager.

    ``port`` 0 takes a free one. With ``stepping`` "request" each mode moves on to its next catalog
    with each of its answers and stays on the last; with "manual" it moves by ``step_to`` alone.
    With ``keys`` only these are good. ``log`` gets a line for each request; the key is not in it.
    Raises ``OSError`` when the port is taken.
    """

    def __init__(
        self,
        catalogs: Sequence[Catalog],
        *,
        port: int = 0,
        stepping: Stepping = "request",
        keys: Collection[str] | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._playback = _Playback(catalogs, stepping)
        self._keys = keys
        self._server = _Server(port, self._reply, log)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE_PATH}"

    def step_to(self, step: int) -> None:
        """Put both modes at a catalog of the series, the first being 0."""
        self._playback.step_to(step)

    def close(self) -> None:
        """Take no more connections. May be called again."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _reply(self, target: str, authorization: str) -> _Reply:
        parts = urlsplit(target)
        if parts.path.rstrip("/") != f"{BASE_PATH}/studio/models":
            return _NOT_FOUND
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key or (self._keys is not None and key not in self._keys):
            return _INVALID_TOKEN
        if key in _BY_KEY:
            return _BY_KEY[key]
        modes = parse_qs(parts.query, keep_blank_values=True).get("mode", ["all"])
        if modes not in (["all"], *([mode] for mode in MODES)):
            return _INVALID_QUERY
        return self._catalog_reply(modes[0])

    def _catalog_reply(self, mode: str) -> _Reply:
        models = self._playback.take(MODES if mode == "all" else (mode,))
        # Put together by hand, so that each model goes out byte by byte as it stands in the file.
        head = f'{{"ok":true,"code":200,"message":"Studio models retrieved","data":{{"mode":"{mode}","total":'
        return _Reply(
            200, b"".join((head.encode(), str(len(models)).encode(), b',"models":[', b",".join(models), b"]}}"))
        )


class _Server(ThreadingHTTPServer):
    # The usual backlog of 5 makes a sixth client of the same moment wait a second.
    request_queue_size = 128

    def __init__(self, port: int, reply: Callable[[str, str], _Reply], log: Callable[[str], None] | None) -> None:
        self.reply, self.log = reply, log
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing to say of a client that went away; anything else is a fault of ours."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # the stub lists socket types


class _Handler(BaseHTTPRequestHandler):
    """Carries replies over HTTP/1.1; the server it belongs to says what to reply."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "catalog-sync-emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    # A kept connection that nobody uses is let go after so many seconds.
    timeout = 30

    def do_GET(self) -> None:
        self._send(self.server.reply(self.path, self.headers.get("Authorization", "")))

    def do_POST(self) -> None:
        # The body of the request is left unread, so the connection cannot be used again.
        self.close_connection = True
        self._send(_NOT_ALLOWED)

    def _send(self, reply: _Reply) -> None:
        zipped = "gzip" in self.headers.get("Accept-Encoding", "")
        body = gzip.compress(reply.body, 1, mtime=0) if zipped else reply.body
        self.send_response(reply.status)
        encoding = (("Content-Encoding", "gzip"),) if zipped else ()
        fixed = (("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Vary", "Accept-Encoding"))
        for name, value in (*fixed, *encoding, *reply.headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        if self.server.log is not None:
            self.server.log(one_line(format % args))
