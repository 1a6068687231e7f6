"""The record of a response: a small JSON document beside the body. It never holds a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from sync.catalog.export.lines import time_text
from sync.catalog.text import one_line
from sync.source.masking import HIDDEN

FORMAT = 1
"""Raised when an older program would read a record wrongly."""

# Names of headers whose values are credentials, or may be: Set-Cookie, Authorization and what proxies and gateways
# send in their place.
_SECRET_NAME = re.compile(r"cookie|auth|token|secret|key|passw|credential|session|signature|jwt", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=//)[^\s/@]*@")
# What follows the path of an address in a header (Link, Report-To) may be signed.
_QUERY = re.compile(r"(?<=[\w/])[?#][^\s\"'<>;,]+")
# Where another address is given, its path may be a secret as well.
_ADDRESS_NAMES = {"location", "content-location", "refresh"}
_PATH = re.compile(r"(?<=//)([^\s/?#]+)[/?#]\S*")
# http.client takes 100 headers of 64 KiB each.
_LONGEST_VALUE = 1000


class Received(Struct, frozen=True):
    """A response that came, whether or not it was taken."""

    mode: str
    body: bytes
    """Decompressed: the bytes that ``sync_run_modes.payload_sha256`` covers."""
    http_status: int | None
    headers: Mapping[str, str]
    asked_at: datetime | None
    received_at: datetime | None
    url: str
    is_catalog: bool = True
    """Whether it has the form of a catalog: status 200 and the API's envelope, without the API key in it."""
    error: str | None = None
    """The name of the outcome for which it was not taken, such as rejected; older_copy for a copy of a cache."""


class ReceivingRun(Struct, frozen=True):
    """The run that received the responses. ``observed_at`` is when the last of them had arrived."""

    catalog_id: str | None
    run_id: int
    observed_at: datetime
    app_version: str


class Record(Struct, frozen=True):
    """The keys of the document, in their order. Times are text in UTC of one width."""

    catalog_sync_response: int
    catalog_id: str | None
    run_id: int
    mode: str
    url: str
    status: int | None
    error: str | None
    asked_at: str | None
    received_at: str | None
    observed_at: str
    sha256: str
    bytes: int
    file: str
    app_version: str
    headers: dict[str, str]


def make_record(run: ReceivingRun, received: Received, sha256: str, file: str, mask: Callable[[str], str]) -> bytes:
    """The document; ``file`` is the name of the body, and ``mask`` hides the secrets of the program."""
    record = Record(
        catalog_sync_response=FORMAT,
        catalog_id=run.catalog_id,
        run_id=run.run_id,
        mode=received.mode,
        url=mask(received.url),
        status=received.http_status,
        error=received.error,
        asked_at=_time(received.asked_at),
        received_at=_time(received.received_at),
        observed_at=time_text(run.observed_at),
        sha256=sha256,
        bytes=len(received.body),
        file=file,
        app_version=run.app_version,
        headers=public_headers(received.headers, mask),
    )
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def read_record(text: bytes) -> Record:
    """Raises ``msgspec.DecodeError`` or ``UnicodeDecodeError`` for anything else than a record."""
    return msgspec.json.decode(text, type=Record)


def public_headers(headers: Mapping[str, str], mask: Callable[[str], str]) -> dict[str, str]:
    """The headers of a response without secrets: values that are credentials are hidden, long ones are shortened."""
    return {one_line(mask(name)): _public_value(name, value, mask) for name, value in headers.items()}


def _public_value(name: str, value: str, mask: Callable[[str], str]) -> str:
    if _SECRET_NAME.search(name):
        return HIDDEN
    # Masked before anything is cut, so that no part of a secret remains.
    masked = mask(one_line(value, len(value)))
    masked = _USER_IN_URL.sub(f"{HIDDEN}@", masked)
    if name.lower() in _ADDRESS_NAMES:
        masked = _PATH.sub(rf"\1/{HIDDEN}", masked) if "//" in masked else HIDDEN
    return one_line(_QUERY.sub(f"?{HIDDEN}", masked), _LONGEST_VALUE)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
