"""Faults A1 to A6 and A9 to A11: requests that fail. The failure is stored the same way on each kind of database."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NoReturn

import pytest

from tests.support.api_catalogs import envelope
from tests.support.commands import error_line, output
from tests.support.rude_server import RudeServer, Script, drips, resets, response, says, silent
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

BODY = envelope(LISTED)
BUSY = says(response("503 Service Unavailable"))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def first(script: Script, then: Script) -> Script:
    """Runs ``script`` for the first request and ``then`` for all others."""
    turns, lock = iter([script]), threading.Lock()

    def run(peer: socket.socket, stop: threading.Event) -> None:
        with lock:
            chosen = next(turns, then)
        chosen(peer, stop)

    return run


def test_a1_a_refused_connection_is_retried_and_then_exit_4(synced: SyncedDatabase) -> None:
    # Nothing listens on this port when the server has stopped.
    with RudeServer(silent) as api:
        url = api.url
    before = synced.catalog()
    synced.shell.set(ATTEMPTS="2")

    line = error_line(synced.shell("sync", "--base-url", url), 4)

    assert "fetching modes image and video from " in line
    assert " failed after 2 attempts: connection refused; try again later" in line
    synced.require_unchanged(before)


def test_a1_an_unknown_host_name_is_retried_and_then_exit_4(
    synced_sqlite: SyncedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    before = synced_sqlite.catalog()
    synced_sqlite.shell.set(ATTEMPTS="2")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    line = error_line(synced_sqlite.shell("sync", "--accept-base-url", "--base-url", "https://api.example/v1"), 4)

    assert "failed after 2 attempts: the host name cannot be resolved" in line
    synced_sqlite.require_unchanged(before)


def test_a2_a_server_that_accepts_and_sends_nothing_is_exit_4_at_the_deadline(synced_sqlite: SyncedDatabase) -> None:
    with within(5):
        assert "deadline of 1 s" in synced_sqlite.fails_in_both_modes(4, silent, "--deadline", "1", "--attempts", "4")


@pytest.mark.parametrize(
    "script",
    [
        drips(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-Slow: yes\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["in a header", "in headers", "in the body", "in chunks"],
)
def test_a3_single_bytes_now_and_then_are_exit_4_at_the_deadline(synced_sqlite: SyncedDatabase, script: Script) -> None:
    with within(5):
        assert "deadline of 1 s" in synced_sqlite.fails_in_both_modes(4, script, "--deadline", "1")


CUTS = {
    "shorter than its length": says(response("200 OK", BODY[:-10], length=len(BODY))),
    "a missing chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY), BODY[:-10]),
    "reset": resets(response("200 OK", BODY[:-10], length=len(BODY))),
    "headers that do not end": says(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a4_an_incomplete_response_is_retried_and_then_exit_4(synced_sqlite: SyncedDatabase, cut: str) -> None:
    assert "failed after 2 attempts: " in synced_sqlite.fails_in_both_modes(4, CUTS[cut], "--attempts", "2")
    assert "image 4 models" in synced_sqlite.succeeds("--attempts", "2", image=first(CUTS[cut], image()))


@pytest.mark.parametrize("size", [0, 1, len(BODY) // 2, len(BODY) - 1])
def test_a5_a_body_without_a_length_that_ends_early_is_exit_5(synced_sqlite: SyncedDatabase, size: int) -> None:
    synced_sqlite.fails_in_both_modes(5, says(b"HTTP/1.1 200 OK\r\n\r\n" + BODY[:size]))


def test_a5_fewer_models_than_the_total_are_exit_5(synced: SyncedDatabase) -> None:
    line = synced.fails(5, "--mode", "image", image=image(LISTED[:3], total=4))

    assert "data.total is '4' but it has 3 models" in line


# The trailer of a gzip stream has 8 bytes: a checksum and the length.
@pytest.mark.parametrize("cut", [1, 8, 9, 40])
def test_a6_a_truncated_gzip_stream_is_exit_5(synced_sqlite: SyncedDatabase, cut: int) -> None:
    import gzip

    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    assert "gzip stream" in synced_sqlite.fails_in_both_modes(5, says(head + gzip.compress(BODY)[:-cut]))


def test_a9_a_retry_after_within_the_deadline_is_waited_for(synced_sqlite: SyncedDatabase) -> None:
    began = time.monotonic()
    busy = says(response("429 Too Many Requests", b"", "Retry-After: 1"))
    synced_sqlite.succeeds("--attempts", "2", image=first(busy, image()))

    assert time.monotonic() - began >= 1


def test_a9_a_retry_after_beyond_the_deadline_is_reported_and_exit_4(synced_sqlite: SyncedDatabase) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=6), usegmt=True)
    for wait in ("21600", later):
        script = says(response("503 Service Unavailable", b"", f"Retry-After: {wait}"))
        with within(5):
            line = synced_sqlite.fails_in_both_modes(4, script, "--attempts", "4")
        assert "requires a wait of 21" in line
        assert "of the deadline of 20 s" in line


def test_a10_an_invalid_retry_after_is_ignored(synced_sqlite: SyncedDatabase) -> None:
    invalid = says(response("503 Service Unavailable", b"", "Retry-After: soon"))

    synced_sqlite.succeeds("--attempts", "2", image=first(invalid, image()))


@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "504 Gateway Timeout"])
def test_a11_a_server_error_is_retried_and_then_exit_4(synced_sqlite: SyncedDatabase, status: str) -> None:
    script = says(response(status))
    with RudeServer(script) as api:
        line = error_line(synced_sqlite.shell("sync", "--base-url", api.url, "--attempts", "2"), 4)
        assert len(api.requests) == 4  # two attempts for each mode

    assert status[:3] in line
    synced_sqlite.verify()
    output(synced_sqlite.sync("--attempts", "2", image=first(script, image()), video=first(script, video())))
