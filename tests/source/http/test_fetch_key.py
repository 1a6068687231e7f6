"""No response makes this program print the key (faults F1 to F8)."""

from __future__ import annotations

import json
import logging

import pytest

from sync.composition.masking import masker
from sync.errors import ResponseRejected
from sync.source.http.response_check import ResponseValidator
from sync.source.http.session import HttpResponse
from tests.support.fetching import KEY, failed, fetched
from tests.support.rude_server import GOOD, RudeServer, catalog, response, says


def envelope(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("status", ["200 OK", "401 No", "404 Gone", "503 Busy"])
def test_the_key_in_a_message_is_masked(status: str) -> None:
    body = envelope(
        ok=False, code=int(status[:3]), message=f"no such key: {KEY}, {KEY[:20]}", error_code=KEY.split(".")[1]
    )
    with RudeServer(says(response(status, body))) as server:
        assert "no such key: [hidden]" in str(failed(server.url, attempts=1).error)


def test_a_message_with_line_breaks_and_terminal_codes_is_one_plain_line() -> None:
    body = envelope(ok=False, code=403, message="no\r\nERROR forged\x1b[31m\x00" + "long " * 100)
    with RudeServer(says(response("403 No", body))) as server:
        message = str(failed(server.url).error)
    assert "no ERROR forged [31m" in message
    assert len(message) < 600


@pytest.mark.parametrize(
    "raw",
    [
        response(f"401 {KEY}", catalog(), f"Content-Type: {KEY}"),
        response("200 OK", b"<html>", f"Content-Type: text/{KEY}"),
        response("200 OK", catalog(), f"Content-Encoding: {KEY}\x1b"),
        response("503 Busy", f"<html>{KEY}".encode(), f"Retry-After: {KEY}"),
        response("301 Moved", b"", f"Location: {KEY}://{KEY}"),
        f"{KEY} 200 OK\r\n\r\n".encode(),
        f"HTTP/1.1 {KEY} OK\r\n\r\n".encode(),
        response("200 OK", catalog(), f"Transfer-Encoding: chunked\r\nX: {KEY}", length=0) + KEY.encode(),
    ],
)
def test_the_key_anywhere_in_a_response_is_not_repeated(raw: bytes) -> None:
    reports: list[object] = []
    with RudeServer(says(raw)) as server:
        failed(server.url, on_retry=lambda *report: reports.append(report))
    assert KEY not in str(reports)


def test_the_logs_of_the_libraries_do_not_hold_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with RudeServer(says(response("503 Busy")), says(b""), GOOD) as server:
        fetched(server.url)
    assert "/studio/models" in caplog.text
    assert KEY.split(".")[1] not in caplog.text


def test_a_catalog_that_contains_the_key_is_rejected() -> None:
    with RudeServer(says(response("200 OK", catalog().replace(b"Studio", KEY.encode())))) as server:
        error = failed(server.url, attempts=1).error
    assert isinstance(error, ResponseRejected)
    assert "contains the API key" in str(error)
    assert KEY not in str(error)


@pytest.mark.parametrize("key", ["Studio", "a"])
def test_a_key_that_is_a_word_of_the_catalog_is_no_leak(key: str) -> None:
    found = HttpResponse(200, {}, envelope(ok=True, data={"models": [{"id": "a", "name": "Studio"}]}))
    assert ResponseValidator("http://h/models", "http://h", "image", key, masker({}, key)).check(found) is None
