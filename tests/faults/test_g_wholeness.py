"""Fault G4: a response that says that it is not the whole list, or that there were errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line, output
from tests.support.rude_server import Script, response, says
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image

# One model less, and another cost: neither may be stored.
PART = [model("acme/image-0", 77), *LISTED[1:-1]]


def enveloped(models: Any = PART, /, inside: dict[str, Any] | None = None, **beside: Any) -> bytes:
    """A response with keys beside the documented ones, in ``data`` and at the top."""
    whole = json.loads(envelope(models))
    whole["data"].update(inside or {})
    return json.dumps({**whole, **beside}).encode()


def fails_in_mode_image(synced: SyncedDatabase, script: Script) -> str:
    """The error line of a run that stores mode video and changes nothing of mode image."""
    state = "SELECT * FROM sync_state WHERE mode = 'image'"
    before = synced.query(state), synced.costs()
    line = error_line(synced.sync(image=script), 5)
    assert (synced.query(state), synced.costs(), synced.events()) == (*before, [])
    assert synced.query("SELECT status FROM sync_run_modes WHERE run_id = 2 ORDER BY mode") == [
        ("failed",),
        ("success",),
    ]
    synced.verify()
    return line


def sends(body: bytes, *headers: str, status: str = "200 OK") -> Script:
    return says(response(status, body, "Content-Type: application/json", *headers))


@pytest.mark.parametrize(
    "body",
    [
        enveloped(has_more=True),
        enveloped(inside={"next_cursor": "abc"}),
        enveloped(pagination={"next": "https://x/?page=2"}),
        enveloped(errors=[{"provider": "Acme", "message": "timeout"}]),
        enveloped(inside={"pageInfo": {"hasNextPage": True}}),
        enveloped(meta={"page": 1, "total_pages": 2}),
        enveloped(meta={"total_count": 4}),
    ],
)
def test_g4_a_response_that_is_not_whole_is_exit_5_and_changes_nothing_of_the_mode(
    synced: SyncedDatabase, body: bytes
) -> None:
    line = fails_in_mode_image(synced, sends(body))

    assert "the response for mode image was rejected" in line
    assert "so it may not be the whole catalog" in line
    assert synced.query(STATUS)[-1] == ("partial",)
    assert synced.query("SELECT status, models_received FROM sync_run_modes WHERE run_id = 2 AND mode = 'image'") == [
        ("failed", 3)
    ]


@pytest.mark.parametrize(
    "header",
    [
        'Link: <https://x/studio/models?page=2>; rel="next"',
        "Link: <https://x/a>; rel=self, <https://x/b>; rel=NEXT",
        "X-Next-Page: 2",
        "X-Total-Count: 4",
        "Content-Range: models 0-2/4",
    ],
)
def test_g4_a_header_that_names_another_page_is_exit_5(synced_sqlite: SyncedDatabase, header: str) -> None:
    assert "header" in fails_in_mode_image(synced_sqlite, sends(enveloped(), header))


def test_g4_a_part_of_a_response_is_exit_5(synced_sqlite: SyncedDatabase) -> None:
    line = fails_in_mode_image(synced_sqlite, sends(enveloped(), status="206 Partial Content"))

    assert "only a part of the catalog" in line


def test_g4_values_that_mean_no_more_are_accepted_and_their_unknown_keys_noted(synced: SyncedDatabase) -> None:
    paging = {"next": None, "has_more": False, "page": 1, "total_pages": 1, "total": 3, "pages_left": 0}
    body = enveloped(inside={"generated_at": "today", "pagination": paging}, errors=[], next_cursor="")
    printed = synced.succeeds(image=sends(body, 'Link: <https://x/>; rel="self"', "X-Next-Page: "))

    note = "the response for mode image has unknown keys: errors, next_cursor, data.generated_at, data.pagination"
    assert f"note: {note}" in printed
    assert synced.query("SELECT note FROM sync_runs WHERE run_id = 2") == [(note,)]
    assert synced.events() == ["increase", "removed"]


def test_g4_what_an_api_adds_to_describe_itself_is_accepted_and_noted(synced_sqlite: SyncedDatabase) -> None:
    rate_limit = {"limit": 100, "remaining": 73, "page": 4, "errors": ["slow down"]}
    meta = {"request_id": "r", "version": 3, "took_ms": 12, "status": "success", "remaining": 73, "warnings": ["w"]}
    body = enveloped(next_update_at="2026-03-01T00:00:00Z", nextRefresh=60, meta=meta, rate_limit=rate_limit)
    printed = synced_sqlite.succeeds(image=sends(body, "X-RateLimit-Remaining: 73"))

    assert (
        "note: the response for mode image has unknown keys: meta, nextRefresh, next_update_at, rate_limit" in printed
    )


@pytest.mark.parametrize("form", ["line", "file", "all"])
def test_g4_a_saved_response_that_is_not_whole_stops_the_import(synced_sqlite: SyncedDatabase, form: str) -> None:
    body = json.loads(enveloped(inside={"nextPageToken": "x"}))
    body["data"]["mode"] = "all" if form == "all" else "image"
    file = synced_sqlite.home / ("2999.json" if form == "file" else "lines.jsonl")
    at = "2026-01-01T00:00:00Z"
    file.write_text(json.dumps(body if form == "file" else {"at": at, "all" if form == "all" else "image": body}))
    synced_sqlite.shell.set(DATABASE_URL=f"sqlite:///{synced_sqlite.home / 'second.db'}")
    output(synced_sqlite.shell("migrate"))
    line = error_line(synced_sqlite.shell("import", *(["--at", at] if form == "file" else []), str(file)), 5)

    assert "data.nextPageToken names another page" in line


def test_g4_an_envelope_with_many_unknown_keys_has_a_short_note(synced_sqlite: SyncedDatabase) -> None:
    keys = {f"k{number:03}\u202e\n" * 40: number for number in range(500)}
    synced_sqlite.succeeds(image=image(LISTED, **keys))

    ((note,),) = synced_sqlite.query("SELECT note FROM sync_runs WHERE run_id = 2")
    assert note.isprintable()
    assert note.endswith("490 more")
    assert len(note) < 1000
