"""When a request is sent again, and how long that takes (faults A9 to A11)."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import format_datetime

import pytest

from sync.errors import ApiUnreachable
from tests.support.fetching import failed, fetched, now
from tests.support.rude_server import GOOD, RudeServer, response, says


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520])
def test_a_temporary_error_is_retried_and_then_unreachable(status: int) -> None:
    with RudeServer(says(response(f"{status} Trouble", b"<html>"))) as server:
        failure = failed(server.url)
    assert isinstance(failure.error, ApiUnreachable)
    assert (failure.http_status, failure.attempts, len(server.requests)) == (status, 3, 3)
    assert str(status) in str(failure.error)


def test_a_temporary_error_is_retried_successfully() -> None:
    with RudeServer(says(response("503 Busy")), GOOD) as server:
        assert fetched(server.url).attempts == 2


def test_one_attempt_means_no_second() -> None:
    with RudeServer(says(response("503 Busy"))) as server:
        assert failed(server.url, attempts=1).attempts == len(server.requests) == 1


def test_the_wait_that_the_server_requires_is_obeyed() -> None:
    begun = time.monotonic()
    with RudeServer(says(response("429 Slow down", b"", "Retry-After: 1")), GOOD) as server:
        fetched(server.url)
    assert 1 <= time.monotonic() - begun < 3


@pytest.mark.parametrize("retry_after", ["soon", "-5", "1.5", "", "\xb2"])
def test_an_invalid_wait_is_ignored(retry_after: str) -> None:
    with RudeServer(says(response("503 Busy", b"", f"Retry-After: {retry_after}")), GOOD) as server:
        assert fetched(server.url).attempts == 2


@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
def test_a_wait_beyond_the_deadline_is_not_begun_but_reported(status: str) -> None:
    begun = time.monotonic()
    with RudeServer(says(response(status, b"", "Retry-After: 120"))) as server:
        failure = failed(server.url)
    assert time.monotonic() - begun < 3
    assert isinstance(failure.error, ApiUnreachable)
    assert len(server.requests) == 1
    assert "wait of 120 s" in str(failure.error)


def test_a_date_in_retry_after_is_measured_by_the_clock_of_the_server() -> None:
    far_off = now() + timedelta(days=400)
    headers = [
        f"Date: {format_datetime(far_off, usegmt=True)}",
        f"Retry-After: {format_datetime(far_off + timedelta(seconds=90), usegmt=True)}",
    ]
    with RudeServer(says(response("503 Busy", b"", *headers))) as server:
        assert "wait of 90 s" in str(failed(server.url).error)


def test_a_retry_is_reported_before_its_wait() -> None:
    reports: list[tuple[str, int, float, str]] = []
    with RudeServer(says(response("503 Busy"))) as server:
        failed(server.url, on_retry=lambda *report: reports.append(report))
    assert reports == [("image", 2, 0.0, "HTTP status 503"), ("image", 3, 0.0, "HTTP status 503")]


def test_the_last_request_is_reported() -> None:
    with RudeServer(says(response("503 Busy", b"", "Date: Sun, 06 Nov 1994 08:49:37 GMT")), says(b"")) as server:
        failure = failed(server.url)
    assert failure.http_status is None
    assert failure.server_date is None
