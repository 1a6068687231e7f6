"""Faults C1 to C8: models that are missing from a response."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.support.api_catalogs import Model, model, numbered_models
from tests.support.commands import error_line, output
from tests.support.database_contents import query_rows
from tests.support.rude_server import RudeServer, response, says
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

TEN = numbered_models(10)


def ten_listed(synced: SyncedDatabase) -> SyncedDatabase:
    synced.succeeds(image=image(TEN))
    return synced


def test_c1_removals_by_an_empty_response_are_held_back_with_exit_7(synced: SyncedDatabase) -> None:
    for mode, script in (("image", image([])), ("video", video([]))):
        before = synced.costs("image"), synced.costs("video")
        line = error_line(synced.sync(**{mode: script}), 7)
        assert f"{mode} models are missing from a response with 0" in line
        assert (synced.costs("image"), synced.costs("video")) == before
    assert synced.events() == []
    assert synced.query("SELECT status FROM sync_runs WHERE run_id > 1") == [("held",), ("held",)]
    synced.verify()


@pytest.mark.parametrize(("images", "empty"), [([], 2), (LISTED, 1)])
def test_c2_an_empty_first_response_succeeds_and_is_noted(
    shell: Shell, migrated_url: str, images: list[Model], empty: int
) -> None:
    shell.set(DATABASE_URL=migrated_url)
    with RudeServer(image=image(images), video=video([])) as api:
        printed = output(shell("sync", "--base-url", api.url))

    assert printed.count("note: the first response for mode") == empty
    assert query_rows(migrated_url, "SELECT COUNT(*) FROM v_current_catalog") == [(len(images),)]
    assert "was empty" in query_rows(migrated_url, "SELECT note FROM sync_runs")[0][0]


def test_c3_too_many_removals_are_held_back_while_the_received_models_are_stored(synced: SyncedDatabase) -> None:
    ten_listed(synced)
    seen = [model("acme/image-0", 77), *TEN[1:7]]
    line = error_line(synced.sync(image=image(seen)), 7)

    assert "3 image models are missing from a response with 7" in line
    assert line.endswith("run once with --accept-removals 3")
    assert len(synced.costs()) == 10
    assert synced.costs()["acme/image-0"] == "77"
    # Only the exact number accepts the removals.
    for wrong in ("2", "4"):
        error_line(synced.sync("--accept-removals", wrong, image=image(seen)), 7)
    synced.succeeds("--accept-removals", "3", image=image(seen))
    assert len(synced.costs()) == 7
    synced.succeeds(image=image(seen))


@pytest.mark.parametrize("missing", [1, 2])
def test_c4_a_few_missing_models_are_marked_removed_and_relisted_as_the_same_rows(
    synced: SyncedDatabase, missing: int
) -> None:
    ten_listed(synced)
    keys = "SELECT model_pk, model_id FROM models WHERE mode = 'image' ORDER BY model_pk"
    before = synced.query(keys)
    synced.succeeds(image=image(TEN[missing:]))

    assert len(synced.costs()) == 10 - missing
    assert synced.query("SELECT COUNT(*) FROM models WHERE removed_at IS NOT NULL") == [(missing,)]
    synced.succeeds(image=image(TEN))
    assert synced.query(keys) == before
    assert synced.query("SELECT COUNT(*) FROM models WHERE removed_at IS NOT NULL") == [(0,)]


def test_c5_a_failed_mode_does_not_change_while_the_other_is_stored(synced: SyncedDatabase) -> None:
    line = error_line(synced.sync(image=says(response("503 Service Unavailable")), video=video([])), 4)
    assert "for mode image" in line or "mode image" in line
    assert len(synced.costs()) == 4

    error_line(
        synced.sync(image=says(response("200 OK", b"<html>")), video=video([model("acme/video", 10, mode="video")])), 5
    )
    assert synced.costs("video") == {"acme/video": "10"}
    assert (len(synced.costs()), synced.events()) == (4, ["increase"])
    synced.verify()


def test_c6_a_rejected_model_counts_as_seen_and_others_are_removed(synced: SyncedDatabase) -> None:
    ten_listed(synced)
    error_line(synced.sync(image=image([model("acme/image-0", "free"), *TEN[2:]])), 5)

    assert sorted(synced.costs()) == sorted(each["id"] for each in (TEN[0], *TEN[2:]))
    assert synced.costs()["acme/image-0"] == "1"
    synced.verify()


def test_c6_a_model_with_an_unreadable_id_stops_removals_in_its_mode(synced: SyncedDatabase) -> None:
    ten_listed(synced)
    error_line(synced.sync(image=image([{"name": "no id"}, *TEN[2:]])), 5)

    assert len(synced.costs()) == 10
    synced.verify()


def test_c7_a_model_missing_once_is_removed_and_relisted_as_two_events(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image(LISTED[1:]))
    synced.succeeds(image=image(LISTED))

    assert synced.events() == ["removed", "relisted"]
    history = "SELECT COUNT(*) FROM credit_history h JOIN models m ON m.model_pk = h.model_pk WHERE m.model_id = '{}'"
    assert synced.query(history.format("acme/image-0")) == [(2,)]  # with a gap between them
    assert synced.query(history.format("acme/image-1")) == [(1,)]


def test_c8_the_guard_holds_removals_back_in_every_run_with_the_same_line(synced: SyncedDatabase) -> None:
    lines = [error_line(synced.sync(image=image([])), 7) for _ in range(3)]

    assert len(set(lines)) == 1
    assert lines[0].endswith("--accept-removals 4")
    assert len(synced.costs()) == 4
    assert synced.events() == []
    synced.verify()
