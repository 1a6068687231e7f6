"""The errors of each status and envelope."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync.catalog.response.api_errors import error_for_envelope, error_for_status, is_retryable
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, ResponseRejected


def error_of(status: int, message: str | None = None, error_code: str | None = None) -> CatalogSyncError:
    return error_for_status(status, error_code=error_code, message=message, mode="image", where="the API")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, ApiRefused) for status in (401, 402, 403, 422)),
        *((status, ApiUnreachable) for status in (408, 429, 500, 501, 502, 503, 504, 599)),
        *((status, ResponseRejected) for status in (201, 204, 301, 308, 400, 404, 405, 409, 418, 451, 100, 600, 999)),
    ],
)
def test_each_status_has_its_kind_of_error(status: int, kind: type[CatalogSyncError]) -> None:
    assert type(error_of(status)) is kind
    assert is_retryable(status) is (kind is ApiUnreachable)


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (401, "create a new key on the API Keys page and set CATALOG_SYNC_API_KEY"),
        (402, "Creator, Professional or Business plan"),
        (403, "Scheduler tier"),
        (404, "check CATALOG_SYNC_BASE_URL"),
        (422, "use image or video"),
        (429, "try again later"),
        (500, "try again later"),
    ],
)
def test_the_message_says_what_to_do(status: int, action: str) -> None:
    assert action in str(error_of(status))


def test_the_message_has_the_server_the_status_and_the_message_of_the_api() -> None:
    message = str(error_of(401, "API key not found", "invalid_token"))
    assert message.startswith("the API returned 401 invalid_token (API key not found) for mode image: the key is ")


def test_the_message_of_the_api_is_made_safe_and_short() -> None:
    message = str(error_of(401, "a\nb\x1b[31m\u202e\ud800" + "c" * 1000, "x" * 1000 + "\r"))
    assert message.isprintable()
    assert len(message) < 500


@pytest.mark.parametrize(
    "envelope",
    [{"ok": True, "code": 200}, {"ok": True}, {"ok": True, "code": Decimal(200)}, {"ok": True, "code": 200.0}],
)
def test_an_envelope_of_success_is_not_an_error(envelope: dict[str, object]) -> None:
    assert error_for_envelope(envelope) is None


_NO_STATUS: list[object] = [200, None, True, "401", 401.5, [], 10**400]
_NO_SUCCESS: list[object] = [None, True, "200", Decimal("1e999999"), 0, -200]
_NOT_TRUE: list[object] = [1, "true", None, []]


@pytest.mark.parametrize(
    ("envelope", "kind"),
    [
        ({"ok": False, "code": 401}, ApiRefused),
        ({"ok": True, "code": 403}, ApiRefused),
        ({"code": 401, "message": "Sign in"}, ApiUnreachable),
        ({"ok": False, "code": 503}, ApiUnreachable),
        ({"ok": False, "code": Decimal(429)}, ApiUnreachable),
        ({"ok": False, "code": 404}, ResponseRejected),
        *(({"ok": False, "code": code}, ResponseRejected) for code in _NO_STATUS),
        *(({"ok": True, "code": code}, ResponseRejected) for code in _NO_SUCCESS),
        *(({"ok": ok, "code": 200}, ResponseRejected) for ok in _NOT_TRUE),
        ({"ok": False}, ResponseRejected),
        ({"code": 200}, ResponseRejected),
        ({}, ResponseRejected),
    ],
)
def test_any_other_envelope_is_judged_by_its_code(envelope: dict[str, object], kind: type[CatalogSyncError]) -> None:
    assert type(error_for_envelope(envelope)) is kind


def test_an_envelope_is_quoted_with_its_own_message_and_place() -> None:
    envelope = {"ok": False, "code": 402, "error_code": "subscription_required", "message": "Pay\nfirst"}
    message = str(error_for_envelope(envelope, mode="video", where="saved.jsonl line 3"))
    assert message.startswith("saved.jsonl line 3 returned 402 subscription_required (Pay first) for mode video: the ")


@pytest.mark.parametrize("fields", [{"message": 5, "error_code": []}, {"message": None}])
def test_messages_that_are_not_text_are_left_out(fields: dict[str, object]) -> None:
    assert str(error_for_envelope({"ok": False, "code": 401, **fields})).startswith("the API returned 401: the key")
