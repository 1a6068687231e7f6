"""Unreachable servers and responses that never end (faults A1 to A4)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from sync.errors import ApiUnreachable, Interrupted, ResponseRejected
from sync.source.http.fetch import Fetched, FetchFailed
from tests.support.fetching import failed, fetch_both, fetched
from tests.support.rude_server import GOOD, RudeServer, Script, catalog, drips, floods, resets, response, says, silent

_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


def fetch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("fetch-")]


def until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.01)


def test_a_refused_connection_is_retried_and_then_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failure = failed(f"http://127.0.0.1:{port}/api")
    assert isinstance(failure.error, ApiUnreachable)
    assert failure.attempts == 3
    assert failure.http_status is None
    assert "connection refused" in str(failure.error)


def test_a_host_name_that_does_not_resolve_is_retried_and_then_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    failure = failed("https://nowhere.invalid/api")
    assert isinstance(failure.error, ApiUnreachable)
    assert failure.attempts == 3
    assert "host name cannot be resolved" in str(failure.error)


def test_a_name_server_without_a_response_does_not_delay_beyond_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*args: object) -> NoReturn:
        over.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with within(3):
        failure = failed("https://nowhere.invalid/api", deadline=0.3)
    over.set()
    assert isinstance(failure.error, ApiUnreachable)
    assert "deadline of 0.3 s" in str(failure.error)
    assert any(not fetch_threads() for _ in until(3))


def test_a_server_without_tls_is_unreachable_by_https() -> None:
    with RudeServer(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), before_request=True) as server:
        failure = failed(f"https://127.0.0.1:{server.port}/api")
    assert isinstance(failure.error, ApiUnreachable)
    assert "TLS failed" in str(failure.error)


@pytest.mark.parametrize("script", [silent, drips(b"\x16\x03\x03\x40\x00", b"\0")], ids=["silent", "dripping"])
def test_a_tls_handshake_that_does_not_end_is_cancelled_at_the_deadline(script: Script) -> None:
    with RudeServer(script, before_request=True) as server, within(3):
        failure = failed(f"https://127.0.0.1:{server.port}/api", deadline=0.5)
        assert isinstance(failure.error, ApiUnreachable)
        assert any(not fetch_threads() for _ in until(3))


@pytest.mark.parametrize(
    "script",
    [
        silent,
        drips(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-Slow: yes\r\n", 0.06),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\n\r\n"),
        drips(_CHUNKED, b"1\r\nx\r\n"),
        drips(_CHUNKED, b"0"),
        drips(_CHUNKED + b"0\r\n", b"X-Trailer: yes\r\n"),
        drips(b"HTTP/1.1 500 Oops\r\n\r\n"),
    ],
    ids=[
        "no byte",
        "one header",
        "many headers",
        "endless continue",
        "body",
        "body without length",
        "chunks",
        "chunk size",
        "trailers",
        "error body",
    ],
)
def test_a_response_that_never_ends_is_cancelled_at_the_deadline(script: Script) -> None:
    with RudeServer(script) as server:
        with within(3):
            failure = failed(server.url, deadline=0.5)
        assert isinstance(failure.error, ApiUnreachable)
        assert "CATALOG_SYNC_DEADLINE" in str(failure.error)
        assert any(not fetch_threads() for _ in until(3)), "the thread is still running"


def test_the_socket_of_a_cancelled_request_is_closed() -> None:
    with RudeServer(drips(b"HTTP/1.1 200 OK\r\n\r\n", every=0.01)) as server:
        failed(server.url, deadline=0.3)
        assert server.hung_up.wait(3)


@pytest.mark.parametrize(
    "script",
    [
        says(response("200 OK", catalog(), length=10_000)),
        says(response("200 OK", b"", length=10_000)),
        says(_CHUNKED, b'5\r\n{"ok"\r\n'),
        says(_CHUNKED, b'500\r\n{"ok"'),
        says(_CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"),
        resets(response("200 OK", catalog(), length=10_000)),
        says(b""),
        says(b"HTTP/1.1 200 OK"),
        says(b"HTTP/1.1 200 OK\r\nDate: Sun"),
        says(b"HTTP/1.1 200 OK\r\nServer: x\r\n"),
        says(b"220 mail.example.com ESMTP\r\n"),
        says(b"HTTP/1.1 " + b"9" * 70_000),
    ],
    ids=[
        "shorter than its length",
        "no body at all",
        "chunk missing",
        "chunk cut",
        "chunk size no number",
        "reset",
        "hung up at once",
        "status line cut",
        "header cut",
        "headers without an end",
        "not http",
        "endless status line",
    ],
)
def test_a_response_that_is_cut_is_requested_again_and_then_unreachable(script: Script) -> None:
    with RudeServer(script) as server:
        failure = failed(server.url, attempts=2)
    assert isinstance(failure.error, ApiUnreachable)
    assert failure.attempts == len(server.requests) == 2
    assert "2 attempts" in str(failure.error)


def test_an_error_status_counts_even_when_its_headers_are_cut() -> None:
    with RudeServer(says(b"HTTP/1.1 404 No\r\nServer: x")) as server:
        failure = failed(server.url, attempts=2)
    assert isinstance(failure.error, ResponseRejected)
    assert len(server.requests) == 1


def test_a_cut_body_is_requested_again_successfully() -> None:
    with RudeServer(resets(response("200 OK", catalog(), length=10_000)), GOOD) as server:
        result = fetched(server.url)
    assert result.body == catalog()
    assert result.attempts == 2


def test_a_mode_that_never_ends_does_not_affect_the_other() -> None:
    good = says(response("200 OK", catalog("video")))
    with RudeServer(image=floods(b"HTTP/1.1 200 OK\r\n\r\n{", b" " * 1000), video=good) as server:
        results = fetch_both(server.url, deadline=0.5, max_bytes=1 << 40)
    assert isinstance(results["image"], FetchFailed)
    assert isinstance(results["video"], Fetched)
    assert list(results) == ["image", "video"]


def test_cancelling_ends_the_current_request_at_once() -> None:
    cancelled = threading.Event()
    with RudeServer(silent) as server, within(3):
        threading.Timer(0.2, cancelled.set).start()
        with pytest.raises(Interrupted, match="no response was stored"):
            fetch_both(server.url, deadline=30, cancelled=cancelled)
        assert any(not fetch_threads() for _ in until(3))


def test_cancelling_ends_the_wait_for_a_retry() -> None:
    cancelled = threading.Event()
    with RudeServer(says(response("503 Busy", b"", "Retry-After: 20"))) as server, within(3):
        with pytest.raises(Interrupted):
            fetch_both(server.url, deadline=30, cancelled=cancelled, on_retry=lambda *_: cancelled.set())
        assert any(not fetch_threads() for _ in until(3))


def test_nothing_is_requested_when_cancelled_before_the_start() -> None:
    cancelled = threading.Event()
    cancelled.set()
    with RudeServer(GOOD) as server:
        with pytest.raises(Interrupted):
            fetch_both(server.url, cancelled=cancelled)
        assert server.requests == []


def test_an_error_in_the_thread_is_raised_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr("sync.source.http.attempts.read_response_time", broken)
    with RudeServer(GOOD) as server, pytest.raises(ZeroDivisionError):
        fetch_both(server.url)
