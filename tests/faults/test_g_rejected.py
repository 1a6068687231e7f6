"""Faults G10 and G11: models that cannot be taken, for one response or permanently."""

from __future__ import annotations

import json

import pytest

from tests.faults.rejected_models import EVENTS, GOOD, NEGATIVE, OPEN, ROWS, bad, reject, starts, with_first
from tests.support.api_catalogs import model, numbered_models
from tests.support.commands import error_line, output
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video


def test_g10_a_model_that_stays_rejected_is_reported_once_and_kept_as_it_was_sent(synced: SyncedDatabase) -> None:
    sent = with_first(bad())
    line = reject(synced, bad())
    assert "1 of 4 image models were rejected and kept as stored: 'acme/image-0'" in line
    before = synced.query("SELECT * FROM rejected_models")
    for _ in range(2):
        printed = synced.succeeds(image=image(sent))
        assert f"note: 1 image model stays rejected: 'acme/image-0' ({NEGATIVE}: -1)" in printed

    assert synced.query("SELECT * FROM rejected_models") == before
    assert synced.events() == []
    assert synced.query(OPEN) == [("image", "acme/image-0", NEGATIVE, json.dumps(bad()))]
    assert synced.query(STATUS) == [("success",), *[("partial",)] * 3]
    assert synced.query("SELECT error_message FROM sync_runs WHERE run_id > 2") == [(None,)] * 2
    assert synced.query("SELECT models_rejected FROM sync_run_modes WHERE mode = 'image' AND run_id > 1") == [(1,)] * 3
    assert synced.costs()["acme/image-0"] == "1"


def test_g10_a_mode_that_is_held_as_a_whole_opens_and_closes_no_row(synced: SyncedDatabase) -> None:
    ten = numbered_models(10)
    synced.succeeds(image=image(ten))
    error_line(synced.sync(image=image([bad(), *ten[1:]])), 5)
    before = synced.query("SELECT * FROM rejected_models")
    dear = [model(each["id"], each["credits"]["default_cost"] * 1000) for each in ten]
    new = model("acme/image-1", -1)
    line = error_line(synced.sync(image=image([dear[0], new, *dear[2:]])), 7)
    assert "rejected" not in line
    assert synced.query("SELECT * FROM rejected_models") == before
    synced.succeeds(image=image([bad(), *ten[1:]]))
    synced.succeeds(image=image(ten))

    assert synced.query(OPEN) == []


def test_g10_the_other_models_go_on_and_status_is_content(synced: SyncedDatabase) -> None:
    reject(synced, bad())
    synced.succeeds(image=image([bad(), model("acme/image-1", 20), *LISTED[2:]]))
    last = synced.query("SELECT observed_at, good_observed_at FROM sync_state WHERE mode = 'image'")

    assert synced.query(GOOD) == [(1,), (1,), (1,)]
    assert last[0][0] == last[0][1]
    # Dated by the run before, in which the other model was rejected.
    assert synced.query(EVENTS) == [("acme/image-1", "increase", starts(synced)[2], 3)]
    printed = output(synced.shell("status", "--max-age", "1h"))
    assert "image 'acme/image-0' is rejected since " in printed
    assert printed.count(NEGATIVE) >= 1
    (rejected,) = json.loads(output(synced.shell("status", "--json")))["rejected"]
    assert (rejected["mode"], rejected["model_id"], rejected["reason"]) == ("image", "acme/image-0", NEGATIVE)
    assert rejected["since"]


def test_g10_a_value_that_differs_in_each_response_is_reported_once(synced: SyncedDatabase) -> None:
    reject(synced, bad(-1))
    for cost in (-2, -3):
        synced.succeeds(image=image(with_first(bad(cost))))

    assert synced.query(ROWS) == [("acme/image-0", NEGATIVE)] * 3
    assert synced.query("SELECT COUNT(*) FROM rejected_models WHERE valid_to IS NULL") == [(1,)]
    assert synced.query("SELECT DISTINCT not_before FROM rejected_models") == [(starts(synced)[1],)]
    ends = "SELECT COUNT(*) FROM rejected_models a JOIN rejected_models b ON a.valid_to = b.valid_from"
    assert synced.query(ends) == [(2,)]


def test_g10_another_reason_is_reported_and_another_model_too(synced: SyncedDatabase) -> None:
    reject(synced, bad())
    line = reject(synced, bad("free"))
    assert "credits.default_cost is not a number" in line
    line = error_line(synced.sync(image=image([bad("free"), model("acme/image-1", []), *LISTED[2:]])), 5)
    assert "1 of 4 image models" in line
    assert "'acme/image-0'" not in line

    assert synced.query("SELECT note FROM sync_runs WHERE run_id = 4")[0][0].count("stays rejected") == 1
    assert (
        synced.query("SELECT not_before FROM rejected_models WHERE model_id = 'acme/image-0'")
        == [(starts(synced)[1],)] * 2
    )


