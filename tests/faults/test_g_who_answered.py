"""Fault G12: something in front of the API answers in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.rude_server import RudeServer, Script, response, says
from tests.support.synced_database import SyncedDatabase

PAGE = b"<!doctype html><title>Attention Required!</title><h1>Sorry, you have been blocked</h1>"
ADVICE = ("create a new key", "subscribe", "plan", "use image or video")


def sends(status: str, body: bytes, *headers: str) -> Script:
    return says(response(status, body, *headers))


def as_json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


FOREIGN = {
    "a page": PAGE,
    "an empty body": b"",
    "a gateway": as_json(message="Forbidden"),
    "another API": as_json(success=False, errors=[{"code": 9109, "message": "Unauthorized"}]),
    "ok without a code": as_json(ok=False, error="invalid_auth"),
    "ok with another code": as_json(ok=False, code=1020, message="Access denied"),
    "ok that is a text": as_json(ok="false", code=403, message="no"),
    "ok that is true": as_json(ok=True, code=200, data={}),
    "a list": b"[]",
    "a text": b'"Forbidden"',
    "cut JSON": as_json(ok=False, code=403)[:-1],
    "not UTF-8": b"\xff\xfe<html>",
}


@pytest.mark.parametrize("status", ["401 Unauthorized", "402 Payment Required", "403 Forbidden", "422 No"])
@pytest.mark.parametrize("name", FOREIGN)
def test_g12_a_page_or_foreign_json_is_exit_4_and_the_key_may_be_fine(
    synced_sqlite: SyncedDatabase, status: str, name: str
) -> None:
    line = synced_sqlite.fails_in_both_modes(4, sends(status, FOREIGN[name], "Content-Type: text/html"))

    assert status[:3] in line
    assert "something in front of the API answered" in line
    assert "the API key may be fine" in line
    assert not any(advice in line for advice in ADVICE)


def test_g12_it_is_recorded_on_each_database(synced: SyncedDatabase) -> None:
    synced.fails_in_both_modes(4, sends("403 Forbidden", PAGE, "Content-Type: text/html"))


def test_g12_it_is_requested_again_like_a_server_error(synced_sqlite: SyncedDatabase) -> None:
    with RudeServer(sends("403 Forbidden", PAGE)) as api:
        synced_sqlite.shell("sync", "--base-url", api.url, "--attempts", "2", "--mode", "image")

        assert len(api.requests) == 2


@pytest.mark.parametrize("extra", [{}, {"error_code": "tier_not_allowed"}, {"message": None}, {"request_id": "x"}])
def test_g12_the_envelope_of_the_api_is_still_exit_3(synced_sqlite: SyncedDatabase, extra: dict[str, Any]) -> None:
    body = as_json(**{"ok": False, "code": 403, "message": "no", **extra})

    assert "use a key of a Creator" in synced_sqlite.fails_in_both_modes(3, sends("403 Forbidden", body))


@pytest.mark.parametrize("body", [as_json(code=401, message="Sign in"), as_json(ok="no", code=403)])
def test_g12_foreign_json_under_200_gives_no_advice_on_the_key(synced_sqlite: SyncedDatabase, body: bytes) -> None:
    line = synced_sqlite.fails_in_both_modes(4, sends("200 OK", body))

    assert "something in front of the API answered" in line


def test_g12_a_proxy_that_requires_a_login_is_exit_4_and_its_page_is_not_quoted(synced_sqlite: SyncedDatabase) -> None:
    line = synced_sqlite.fails_in_both_modes(4, sends("407 Proxy Authentication Required", b"user me:hunter2"))

    assert "a proxy in front of the API requires a login, and the API key may be fine" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("status", ["304 Not Modified", "300 Multiple Choices", "302 Found", "306 Switch Proxy"])
def test_g12_a_3xx_without_a_location_is_not_called_a_redirect(synced_sqlite: SyncedDatabase, status: str) -> None:
    line = synced_sqlite.fails_in_both_modes(5, sends(status, b""))

    assert status[:3] in line
    assert "a redirect" not in line


def test_g12_a_304_is_no_redirect_even_with_a_location(synced_sqlite: SyncedDatabase) -> None:
    line = synced_sqlite.fails_in_both_modes(5, sends("304 Not Modified", b"", "Location: https://x.example/"))

    assert "a cache in front of the API" in line
