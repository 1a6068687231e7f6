"""Faults A7, A8 and A12 to A20: complete responses that cannot be used, and invalid requests."""

from __future__ import annotations

import gzip
import json
import resource
import stat
from pathlib import Path

import pytest

from tests.support.api_catalogs import envelope
from tests.support.commands import error_line, finished, output
from tests.support.rude_server import RudeServer, Script, floods, response, says
from tests.support.secrets_search import KEY
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

MIB = 1024 * 1024


# A process with less memory than the bomb needs ends with MemoryError if it decompresses all of it.
def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (160 * MIB, 160 * MIB))


def test_a7_a_gzip_bomb_is_exit_5_at_the_limit_and_takes_little_memory(synced_sqlite: SyncedDatabase) -> None:
    bomb = gzip.compress(b'{"ok":' + bytes(200 * MIB), 1)
    script = says(response("200 OK", bomb, "Content-Encoding: gzip"))
    settings = {"MAX_BYTES": str(4 * MIB)}
    options = {"preexec_fn": limit_memory}
    with RudeServer(script) as api, synced_sqlite.process("sync", api=api, options=options, **settings) as process:
        line = error_line(finished(process), 5)

    assert "larger than 4194304 bytes; raise CATALOG_SYNC_MAX_BYTES" in line
    synced_sqlite.verify()


@pytest.mark.parametrize("chunk", [b"[" * 65536, b" " * 65536, b"\n" * 65536])
def test_a8_an_endless_body_is_exit_5_at_the_limit(synced_sqlite: SyncedDatabase, chunk: bytes) -> None:
    script = floods(b"HTTP/1.1 200 OK\r\n\r\n{", chunk)

    assert "larger than 2097152 bytes" in synced_sqlite.fails_in_both_modes(5, script, "--max-bytes", str(2 * MIB))


REFUSALS = {
    401: ("invalid_token", "create a new key on the API Keys page"),
    402: ("subscription_required", "Creator, Professional or Business plan"),
    403: ("tier_not_allowed", "Scheduler tier"),
    422: ("invalid_query", "does not support this mode"),
}


def refusal(code: int, error_code: str) -> bytes:
    return json.dumps({"ok": False, "code": code, "message": "as the API says", "error_code": error_code}).encode()


@pytest.mark.parametrize("code", REFUSALS)
def test_a12_a_refusal_is_exit_3_without_a_retry(synced_sqlite: SyncedDatabase, code: int) -> None:
    error_code, remedy = REFUSALS[code]
    before = synced_sqlite.catalog()
    with RudeServer(says(response(f"{code} No", refusal(code, error_code)))) as api:
        line = error_line(synced_sqlite.shell("sync", "--base-url", api.url, "--attempts", "4"), 3)
        assert len(api.requests) == 2  # one for each mode

    for part in (str(code), error_code, "as the API says", remedy):
        assert part in line
    synced_sqlite.require_unchanged(before)


def redirects_to(target: str) -> Script:
    return says(response("302 Found", b"", f"Location: {target}"))


def test_a13_a_redirect_to_the_same_host_is_not_followed_and_is_exit_5(synced_sqlite: SyncedDatabase) -> None:
    with RudeServer(redirects_to("/elsewhere")) as api:
        line = error_line(synced_sqlite.shell("sync", "--base-url", api.url), 5)
        assert len(api.requests) == 2

        assert f"a redirect to http://127.0.0.1:{api.port}, which is not followed" in line

    synced_sqlite.verify()


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("https://other.example/models", "https://other.example"),
        ("http://127.0.0.1:9/models", "http://127.0.0.1:9"),
        ("//other.example/models", "http://other.example"),
    ],
)
def test_a14_a_redirect_to_another_host_is_not_followed_and_the_line_names_the_host(
    synced_sqlite: SyncedDatabase, target: str, host: str
) -> None:
    assert f"a redirect to {host}, which is not followed" in synced_sqlite.fails_in_both_modes(5, redirects_to(target))


