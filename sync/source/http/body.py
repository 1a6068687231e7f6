"""Reading an answer's body: bounded, and checked to its end.

``requests`` would decode gzip without checking its end or its checksum, and without a bound; so the
bytes are read as they come and decoded here.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

from sync.catalog.text import one_line
from sync.errors import ResponseRejected

_PROXY = "try again, and check that no proxy changes answers"
_CHUNK = 64 * 1024
# zlib's way of asking for the gzip format, whose checksum and length it then checks itself.
_GZIP = 16 + zlib.MAX_WBITS


class TooLarge(ResponseRejected):
    """The body, decoded, is larger than allowed."""


def read_body(read: Callable[[int], bytes], encoding: str, limit: int) -> bytes:
    """The decoded body. ``read(n)`` gives up to n bytes as sent, and ``b""`` at the end.

    Memory stays within the limit and a chunk, whatever the body unpacks to. Raises
    ``ResponseRejected`` for a body that is too large (``TooLarge``), gzip that is damaged or cut, or
    an encoding that was not asked for; and lets through what ``read`` raises.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _read_plain(read, limit)
    if encoding in ("gzip", "x-gzip"):
        return _read_gzip(read, limit)
    raise ResponseRejected(f"it came in an encoding nobody asked for ({one_line(encoding, 64)}); {_PROXY}")


def _read_plain(read: Callable[[int], bytes], limit: int) -> bytes:
    body = io.BytesIO()
    while chunk := read(_CHUNK):
        _append(body, chunk, limit)
    return body.getvalue()


def _read_gzip(read: Callable[[int], bytes], limit: int) -> bytes:
    body, inflater, begun = io.BytesIO(), zlib.decompressobj(_GZIP), False
    while data := read(_CHUNK):
        while data:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP)
            begun = True
            _append(body, _inflate(inflater, data, limit - body.tell() + 1), limit)
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if begun and not inflater.eof:
        raise ResponseRejected(f"its gzip stream ends too early; {_PROXY}")
    return body.getvalue()


def _inflate(inflater: zlib._Decompress, data: bytes, room: int) -> bytes:
    try:
        return inflater.decompress(data, room)
    except zlib.error:
        raise ResponseRejected(f"its gzip stream is damaged; {_PROXY}") from None


def _append(body: io.BytesIO, data: bytes, limit: int) -> None:
    if body.tell() + len(data) > limit:
        raise TooLarge(f"it is larger than {limit} bytes; raise CATALOG_SYNC_MAX_BYTES if a catalog can be so large")
    body.write(data)
