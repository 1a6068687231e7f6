"""Fault G5: costs that vanish or jump."""

from __future__ import annotations

import json

import pytest

from tests.support.api_catalogs import Model, model, numbered_models
from tests.support.commands import error_line, output
from tests.support.implausible_responses import (
    ACCEPTED,
    MODE_ROWS,
    STATE,
    TEN,
    THOUSANDFOLD,
    foreign,
    holds,
    with_credits,
)
from tests.support.synced_database import SyncedDatabase, image, video


@pytest.mark.parametrize(
    "sent",
    [
        with_credits({"cost": 3}),
        with_credits({"default_cost": None}),
        with_credits(None),
        [{key: value for key, value in each.items() if key != "credits"} for each in TEN],
        with_credits({"default_cost": 0}),
        THOUSANDFOLD,
        [model(each["id"], each["credits"]["default_cost"] / 1000) for each in TEN],
        [*THOUSANDFOLD[:3], *TEN[3:]],
        [*TEN[:7], *with_credits(None)[7:], *foreign(40)],
    ],
)
def test_g5_costs_that_vanish_or_jump_change_nothing_until_accepted(ten: SyncedDatabase, sent: list[Model]) -> None:
    state = ten.query(STATE)
    number = sum(each.get("credits") != old["credits"] for each, old in zip(sent, TEN, strict=False))
    line = holds(ten, image=image(sent))

    assert line.startswith(
        f"catalog-sync: costs held back for mode image: {number} of 10 priced models lost their cost or changed more"
        " than 10-fold"
    )
    assert line.endswith(f"run catalog-sync sync once with --accept-costs {number}")
    status, reason, ids, is_good, listed = ten.query(MODE_ROWS)[-1]
    assert (status, reason, len(json.loads(ids)), is_good, listed) == ("held", "costs", number, 0, 10)
    assert ten.query(STATE)[0] == state[0]
    for wrong in (str(number - 1), str(number + 1)):
        holds(ten, "--accept-costs", wrong, image=image(sent))
    holds(ten, "--accept-removals", "all", image=image(sent))
    ten.succeeds("--accept-costs", str(number), image=image(sent))
    assert len(ten.costs()) == len(sent)
    assert ten.events().count("added") == len(sent) - 10 + 6  # six of the ten were added to the four of run 1
    ten.succeeds(image=image(sent))


@pytest.mark.parametrize(
    "sent",
    [
        [*THOUSANDFOLD[:2], *TEN[2:]],
        [*with_credits(None)[:2], *TEN[2:]],
        [model(each["id"], each["credits"]["default_cost"] * 10) for each in TEN],
    ],
)
def test_g5_a_few_jumps_and_moves_within_tenfold_are_stored(ten: SyncedDatabase, sent: list[Model]) -> None:
    ten.succeeds(image=image(sent))


def test_g5_costs_that_are_set_are_stored(synced: SyncedDatabase) -> None:
    synced.succeeds("--accept-costs", "all", image=image(with_credits(None)))
    synced.succeeds(image=image(THOUSANDFOLD))

    assert synced.costs()["acme/image-9"] == "10000"
    assert synced.query(ACCEPTED) != []


def test_g5_the_number_is_that_of_all_modes(ten: SyncedDatabase) -> None:
    videos = numbered_models(5, "video")
    ten.succeeds("--accept-removals", "all", image=image(TEN), video=video(videos))
    jumped = [model(each["id"], 10**6, mode="video") for each in videos]
    line = holds(ten, image=image(THOUSANDFOLD), video=video(jumped))

    assert line.count("--accept-costs 15") == 2
    holds(ten, "--accept-costs", "10", image=image(THOUSANDFOLD), video=video(jumped))
    ten.succeeds("--accept-costs", "15", image=image(THOUSANDFOLD), video=video(jumped))


def test_g5_the_settings_are_the_limits(ten: SyncedDatabase) -> None:
    ten.succeeds("--max-cost-move-factor", "1000", image=image(THOUSANDFOLD))
    ten.succeeds("--max-cost-move-percent", "100", image=image(TEN))
    ten.succeeds("--max-cost-move-count", "11", image=image(THOUSANDFOLD))
    ten.shell.set(MAX_COST_MOVE_COUNT="1", MAX_COST_MOVE_PERCENT="5", MAX_COST_MOVE_FACTOR="1.5")
    line = holds(ten, image=image([model(TEN[0]["id"], 2000), *THOUSANDFOLD[1:]]))
    assert "1 of 10 priced models lost their cost or changed more than 1.5-fold" in line


def test_g5_each_guard_that_trips_needs_its_own_flag(ten: SyncedDatabase) -> None:
    sent = THOUSANDFOLD[:6]
    line = holds(ten, image=image(sent))
    both = "--accept-removals 4 --accept-costs 6"
    assert f"{both}; also: 4 image models are missing" in line
    assert line.endswith(f"run once with {both}")
    # Beside the costs, the whole mode is held back.
    assert "nothing of the mode was stored" in line
    assert "everything else was stored" not in line
    assert ten.query(MODE_ROWS)[-1][1] == "costs"
    # What was accepted in vain is needed again.
    assert holds(ten, "--accept-removals", "4", image=image(sent)).endswith("--accept-removals 4 --accept-costs 6")
    assert ten.query(ACCEPTED) == []  # nothing was removed
    # The costs alone are accepted: what is missing is still held back.
    assert error_line(ten.sync("--accept-costs", "6", image=image(sent)), 7).endswith("with --accept-removals 4")
    assert ten.query(MODE_ROWS)[-1][1] == "removals"
    assert (len(ten.costs()), ten.costs()["acme/image-0"]) == (10, "1000")
    ten.succeeds("--accept-removals", "4", image=image(sent))
    ten.verify()


def test_g5_a_dry_run_says_the_same_and_writes_nothing(ten: SyncedDatabase) -> None:
    line = holds(ten, image=image(THOUSANDFOLD))
    runs = ten.query(MODE_ROWS)
    assert holds(ten, "--dry-run", image=image(THOUSANDFOLD)) == line
    printed = output(ten.sync("--dry-run", "--accept-costs", "10", image=image(THOUSANDFOLD)))
    assert printed.count(" increase: ") == 10
    assert ten.query(MODE_ROWS) == runs
