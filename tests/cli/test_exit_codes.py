"""Every failure is one line on stderr and a documented exit code, and does not change the catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from sync.cli import options
from sync.source.emulator.server import BUSY_KEY, EXPIRED_KEY, LOW_TIER_KEY, NO_PLAN_KEY
from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, envelope, model, numbered_models
from tests.support.commands import error_line, output
from tests.support.database_contents import (
    DAY_TABLES,
    RUN_TABLES,
    SEAL_TABLES,
    Rows,
    changed_tables,
    every_row,
    query_rows,
)
from tests.support.rude_server import RudeServer, response, says

LISTED = numbered_models(4)
GOOD_VIDEO = says(response("200 OK", envelope([], "video")))


@pytest.fixture
def listed(shell: Shell, sqlite_url: str) -> Shell:
    """A database with four image models."""
    shell.set(DATABASE_URL=sqlite_url, ATTEMPTS="1")
    with emulator([catalog(*LISTED)]) as api:
        output(shell("sync", "--base-url", api.base_url))
    return shell


def refused(code: int, error_code: str = "some_code", **fields: object) -> bytes:
    return json.dumps(
        {"ok": False, "code": code, "message": "message of the API", "error_code": error_code, **fields}
    ).encode()


STATUSES: Mapping[str, tuple[int, str]] = {
    "401 Unauthorized": (3, "create a new key on the API Keys page"),
    "402 Payment Required": (3, "subscribe"),
    "403 Forbidden": (3, "plan"),
    "422 Unprocessable Content": (3, "mode"),
    "404 Not Found": (5, "check CATALOG_SYNC_BASE_URL"),
    "400 Bad Request": (5, "check CATALOG_SYNC_BASE_URL"),
    "302 Found": (5, "redirect"),
    "408 Request Timeout": (4, "try again later"),
    "429 Too Many Requests": (4, "too many requests"),
    "500 Internal Server Error": (4, "try again later"),
    "503 Service Unavailable": (4, "try again later"),
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_of_the_api_has_its_code_and_remedy(listed: Shell, sqlite_url: str, status: str) -> None:
    code, remedy = STATUSES[status]
    line = fails_with(
        says(response(status, refused(int(status[:3])), "Location: https://other.example/x")), listed, sqlite_url, code
    )
    assert remedy in line
    assert status[:3] in line


@pytest.mark.parametrize("code", [401, 402, 403, 404, 422, 429, 500])
def test_ok_false_under_200_goes_by_its_code(listed: Shell, sqlite_url: str, code: int) -> None:
    exit_code = next(exit_code for status, (exit_code, _) in STATUSES.items() if status.startswith(str(code)))
    line = fails_with(says(response("200 OK", refused(code))), listed, sqlite_url, exit_code)
    assert "message of the API" in line


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        (EXPIRED_KEY, 3, "401 invalid_token"),
        (NO_PLAN_KEY, 3, "402 subscription_required"),
        (LOW_TIER_KEY, 3, "403 tier_not_allowed"),
        (BUSY_KEY, 4, "429 rate_limited"),
    ],
)
def test_the_documented_errors_of_the_emulator_are_reported(listed: Shell, key: str, code: int, words: str) -> None:
    listed.set(API_KEY=key)
    with emulator([catalog(*LISTED)]) as api:
        line = error_line(listed("sync", "--base-url", api.base_url, "--quiet"), code)
    assert words in line
    assert key not in line


BAD_ANSWERS: Mapping[str, bytes] = {
    "html": b"<!doctype html><title>Sign in</title>",
    "nothing": b"",
    "cut json": envelope(LISTED)[:-10],
    "a list": b"[]",
    "no data": b'{"ok": true, "code": 200}',
    "ok false without a code": b'{"ok": false}',
    "another total": envelope(LISTED, total=5),
    "no total": envelope(LISTED, total=None),
    "another mode in data": envelope(LISTED, "video"),
    "another mode in a model": envelope([model("acme/new", mode="video")]),
    "models as an object": envelope([], models={}, total=0),
    "the same id twice": envelope([*LISTED, model("acme/image-0", 99)]),
    "NaN": envelope([model("acme/image-0", float("nan")), *LISTED[1:]]),
    "not utf-8": envelope(LISTED).replace(b"Acme", b"Ac\xff\xfe"),
    "100,000 brackets": b'{"ok": true, "code": 200, "data": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_response_that_cannot_be_trusted_is_rejected(listed: Shell, sqlite_url: str, name: str) -> None:
    fails_with(says(response("200 OK", BAD_ANSWERS[name], "Content-Type: text/html")), listed, sqlite_url, 5)


def test_a_truncated_body_is_not_a_response(listed: Shell, sqlite_url: str) -> None:
    body = envelope(LISTED)
    line = fails_with(says(response("200 OK", body[:-10], length=len(body))), listed, sqlite_url, 4)
    assert "cut short" in line


def test_a_refused_connection_is_exit_4(listed: Shell, sqlite_url: str) -> None:
    with RudeServer(GOOD_VIDEO) as api:
        url = api.url
    before = every_row(sqlite_url)
    line = error_line(listed("sync", "--base-url", url), 4)
    assert "fetching modes image and video from " in line
    assert "failed after 1 attempt: connection refused" in line
    assert changed_tables(before, every_row(sqlite_url)) == RUN_TABLES


def fails_with(image: Any, shell: Shell, url: str, code: int) -> str:
    """The error line for this response of mode image. Requires a recorded run and unchanged image models."""
    before = images(url)
    with RudeServer(image=image, video=GOOD_VIDEO) as api:
        ended = shell("sync", "--base-url", api.url)
    line = error_line(ended, code)
    assert images(url) == before
    assert query_rows(url, "SELECT mode, status FROM sync_run_modes WHERE run_id = 2 ORDER BY mode") == [
        ("image", "failed"),
        ("video", "success"),
    ]
    stored = query_rows(url, "SELECT status, error_message FROM sync_runs WHERE run_id = 2")
    assert stored == [("partial", line.removeprefix("catalog-sync: "))]
    return line


def images(url: str) -> dict[str, Rows]:
    """Every row but those of runs, of days and of mode video."""
    rows = every_row(url)
    rows["sync_state"] = [row for row in rows["sync_state"] if row[0] == "image"]
    return {name: rows[name] for name in rows if name not in {*RUN_TABLES, *DAY_TABLES, *SEAL_TABLES}}


REJECTED_MODELS: Mapping[str, object] = {
    "a cost that is a string": model("acme/image-0", "3"),
    "a cost that is a bool": model("acme/image-0", True),  # noqa: FBT003 # a value of JSON
    "a negative cost": model("acme/image-0", -1),
    "a cost with 13 digits": model("acme/image-0", 10**12),
    "credits that are a list": {**model("acme/image-0"), "credits": []},
    "no id": {key: value for key, value in model().items() if key != "id"},
    "an empty id": model(""),
    "an id of 256 characters": model("x" * 256),
    "a number": 3,
}


@pytest.mark.parametrize("name", REJECTED_MODELS)
def test_a_model_that_cannot_be_stored_is_rejected_alone(listed: Shell, sqlite_url: str, name: str) -> None:
    before = query_rows(sqlite_url, "SELECT * FROM v_current_catalog ORDER BY model_id")
    others = [*LISTED[1:-1], model("acme/image-3", 77), model("acme/new", 5)]
    with RudeServer(
        image=says(response("200 OK", envelope([REJECTED_MODELS[name], *others]))), video=GOOD_VIDEO
    ) as api:
        ended = listed("sync", "--base-url", api.url)
    assert "1 of 5 image models were rejected" in error_line(ended, 5)
    after = query_rows(sqlite_url, "SELECT * FROM v_current_catalog ORDER BY model_id")
    assert [row[:5] for row in after[:3]] == [row[:5] for row in before[:3]]
    costs = "SELECT model_id, credit_cost_exact FROM v_current_catalog WHERE model_id IN ('acme/new', 'acme/image-3')"
    assert sorted(query_rows(sqlite_url, costs)) == [("acme/image-3", "77"), ("acme/new", "5")]
    assert query_rows(
        sqlite_url, "SELECT status, models_rejected, models_removed FROM sync_run_modes WHERE run_id = 2"
    ) == [
        ("partial", 1, 0),
        ("success", 0, 0),
    ]


def test_equal_copies_of_a_model_are_one(listed: Shell, sqlite_url: str) -> None:
    copy = dict(reversed(LISTED[0].items()))
    with RudeServer(image=says(response("200 OK", envelope([*LISTED, copy]))), video=GOOD_VIDEO) as api:
        output(listed("sync", "--base-url", api.url))
    assert query_rows(sqlite_url, "SELECT COUNT(*) FROM catalog_changes") == [(4,)]


@pytest.fixture
def vanishing(shell: Shell, sqlite_url: str) -> Iterator[Shell]:
    """Ten image models in the database, of which the API lists six; one of these costs less."""
    shell.set(DATABASE_URL=sqlite_url)
    ten = numbered_models(10)
    with emulator([catalog(*ten), catalog(model("acme/image-0", 0.5), *ten[1:6])]) as api:
        shell.set(BASE_URL=api.base_url)
        output(shell("sync"))
        yield shell


def test_held_removals_pass_with_the_number_that_was_printed(vanishing: Shell, sqlite_url: str) -> None:
    line = error_line(vanishing("sync"), 7)
    assert listed_costs(sqlite_url) == ["0.5", *map(str, range(2, 11))]
    assert error_line(vanishing("sync"), 7) == line  # the next sync holds them back again
    option = line[line.index("--accept-removals") :].split()
    output(vanishing("sync", *option))
    assert option == ["--accept-removals", "4"]
    assert listed_costs(sqlite_url) == ["0.5", *map(str, range(2, 7))]
    assert query_rows(sqlite_url, "SELECT status FROM sync_runs ORDER BY run_id") == [
        ("success",),
        ("held",),
        ("held",),
        ("success",),
    ]
    output(vanishing("sync"))


@pytest.mark.parametrize("number", ["3", "5", "0"])
def test_a_wrong_number_accepts_no_removal(vanishing: Shell, sqlite_url: str, number: str) -> None:
    line = error_line(vanishing("sync", "--accept-removals", number), 7)
    assert line.endswith("--accept-removals 4")
    assert len(listed_costs(sqlite_url)) == 10


def test_an_empty_response_removes_nothing(listed: Shell, sqlite_url: str) -> None:
    with emulator([catalog()]) as api:
        line = error_line(listed("sync", "--base-url", api.base_url), 7)
    assert line.endswith("--accept-removals 4")
    assert len(listed_costs(sqlite_url)) == 4


def listed_costs(url: str) -> list[str]:
    return [row[0] for row in query_rows(url, "SELECT credit_cost_exact FROM v_current_catalog ORDER BY credit_cost")]


def test_a_clock_an_hour_ahead_of_the_api_applies_nothing(listed: Shell, sqlite_url: str) -> None:
    date = format_datetime(options.now() - timedelta(hours=1, minutes=5), usegmt=True)
    body = says(response("200 OK", envelope(numbered_models(9)), f"Date: {date}"))
    before = every_row(sqlite_url)
    with RudeServer(image=body, video=GOOD_VIDEO) as api:
        line = error_line(listed("sync", "--base-url", api.url), 2)
    assert "correct this host's clock" in line
    assert changed_tables(before, every_row(sqlite_url)) == {"sync_runs"}


def test_of_several_failures_the_first_in_the_documented_order_counts(listed: Shell) -> None:
    forbidden, down = says(response("403 Forbidden", refused(403))), says(response("500 Internal Server Error"))
    with RudeServer(image=down, video=forbidden) as api:
        line = error_line(listed("sync", "--base-url", api.url), 3)
    assert "403" in line
    assert "500" in line