@pytest.mark.parametrize("between", [0, 3])
def test_g10_the_change_of_a_model_that_was_rejected_is_dated_from_before_the_rejection(
    synced: SyncedDatabase, between: int
) -> None:
    reject(synced, bad())
    for _ in range(between):
        synced.succeeds(image=image(with_first(bad())))
    synced.succeeds(image=image(with_first(model("acme/image-0", 2))))

    start = starts(synced)
    assert synced.query(EVENTS) == [("acme/image-0", "increase", start[1], 3 + between)]
    assert synced.query(OPEN) == []
    # The changes after it are dated as ever.
    synced.succeeds(image=image(with_first(model("acme/image-0", 3))))
    assert synced.query(EVENTS)[-1] == ("acme/image-0", "increase", start[3 + between], 4 + between)
    shown = json.loads(output(synced.shell("changes", "--kind", "increase", "--json")))
    assert shown[1]["not_before"][:19].replace("T", " ") == str(start[1])[:19]


def test_g10_a_removal_after_a_rejection_is_dated_from_before_it(synced: SyncedDatabase) -> None:
    reject(synced, bad())
    synced.succeeds(image=image(with_first(bad())))
    synced.succeeds(image=image(with_first()))

    assert synced.query(EVENTS) == [("acme/image-0", "removed", starts(synced)[1], 4)]
    assert synced.query(OPEN) == []
    # It returns rejected, then whole.
    reject(synced, bad())
    synced.succeeds(image=image())
    assert synced.query(EVENTS)[-1] == ("acme/image-0", "relisted", starts(synced)[4], 6)


def test_g10_a_model_that_was_rejected_from_the_first_is_added_with_the_start_of_its_row(
    synced: SyncedDatabase,
) -> None:
    new = [*LISTED, model("acme/new", -1)]
    error_line(synced.sync(image=image(new)), 5)
    synced.succeeds(image=image(new))
    synced.succeeds(image=image([*LISTED, model("acme/new", 1), model("acme/newer", 1)]))

    start = starts(synced)
    assert sorted(synced.query(EVENTS), key=str) == [
        ("acme/new", "added", start[1], 4),
        ("acme/newer", "added", start[3], 4),
    ]


def test_g10_a_text_that_returns_unchanged_ends_the_rejection_without_an_event(synced: SyncedDatabase) -> None:
    reject(synced, bad())
    synced.succeeds()

    assert (synced.events(), synced.query(OPEN)) == ([], [])
    # It is reported again when it is rejected again.
    reject(synced, bad())
    assert len(synced.query(ROWS)) == 2


def test_g10_removals_held_back_keep_the_row_of_a_missing_model_until_they_are_accepted(
    synced: SyncedDatabase,
) -> None:
    ten = numbered_models(10)
    synced.succeeds(image=image(ten))
    error_line(synced.sync(image=image([bad(), *ten[1:]])), 5)
    synced.succeeds(image=image([bad(), *ten[1:]]))
    error_line(synced.sync(image=image(ten[4:])), 7)
    assert len(synced.query(OPEN)) == 1
    synced.succeeds("--accept-removals", "4", image=image(ten[4:]))

    removed = [row for row in synced.query(EVENTS) if row[1] == "removed"]
    start = starts(synced)
    assert sorted(removed) == [
        ("acme/image-0", "removed", start[2], 6),
        *((f"acme/image-{number}", "removed", start[4], 6) for number in (1, 2, 3)),
    ]
    assert synced.query(OPEN) == []


def test_g10_the_other_mode_and_a_dry_run_are_judged_the_same_way(synced: SyncedDatabase) -> None:
    wrong = video([model("acme/video", -1, mode="video")])
    assert "video" in error_line(synced.sync("--dry-run", video=wrong), 5)
    error_line(synced.sync(video=wrong), 5)
    assert synced.sync("--dry-run", video=wrong).code == 0
    synced.succeeds(video=wrong)

    assert [row[0] for row in synced.query(OPEN)] == ["video"]


def test_g10_prune_keeps_the_runs_that_rejected_models_name(synced: SyncedDatabase) -> None:
    reject(synced, bad())
    synced.succeeds()
    synced.succeeds()
    before = synced.query("SELECT * FROM rejected_models")
    output(synced.shell("prune", "--before", "2999-01-01"))

    assert synced.query("SELECT * FROM rejected_models") == before
    assert {2, 3} <= {run for (run,) in synced.query("SELECT run_id FROM sync_runs")}


def test_g10_a_response_of_which_no_model_was_accepted_is_no_successful_sync(synced: SyncedDatabase) -> None:
    sent = [model(each["id"], "a text") for each in LISTED]
    before = synced.query("SELECT good_observed_at FROM sync_state WHERE mode = 'image'")
    error_line(synced.sync(image=image(sent)), 5)
    synced.succeeds(image=image(sent))

    assert synced.query(GOOD) == [(1,), (0,), (0,)]
    assert synced.query("SELECT good_observed_at FROM sync_state WHERE mode = 'image'") == before