def test_a15_plain_http_to_another_host_is_exit_2_before_a_run_starts(synced_sqlite: SyncedDatabase) -> None:
    line = error_line(synced_sqlite.shell("sync", "--base-url", "http://api.example/v1"), 2)

    assert "plain http to api.example" in line
    assert synced_sqlite.query("SELECT COUNT(*) FROM sync_runs") == [(1,)]


def test_a16_a_netrc_that_names_the_host_does_not_change_the_request(synced_sqlite: SyncedDatabase) -> None:
    netrc = Path(synced_sqlite.home) / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    netrc.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with RudeServer(image=image(), video=video()) as api, synced_sqlite.process("sync", api=api) as process:
        output(finished(process))

    assert [f"Authorization: Bearer {KEY}" in request for request in api.requests] == [True, True]
    assert not any("Basic" in request for request in api.requests)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (f"{KEY[:9]}\n{KEY[9:]}", "a line break"),
        (f"{KEY[:9]} {KEY[9:]}", "a blank"),
        (f"\u201c{KEY}\u201d", "a character outside ASCII"),
    ],
)
def test_a17_a_key_that_is_not_valid_in_a_header_is_exit_2_and_not_printed(
    synced_sqlite: SyncedDatabase, key: str, reason: str
) -> None:
    synced_sqlite.shell.set(API_KEY=key)
    with RudeServer(image=image(), video=video()) as api:
        line = error_line(synced_sqlite.shell("sync", "--base-url", api.url), 2)

    assert reason in line
    assert api.requests == []


def test_a17_blanks_around_a_key_are_removed(synced_sqlite: SyncedDatabase) -> None:
    synced_sqlite.shell.set(API_KEY=f"  {KEY}\n")

    synced_sqlite.succeeds()


@pytest.mark.parametrize(
    ("raw", "quoted"),
    [
        (
            response("200 OK", b"<html><title>Log in</title>", "Content-Type: text/html"),
            "text/html: <html><title>Log in",
        ),
        (response("200 OK", f"<html>{KEY}".encode(), "Content-Type: text/html"), "text/html: <html>[hidden]"),
        (response("204 No Content"), "204"),
        (response("200 OK"), "an empty body"),
    ],
    ids=["html", "html with the key", "204", "empty"],
)
def test_a18_an_html_page_or_an_empty_body_is_exit_5_and_its_beginning_is_quoted(
    synced_sqlite: SyncedDatabase, raw: bytes, quoted: str
) -> None:
    assert quoted in synced_sqlite.fails_in_both_modes(5, says(raw))


HEADERS = {
    # http.client accepts 100 headers, and lines of 65,536 bytes.
    "101 headers": [f"X-{number}: yes" for number in range(101)],
    "two lengths": ["Content-Length: 5"],
    "a line of 70,000 letters": ["X-Long: " + "y" * 70_000],
}


@pytest.mark.parametrize("name", HEADERS)
def test_a19_excessive_headers_are_exit_4(synced_sqlite: SyncedDatabase, name: str) -> None:
    synced_sqlite.fails_in_both_modes(4, says(response("200 OK", envelope(LISTED), *HEADERS[name])))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ok": False, "code": 401}, 3),
        ({"ok": False, "code": 402}, 3),
        ({"ok": False, "code": 429}, 4),
        ({"ok": False, "code": 500}, 4),
        ({"ok": False, "code": 404}, 5),
        ({"ok": False}, 5),
        ({"ok": True, "code": 403}, 3),
        ({"ok": 1, "code": 200}, 5),
    ],
    ids=str,
)
def test_a20_a_refusal_under_http_200_is_handled_by_its_code_and_never_stored(
    synced_sqlite: SyncedDatabase, fields: dict[str, object], code: int
) -> None:
    payload = {**json.loads(envelope([])), "message": "as the API says", **fields}
    if "code" not in fields:
        del payload["code"]

    assert "as the API says" in synced_sqlite.fails_in_both_modes(
        code, says(response("200 OK", json.dumps(payload).encode()))
    )
