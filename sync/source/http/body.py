"""Reading the body of a response, complete and within a limit.

``requests`` decodes gzip through urllib3, which accepts a stream that ends before its checksum, and reads a body
without a limit on its decoded size. The body is therefore read as it was sent, and decoded here.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

from sync.catalog.text import one_line
from sync.errors import ResponseRejected

_PROXY = "try again, and check that no proxy changes responses"
_CHUNK_BYTES = 64 * 1024
# This value of wbits makes zlib expect the gzip format, and check its checksum and length.
_GZIP = 16 + zlib.MAX_WBITS


class TooLarge(ResponseRejected):
    """The decoded body is larger than the limit."""


def read_body(read: Callable[[int], bytes], encoding: str, limit: int) -> bytes:
    """The decoded body. ``read(n)`` returns up to n bytes as sent, and ``b""`` at the end.

    Takes memory for at most ``limit`` bytes and one chunk, whatever the size of the decoded body. Raises
    ``TooLarge``; ``ResponseRejected`` when gzip is damaged or cut, or the encoding was not requested; and
    any error of ``read``.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _read_plain(read, limit)
    if encoding in ("gzip", "x-gzip"):
        return _read_gzip(read, limit)
    raise ResponseRejected(f"its content encoding was not requested ({one_line(encoding, 64)}); {_PROXY}")


def _read_plain(read: Callable[[int], bytes], limit: int) -> bytes:
    body = io.BytesIO()
    while chunk := read(_CHUNK_BYTES):
        _append(body, chunk, limit)
    return body.getvalue()


def _read_gzip(read: Callable[[int], bytes], limit: int) -> bytes:
    body, decoder, has_data = io.BytesIO(), zlib.decompressobj(_GZIP), False
    while data := read(_CHUNK_BYTES):
        while data:
            if decoder.eof:  # a gzip file may have several members, each with its own decoder
                decoder = zlib.decompressobj(_GZIP)
            has_data = True
            # One byte more than the limit allows: it shows that the body is too large. Also, zlib takes
            # a maximum of 0 for no maximum.
            _append(body, _decompress(decoder, data, limit - body.tell() + 1), limit)
            data = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    if has_data and not decoder.eof:
        raise ResponseRejected(f"its gzip stream ends too early; {_PROXY}")
    return body.getvalue()


def _decompress(decoder: zlib._Decompress, data: bytes, max_length: int) -> bytes:
    try:
        return decoder.decompress(data, max_length)
    except zlib.error:
        raise ResponseRejected(f"its gzip stream is damaged; {_PROXY}") from None


def _append(body: io.BytesIO, data: bytes, limit: int) -> None:
    if body.tell() + len(data) > limit:
        raise TooLarge(f"it is larger than {limit} bytes; raise CATALOG_SYNC_MAX_BYTES if the catalog is that large")
    body.write(data)
