"""Faults C1 to C8: models that are missing from an answer."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.support.api_catalogs import Model, model, some
from tests.support.commands import complaint, output
from tests.support.database_contents import ask
from tests.support.rude_server import RudeServer, response, says
from tests.support.synced_database import LISTED, Site, image, video

TEN = some(10)


def ten_listed(site: Site) -> Site:
    site.succeeds(image=image(TEN))
    return site


def test_c1_an_empty_answer_for_a_listed_mode_is_held_with_exit_7(site: Site) -> None:
    for mode, script in (("image", image([])), ("video", video([]))):
        before = site.costs("image"), site.costs("video")
        line = complaint(site.sync(**{mode: script}), 7)
        assert f"{mode} models are missing from a response with 0" in line
        assert (site.costs("image"), site.costs("video")) == before
    assert site.events() == []
    assert site.ask("SELECT status FROM sync_runs WHERE run_id > 1") == [("held",), ("held",)]
    site.prove()


@pytest.mark.parametrize(("images", "empty"), [([], 2), (LISTED, 1)])
def test_c2_an_empty_first_answer_is_done_and_noted(
    shell: Shell, migrated_url: str, images: list[Model], empty: int
) -> None:
    shell.set(DATABASE_URL=migrated_url)
    with RudeServer(image=image(images), video=video([])) as api:
        told = output(shell("sync", "--base-url", api.url))

    assert told.count("note: the first answer for") == empty
    assert ask(migrated_url, "SELECT COUNT(*) FROM v_current_catalog") == [(len(images),)]
    assert "was empty" in ask(migrated_url, "SELECT note FROM sync_runs")[0][0]


def test_c3_too_many_missing_are_held_while_what_was_seen_is_stored(site: Site) -> None:
    ten_listed(site)
    seen = [model("acme/image-0", 77), *TEN[1:7]]
    line = complaint(site.sync(image=image(seen)), 7)

    assert "3 image models are missing from a response with 7" in line
    assert line.endswith("run once with --accept-removals 3")
    assert len(site.costs()) == 10
    assert site.costs()["acme/image-0"] == "77"
    for wrong in ("2", "4"):
        complaint(site.sync("--accept-removals", wrong, image=image(seen)), 7)
    site.succeeds("--accept-removals", "3", image=image(seen))
    assert len(site.costs()) == 7
    site.succeeds(image=image(seen))


@pytest.mark.parametrize("missing", [1, 2])
def test_c4_a_few_missing_are_marked_removed_and_come_back_as_the_same_rows(site: Site, missing: int) -> None:
    ten_listed(site)
    keys = "SELECT model_pk, model_id FROM models WHERE mode = 'image' ORDER BY model_pk"
    before = site.ask(keys)
    site.succeeds(image=image(TEN[missing:]))

    assert len(site.costs()) == 10 - missing
    assert site.ask("SELECT COUNT(*) FROM models WHERE removed_at IS NOT NULL") == [(missing,)]
    site.succeeds(image=image(TEN))
    assert site.ask(keys) == before
    assert site.ask("SELECT COUNT(*) FROM models WHERE removed_at IS NOT NULL") == [(0,)]


def test_c5_a_mode_that_fails_stays_untouched_while_the_other_is_stored(site: Site) -> None:
    line = complaint(site.sync(image=says(response("503 Service Unavailable")), video=video([])), 4)
    assert "for mode image" in line or "mode image" in line
    assert len(site.costs()) == 4

    complaint(
        site.sync(image=says(response("200 OK", b"<html>")), video=video([model("acme/video", 10, mode="video")])), 5
    )
    assert site.costs("video") == {"acme/video": "10"}
    assert (len(site.costs()), site.events()) == (4, ["increase"])
    site.prove()


def test_c6_a_rejected_model_counts_as_seen_and_others_may_go(site: Site) -> None:
    ten_listed(site)
    complaint(site.sync(image=image([model("acme/image-0", "free"), *TEN[2:]])), 5)

    assert sorted(site.costs()) == sorted(each["id"] for each in (TEN[0], *TEN[2:]))
    assert site.costs()["acme/image-0"] == "1"
    site.prove()


def test_c6_a_model_without_a_readable_id_stops_removals_in_its_mode(site: Site) -> None:
    ten_listed(site)
    complaint(site.sync(image=image([{"name": "who is it"}, *TEN[2:]])), 5)

    assert len(site.costs()) == 10
    site.prove()


def test_c7_a_model_missing_once_is_removed_and_relisted_as_two_events(site: Site) -> None:
    site.succeeds(image=image(LISTED[1:]))
    site.succeeds(image=image(LISTED))

    assert site.events() == ["removed", "relisted"]
    history = "SELECT COUNT(*) FROM credit_history h JOIN models m ON m.model_pk = h.model_pk WHERE m.model_id = '{}'"
    assert site.ask(history.format("acme/image-0")) == [(2,)]  # and a gap between them
    assert site.ask(history.format("acme/image-1")) == [(1,)]


def test_c8_a_guard_that_trips_again_says_the_same_and_does_not_give_in(site: Site) -> None:
    lines = [complaint(site.sync(image=image([])), 7) for _ in range(3)]

    assert len(set(lines)) == 1
    assert lines[0].endswith("--accept-removals 4")
    assert len(site.costs()) == 4
    assert site.events() == []
    site.prove()
