"""The server of metrics: one scrape at a time, and clients that break off."""

from __future__ import annotations

import http.client
import socket
import threading

import pytest

from sync.metrics import http_server
from sync.metrics.http_server import metrics_server


def get(port: int, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_scrape_does_not_wait_for_ever_for_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "_TURN_SECONDS", 0.1)
    begun, gate = threading.Event(), threading.Event()

    def read() -> bytes:
        begun.set()
        gate.wait(20)
        return b"x 1\n"

    first: list[tuple[int, bytes]] = []
    with metrics_server("127.0.0.1", 0, read) as port:
        slow = threading.Thread(target=lambda: first.append(get(port, "/metrics")))
        slow.start()
        assert begun.wait(20)
        assert get(port, "/metrics")[0] == 503
        assert get(port, "/health") == (200, b"ok\n")
        gate.set()
        slow.join()
        assert get(port, "/metrics?x=1", "HEAD") == (200, b"")
    assert first == [(200, b"x 1\n")]


def test_a_client_that_breaks_off_or_sends_nonsense_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with metrics_server("127.0.0.1", 0, lambda: b"x 1\n") as port:
        socket.create_connection(("127.0.0.1", port)).close()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert b"400" in client.recv(1000)
        assert get(port, "/metrics") == (200, b"x 1\n")
    assert capfd.readouterr() == ("", "")


def test_an_ipv6_address_is_served() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this system has no IPv6")
    with metrics_server("::1", 0, lambda: b"x 1\n") as port:
        assert get(port, "/metrics", host="::1") == (200, b"x 1\n")
