"""The Partner API on loopback, for demos and tests.

It serves ``GET /studio/models`` as documented: the envelope, ``mode`` as image, video, all or left out,
``total``, and the documented errors, which certain keys cause. It says nothing about how the real API behaves
where that is not documented.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

import msgspec

from sync.catalog.modes import MODES
from sync.source.emulator.catalogs import Catalog, load_catalogs
from sync.source.emulator.http_server import Reply, ReplyServer

__all__ = ["BUSY_KEY", "EXPIRED_KEY", "LOW_TIER_KEY", "NO_PLAN_KEY", "Catalog", "Emulator", "load_catalogs"]

BASE_PATH = "/api/partner/v1"

# Keys that cause a documented error. Every other key is valid.
EXPIRED_KEY = "gva_live_expired.0000000000"  # 401 invalid_token
NO_PLAN_KEY = "gva_live_noplan.0000000000"  # 402 subscription_required
LOW_TIER_KEY = "gva_live_lowtier.0000000000"  # 403 tier_not_allowed
BUSY_KEY = "gva_live_busy.0000000000"  # 429 rate_limited, Retry-After: 1

Stepping = Literal["request", "manual"]


def _now() -> datetime:
    return datetime.now(UTC)


def _error(status: int, error_code: str, message: str, *headers: tuple[str, str]) -> Reply:
    envelope = {"ok": False, "code": status, "message": message, "error_code": error_code}
    return Reply(status, msgspec.json.encode(envelope), headers)


_INVALID_TOKEN = _error(401, "invalid_token", "API key not found")
_INVALID_QUERY = _error(422, "invalid_query", "Unsupported mode")
_NOT_FOUND = _error(404, "not_found", "Route not found")
_NOT_ALLOWED = _error(405, "method_not_allowed", "Only GET is supported", ("Allow", "GET"))
_BY_KEY = {
    EXPIRED_KEY: _INVALID_TOKEN,
    NO_PLAN_KEY: _error(402, "subscription_required", "An active subscription is required"),
    LOW_TIER_KEY: _error(403, "tier_not_allowed", "The Scheduler tier cannot use the Studio"),
    BUSY_KEY: _error(429, "rate_limited", "Too many requests in a short window", ("Retry-After", "1")),
}


class _Playback:
    """The step of the series at which each mode is. May be used from several threads."""

    def __init__(self, catalogs: Sequence[Catalog], stepping: Stepping) -> None:
        if not catalogs:
            raise ValueError("an emulator needs at least one catalog")
        self._catalogs, self._stepping = tuple(catalogs), stepping
        self._steps = dict.fromkeys(MODES, 0)
        self._lock = threading.Lock()

    def step_to(self, step: int) -> None:
        if not 0 <= step < len(self._catalogs):
            raise ValueError(f"there is no step {step}: the series has steps 0 to {len(self._catalogs) - 1}")
        with self._lock:
            self._steps = dict.fromkeys(MODES, step)

    def take(self, modes: Sequence[str]) -> list[bytes]:
        """The models of these modes, which then advance when each request is a step."""
        models: list[bytes] = []
        with self._lock:  # two requests at once must not get the same step
            for mode in modes:
                step = self._steps[mode]
                models += getattr(self._catalogs[step], mode)
                if self._stepping == "request":
                    self._steps[mode] = min(step + 1, len(self._catalogs) - 1)
        return models


class Emulator:
    """The API, which serves from the creation of the object until ``close``; also a context manager.

    ``port`` 0 takes a free port. With ``stepping`` "request" each successful response for a mode advances that
    mode to its next catalog, up to the last; with "manual" only ``step_to`` does. With ``keys`` only these keys
    are valid. ``log`` gets a line for each request, without the key. The Date of each response is the time of
    ``clock``. Raises ``OSError`` when the port is in use.
    """

    def __init__(
        self,
        catalogs: Sequence[Catalog],
        *,
        port: int = 0,
        stepping: Stepping = "request",
        keys: Collection[str] | None = None,
        log: Callable[[str], None] | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._playback = _Playback(catalogs, stepping)
        self._keys = keys
        self._server = ReplyServer(port, self._reply, _NOT_ALLOWED, log, clock)
        # The poll interval is how long close() may take. The default of 0.5 s would slow down every test.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE_PATH}"

    def step_to(self, step: int) -> None:
        """Set both modes to a catalog of the series, the first being 0."""
        self._playback.step_to(step)

    def close(self) -> None:
        """Accept no more connections. May be called again."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _reply(self, target: str, authorization: str) -> Reply:
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

    def _catalog_reply(self, mode: str) -> Reply:
        models = self._playback.take(MODES if mode == "all" else (mode,))
        # Joined as bytes, so that each model is sent exactly as it is in the file: an encoder would change
        # the spelling of numbers.
        head = f'{{"ok":true,"code":200,"message":"Studio models retrieved","data":{{"mode":"{mode}","total":'
        return Reply(
            200, b"".join((head.encode(), str(len(models)).encode(), b',"models":[', b",".join(models), b"]}}"))
        )
