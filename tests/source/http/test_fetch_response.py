"""Responses that arrive but cannot be used (faults A5 to A8, A12 to A14, A18 to A20)."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, ResponseRejected
from tests.support.fetching import KEY, failed, fetched, now
from tests.support.rude_server import GOOD, RudeServer, catalog, floods, response, says

_ZIPPED = gzip.compress(catalog())
_GZIP = "Content-Encoding: gzip"


def envelope(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_a_successful_response_is_returned_byte_for_byte_with_its_times() -> None:
    before = now()
    with RudeServer(says(response("200 OK", catalog(), "Date: Sun, 06 Nov 1994 08:49:37 GMT"))) as server:
        result = fetched(server.url)
    assert (result.mode, result.body, result.http_status, result.attempts) == ("image", catalog(), 200, 1)
    assert before <= result.asked_at <= result.arrived_at <= now()
    assert str(result.server_date) == "1994-11-06 08:49:37+00:00"


@pytest.mark.parametrize("date", ["", "Date: soon", "Date: 99", "Date: Sun, 99 Nov 99999999999 08:49:37 GMT"])
def test_an_invalid_date_gives_none(date: str) -> None:
    with RudeServer(says(response("200 OK", catalog(), *filter(None, [date])))) as server:
        assert fetched(server.url).server_date is None


def test_a_response_without_a_length_ends_with_the_connection() -> None:
    with RudeServer(says(b"HTTP/1.1 200 OK\r\n\r\n" + catalog())) as server:
        assert fetched(server.url).body == catalog()


def test_a_chunked_body_is_joined() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in catalog()) + b"0\r\n\r\n"
    with RudeServer(says(head, body)) as server:
        assert fetched(server.url).body == catalog()


def test_a_body_with_a_byte_order_mark_is_accepted() -> None:
    with RudeServer(says(response("200 OK", b"\xef\xbb\xbf" + catalog()))) as server:
        assert fetched(server.url).body.endswith(catalog())


def test_a_cut_body_without_a_length_is_left_for_the_parser_to_reject() -> None:
    with RudeServer(says(b"HTTP/1.1 200 OK\r\n\r\n" + catalog()[:-20])) as server:
        assert fetched(server.url).body == catalog()[:-20]


def test_a_gzip_body_is_decompressed() -> None:
    with RudeServer(says(response("200 OK", _ZIPPED, _GZIP))) as server:
        assert fetched(server.url).body == catalog()


@pytest.mark.parametrize("size", [-1, -8, -9, 10, 1])
def test_gzip_that_is_cut_is_rejected(size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    with RudeServer(says(head + _ZIPPED[:size])) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ResponseRejected)
    assert failure.http_status == 200
    assert len(server.requests) == 1


def test_gzip_shorter_than_its_length_is_requested_again() -> None:
    with RudeServer(says(response("200 OK", _ZIPPED[:-4], _GZIP, length=len(_ZIPPED)))) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ApiUnreachable)
    assert len(server.requests) == 3


def test_gzip_with_a_wrong_checksum_is_rejected() -> None:
    damaged = _ZIPPED[:-8] + bytes(4) + _ZIPPED[-4:]
    with RudeServer(says(response("200 OK", damaged, _GZIP))) as server:
        assert isinstance(failed(server.url).error, ResponseRejected)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_an_encoding_that_was_not_requested_is_rejected(encoding: str) -> None:
    with RudeServer(says(response("200 OK", zlib.compress(catalog()), f"Content-Encoding: {encoding}"))) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ResponseRejected)
    assert encoding in str(failure.error)


def test_a_gzip_bomb_is_rejected_at_the_limit() -> None:
    bomb = gzip.compress(bytes(32 << 20), 1)
    with RudeServer(says(response("200 OK", bomb, _GZIP))) as server:
        failure = failed(server.url, max_bytes=1 << 20)
    assert isinstance(failure.error, ResponseRejected)
    assert "CATALOG_SYNC_MAX_BYTES" in str(failure.error)


@pytest.mark.parametrize("chunk", [b"[" * 4096, b"\n" * 4096])
def test_a_body_without_an_end_is_rejected_at_the_limit(chunk: bytes) -> None:
    with RudeServer(floods(b"HTTP/1.1 200 OK\r\n\r\n", chunk)) as server:
        failure = failed(server.url, max_bytes=1 << 20, deadline=20)
    assert isinstance(failure.error, ResponseRejected)
    assert "larger than 1048576 bytes" in str(failure.error)


def test_an_error_body_without_an_end_does_not_hide_its_status() -> None:
    with RudeServer(floods(b"HTTP/1.1 404 No\r\n\r\n", b"[" * 4096)) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ResponseRejected)
    assert failure.http_status == 404


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        (401, "invalid_token", "API Keys page"),
        (402, "subscription_required", "Creator, Professional or Business"),
        (403, "tier_not_allowed", "Scheduler tier"),
        (422, "invalid_query", "does not support this mode"),
    ],
)
def test_a_documented_error_is_not_requested_again_and_says_what_to_do(status: int, code: str, remedy: str) -> None:
    body = envelope(ok=False, code=status, message="What the API says", error_code=code)
    with RudeServer(says(response(f"{status} No", body))) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ApiRefused)
    assert (failure.http_status, failure.attempts, len(server.requests)) == (status, 1, 1)
    for text in (str(status), code, "What the API says", remedy):
        assert text in str(failure.error)


@pytest.mark.parametrize("status", [400, 404, 410, 418, 451, 201, 206, 304])
def test_another_status_is_rejected_without_a_retry(status: int) -> None:
    with RudeServer(says(response(f"{status} Odd", catalog()))) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ResponseRejected)
    assert len(server.requests) == 1
    assert str(status) in str(failure.error)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/elsewhere", "http://127.0.0.1"),
        ("https://other.example.com/x", "https://other.example.com,"),
        ("http://www.genviral.io/api", "http://www.genviral.io,"),
        (f"https://user:pass@other.example.com/?key={KEY}", "https://other.example.com,"),
        (f"https://{KEY}.example.com/", "https://[hidden].example.com,"),
        ("http://[::1", "an invalid address"),
    ],
)
def test_a_redirect_is_not_followed_and_its_target_is_named(location: str, shown: str) -> None:
    with RudeServer(says(response("302 Found", b"", f"Location: {location}"))) as server:
        failure = failed(server.url)
        assert isinstance(failure.error, ResponseRejected)
        assert len(server.requests) == 1
    assert shown in str(failure.error)


def test_a_redirect_with_a_body_without_an_end_is_still_a_redirect() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n"
    with RudeServer(floods(head, b"[" * 4096)) as server:
        assert "redirect to http://127.0.0.1" in str(failed(server.url).error)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (
            response("200 OK", b"<html>\n\n<title>Log in</title>", "Content-Type: text/html"),
            "text/html: <html> <title>",
        ),
        (response("200 OK", b"\x1b[2Jnothing here"), "no content type: [2Jnothing here"),
        (response("200 OK", b"[]", "Content-Type: application/json"), "application/json: []"),
        (response("200 OK", catalog().decode().encode("utf-16")), "not a JSON object"),
        (response("200 OK", b"\xff\xfe\xfd"), "not a JSON object"),
        (response("200 OK", b"  \n"), "not a JSON object"),
        (response("200 OK"), "200 with an empty body"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "204"),
        (response("200 OK", f"<p>{KEY}".encode()), "<p>[hidden]"),
        (response("200 OK", b"x" * 70 + KEY.encode()), "xxx[hidden]"),
    ],
    ids=["html", "terminal codes", "list", "utf-16", "binary", "blank", "empty", "204", "key", "key at the cut"],
)
def test_a_body_that_is_not_a_json_object_is_rejected_with_an_excerpt(raw: bytes, shown: str) -> None:
    with RudeServer(says(raw)) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ResponseRejected)
    assert len(server.requests) == 1
    assert shown in str(failure.error)


@pytest.mark.parametrize(
    "headers",
    [
        [f"X-{number}: yes" for number in range(101)],
        ["Content-Length: 5"],
        ["X-Long: " + "y" * 70_000],
    ],
    ids=["more than 100 headers", "two lengths", "endless header"],
)
def test_invalid_headers_end_in_an_error_of_this_program(headers: list[str]) -> None:
    with RudeServer(says(response("200 OK", catalog(), *headers))) as server:
        assert isinstance(failed(server.url).error, ApiUnreachable | ResponseRejected)


@pytest.mark.parametrize(
    ("fields", "kind", "requests"),
    [
        ({"ok": False, "code": 401}, ApiRefused, 1),
        ({"ok": False, "code": 402, "error_code": "subscription_required"}, ApiRefused, 1),
        ({"ok": False, "code": 429}, ApiUnreachable, 3),
        ({"ok": False, "code": 503}, ApiUnreachable, 3),
        ({"ok": True, "code": 500}, ApiUnreachable, 3),
        ({"ok": False, "code": 404}, ResponseRejected, 1),
        ({"ok": False}, ResponseRejected, 1),
        ({"ok": False, "code": 200}, ResponseRejected, 1),
        ({"ok": False, "code": "401"}, ResponseRejected, 1),
        ({"ok": 1, "code": 200}, ResponseRejected, 1),
        ({"code": 200}, ResponseRejected, 1),
        ({"ok": True, "code": True}, ResponseRejected, 1),
    ],
)
def test_an_error_envelope_with_status_200_is_judged_by_its_code(
    fields: dict[str, object], kind: type[CatalogSyncError], requests: int
) -> None:
    with RudeServer(says(response("200 OK", envelope(**fields, data={"models": []})))) as server:
        failure = failed(server.url)
    assert type(failure.error) is kind
    assert failure.http_status == 200
    assert len(server.requests) == requests


def test_a_large_body_that_reports_a_busy_api_is_not_requested_again() -> None:
    body = envelope(ok=False, code=503, data={"padding": "x" * (64 << 10)})
    with RudeServer(says(response("200 OK", body))) as server:
        assert isinstance(failed(server.url).error, ApiUnreachable)
    assert len(server.requests) == 1


def test_a_temporary_error_with_status_200_is_requested_again_successfully() -> None:
    with RudeServer(says(response("200 OK", envelope(ok=False, code=429))), GOOD) as server:
        assert fetched(server.url).attempts == 2


def test_deep_nesting_is_left_for_the_parser_to_reject() -> None:
    body = b'{"data":' * 100_000
    with RudeServer(says(response("200 OK", body))) as server:
        assert fetched(server.url).body == body
