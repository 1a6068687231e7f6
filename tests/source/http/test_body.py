"""Reading a body within bounds."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib

import pytest

from sync.errors import ResponseRejected
from sync.source.http.body import TooLarge, read_body

_TEXT = b"a catalog " * 1000
_EMPTY = gzip.compress(b"{}")


def read(data: bytes, encoding: str, limit: int = 1 << 20) -> bytes:
    return read_body(io.BytesIO(data).read, encoding, limit)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_is_returned_unchanged(encoding: str) -> None:
    assert read(_TEXT, encoding) == _TEXT


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_gzip_body_of_any_level_is_decompressed(encoding: str) -> None:
    assert read(gzip.compress(_TEXT, 9), encoding) == read(gzip.compress(_TEXT, 0), encoding) == _TEXT


def test_several_gzip_members_are_one_body() -> None:
    assert read(gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two"), "gzip") == b"one two"


def test_gzip_that_arrives_byte_by_byte_is_decompressed() -> None:
    packed = io.BytesIO(gzip.compress(b"one ") + gzip.compress(_TEXT))
    assert read_body(lambda _: packed.read(1), "gzip", 1 << 20) == b"one " + _TEXT


def test_an_empty_body_is_empty_in_any_encoding() -> None:
    assert read(b"", "gzip") == read(b"", "") == b""


def test_every_cut_of_a_gzip_body_is_noticed() -> None:
    packed = gzip.compress(_TEXT)
    for size in range(1, len(packed)):
        with pytest.raises(ResponseRejected):
            read(packed[:size], "gzip")


@pytest.mark.parametrize(
    "packed",
    [b"{}", _EMPTY + b"more", zlib.compress(b"{}"), _EMPTY[:-4] + b"\x09\0\0\0"],
    ids=["not packed", "more after the end", "another format", "a wrong length"],
)
def test_invalid_gzip_is_rejected(packed: bytes) -> None:
    with pytest.raises(ResponseRejected, match="damaged"):
        read(packed, "gzip")


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_the_limit_is_exact(encoding: str) -> None:
    body = gzip.compress(_TEXT) if encoding else _TEXT
    assert read(body, encoding, len(_TEXT)) == _TEXT
    with pytest.raises(TooLarge):
        read(body, encoding, len(_TEXT) - 1)


def test_a_gzip_bomb_takes_no_more_memory_than_the_limit_allows() -> None:
    bomb = gzip.compress(bytes(64 << 20), 1)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            read(bomb, "gzip", 1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "gzip,identity"])
def test_another_encoding_is_rejected_by_name(encoding: str) -> None:
    with pytest.raises(ResponseRejected, match=encoding):
        read(_TEXT, encoding)
