"""Faults G5 to G8 and G18: responses that a guard holds back until a person accepts them, and the record of that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import on_sqlite
from tests.support.api_catalogs import Model, envelope, model, numbered_models
from tests.support.commands import error_line, output
from tests.support.rude_server import Script
from tests.support.synced_database import SyncedDatabase, image, video

TEN = numbered_models(10)
# All costs of ten models times 1000.
THOUSANDFOLD = [model(each["id"], each["credits"]["default_cost"] * 1000) for each in TEN]
ACCEPTED = "SELECT accepted FROM sync_runs WHERE accepted IS NOT NULL ORDER BY run_id"
BELIEVED = (
    "SELECT status, hold_reason, held_ids, is_good, models_listed FROM sync_run_modes"
    " WHERE mode = 'image' ORDER BY run_id"
)
STATE = "SELECT good_observed_at, good_asked_at, base_url, models_listed FROM sync_state ORDER BY mode"


def foreign(number: int) -> list[Model]:
    return [model(f"other/{each}", each + 1) for each in range(number)]


def with_credits(credits_: object) -> list[Model]:
    return [{**each, "credits": credits_} for each in TEN]


def saved(folder: Path, *lines: tuple[str, list[Model]]) -> str:
    """A file of saved responses for mode image."""
    file = folder / "saved.jsonl"
    file.write_bytes(b"".join(b'{"at": "%b", "image": %b}\n' % (at.encode(), envelope(models)) for at, models in lines))
    return str(file)


def holds(synced: SyncedDatabase, *arguments: str, **scripts: Script) -> str:
    """The error line of a run in which the whole mode is held back: nothing but the state of the modes changes."""
    before = {**synced.catalog(), "sync_state": []}
    line = error_line(synced.sync(*arguments, **scripts), 7)
    assert {**synced.catalog(), "sync_state": []} == before
    synced.verify()
    return line


@pytest.fixture
def ten(synced: SyncedDatabase) -> SyncedDatabase:
    synced.succeeds(image=image(TEN))
    return synced


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
    status, reason, ids, is_good, listed = ten.query(BELIEVED)[-1]
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
    assert "--accept-costs 6; also: 4 image models are missing" in line
    assert ten.query(BELIEVED)[-1][1] == "costs"
    holds(ten, "--accept-removals", "4", image=image(sent))
    assert ten.query(ACCEPTED) == []  # nothing was removed
    # The costs alone are accepted: what is missing is still held back.
    error_line(ten.sync("--accept-costs", "6", image=image(sent)), 7)
    assert ten.query(BELIEVED)[-1][1] == "removals"
    assert (len(ten.costs()), ten.costs()["acme/image-0"]) == (10, "1000")
    ten.succeeds("--accept-removals", "4", image=image(sent))
    ten.verify()


def test_g5_a_dry_run_says_the_same_and_writes_nothing(ten: SyncedDatabase) -> None:
    line = holds(ten, image=image(THOUSANDFOLD))
    runs = ten.query(BELIEVED)
    assert holds(ten, "--dry-run", image=image(THOUSANDFOLD)) == line
    printed = output(ten.sync("--dry-run", "--accept-costs", "10", image=image(THOUSANDFOLD)))
    assert printed.count(" increase: ") == 10
    assert ten.query(BELIEVED) == runs


def test_g6_models_that_go_in_small_steps_are_held_back(synced: SyncedDatabase) -> None:
    many = numbered_models(100)
    synced.succeeds(image=image(many))
    left, line = 100, ""
    for _ in range(12):
        sent = many[: left - left // 6]
        result = synced.sync(image=image(sent))
        if result.code:
            line = error_line(result, 7)
            break
        left = len(sent)

    # 16 in the first step; then 14 of 84 together with these are 30 of 100.
    assert left == 84
    assert "14 image models are missing from a response with 70, after 16 that were removed within 24 h" in line
    assert line.endswith("--accept-removals 14")
    synced.succeeds("--accept-removals", "14", image=image(many[:70]))
    # What a person accepted does not count any more, and the 16 from before still do.
    synced.succeeds(image=image(many[:69]))


def test_g6_an_import_judges_by_the_time_of_the_line(synced_sqlite: SyncedDatabase, tmp_path: Path) -> None:
    steps = [TEN, TEN[:8], TEN[:7]]
    times = ("2020-03-01T12:00:00Z", "2020-03-02T12:00:00Z", "2020-03-03T11:59:59Z")
    other = saved(tmp_path, *zip(times, steps, strict=True))
    synced_sqlite.shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    output(synced_sqlite.shell("migrate"))
    line = error_line(synced_sqlite.shell("import", other), 7)
    assert "line 3: 1 listed models are missing: removals held back" in line
    assert "--accept-removals 1, or with all" in line

    # A second later, 24 hours are over.
    later = saved(tmp_path, ("2020-03-03T12:00:00Z", steps[2]))
    output(synced_sqlite.shell("import", later))


@pytest.mark.parametrize(
    "sent",
    [
        foreign(10),
        foreign(40),
        foreign(3),
        foreign(1),
        [*TEN[:5], *foreign(5)],
        [*TEN[:2], *foreign(4)],
        [*foreign(10), {"name": "no id"}],
        [*foreign(2), *(model(f"other/free-{each}", "free") for each in range(8))],
    ],
)
def test_g7_another_catalog_changes_nothing_until_accepted(ten: SyncedDatabase, sent: list[Model]) -> None:
    state = ten.query(STATE)
    missing = sorted({each["id"] for each in TEN} - {each.get("id") for each in sent})
    line = holds(ten, image=image(sent))

    assert line.startswith(f"catalog-sync: another catalog held back for mode image: {len(missing)} of 10 listed")
    assert line.endswith(f"run catalog-sync sync once with --accept-removals {len(missing)}")
    status, reason, ids, is_good, listed = ten.query(BELIEVED)[-1]
    assert (status, reason, json.loads(ids), is_good, listed) == ("held", "other_catalog", missing, 0, 10)
    assert ten.query(STATE)[0] == state[0]
    holds(ten, "--accept-costs", "all", image=image(sent))
    ten.succeeds(image=image(TEN))


def test_g7_another_catalog_that_is_accepted_is_then_the_catalog(ten: SyncedDatabase) -> None:
    holds(ten, image=image(foreign(10)))
    ten.succeeds("--accept-removals", "10", image=image(foreign(10)))

    assert sorted(ten.costs()) == sorted(each["id"] for each in foreign(10))
    # Back again: the models return, and that is another catalog once more.
    holds(ten, image=image(TEN))


def test_g7_new_models_beside_held_removals_of_a_known_catalog_are_stored(ten: SyncedDatabase) -> None:
    line = error_line(ten.sync(image=image([*TEN[:6], *foreign(1)])), 7)

    assert "4 image models are missing from a response with 7: removals held back, everything else was stored" in line
    assert len(ten.costs()) == 11


@pytest.mark.parametrize("kept", [0, 170])
def test_g8_ids_that_change_at_every_response_are_not_added_run_after_run(
    synced_sqlite: SyncedDatabase, kept: int
) -> None:
    """All ids change, or 15 % of them."""

    def answer(number: int) -> list[Model]:
        return [model(f"acme/{each}" if each < kept else f"acme/{each}-{number}", 3) for each in range(200)]

    synced_sqlite.succeeds("--accept-removals", "all", image=image(answer(0)))
    codes = [synced_sqlite.sync(image=image(answer(number))).code for number in range(1, 12)]

    assert codes[1:] == [7] * 10
    assert len(synced_sqlite.costs()) <= 230
    assert synced_sqlite.query(
        "SELECT DISTINCT hold_reason FROM sync_run_modes WHERE run_id > 3 AND mode = 'image'"
    ) == [("other_catalog",)]


def test_g18_what_was_accepted_is_recorded_and_shown_with_who_and_why(ten: SyncedDatabase) -> None:
    options = ("--by", "Ada", "--why", "new price list")
    ten.succeeds("--accept-costs", "10", "--accept-removals", "all", *options, image=image(THOUSANDFOLD))
    ten.succeeds("--accept-removals", "4", *options, image=image(THOUSANDFOLD[:6]))
    ten.succeeds("--accept-removals", "all", "--accept-costs", "all", *options, image=image(THOUSANDFOLD[:6]))

    by: dict[str, Any] = {"by": "Ada", "why": "new price list"}
    accepted = [{"costs": {"image": 10}, **by}, {"removals": {"image": 4}, **by}]
    assert [json.loads(text) for (text,) in ten.query(ACCEPTED)] == accepted
    printed = output(ten.shell("status"))
    assert "run 3: Ada accepted 10 moved costs of image (new price list)" in printed
    assert "run 4: Ada accepted 4 removals of image (new price list)" in printed
    shown = json.loads(output(ten.shell("status", "--json")))["accepted"]
    assert shown == [{"run_id": 4, **accepted[1]}, {"run_id": 3, **accepted[0]}]


def test_g18_status_shows_what_is_held_back(ten: SyncedDatabase) -> None:
    holds(ten, image=image(foreign(10)))
    shown = "image: another catalog held back by run 3: acme/image-0, acme/image-1, acme/image-2, acme/image-3,"

    assert shown in output(ten.shell("status"))
    assert "acme/image-4 and 5 more" in output(ten.shell("status"))
    (held,) = json.loads(output(ten.shell("status", "--json")))["held"]
    assert (held["mode"], held["run_id"], held["hold_reason"], len(held["held_ids"])) == (
        "image",
        3,
        "other_catalog",
        10,
    )
    ten.succeeds(image=image(TEN))
    assert "held back by" not in output(ten.shell("status"))
    assert json.loads(output(ten.shell("status", "--json")))["held"] == []


@on_sqlite
def test_g18_an_import_records_what_was_accepted(synced: SyncedDatabase, tmp_path: Path) -> None:
    file = saved(
        tmp_path,
        ("2019-03-01T12:00:00Z", TEN),
        ("2019-03-01T13:00:00Z", THOUSANDFOLD),
        ("2019-03-01T14:00:00Z", THOUSANDFOLD[:6]),
    )
    synced.shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    output(synced.shell("migrate"))
    line = error_line(synced.shell("import", file), 7)
    assert "line 2: 10 priced models lost their cost or changed more than 10-fold: costs held back" in line
    assert line.endswith("import again with --accept-costs 10, or with all for every line")
    error_line(synced.shell("import", file, "--accept-costs", "10"), 7)
    output(synced.shell("import", file, "--accept-costs", "10", "--accept-removals", "all", "--by", "Ada"))

    shown = json.loads(output(synced.shell("status", "--json")))["accepted"]
    assert shown == [
        {"run_id": 3, "removals": {"image": 4}, "by": "Ada", "why": None},
        {"run_id": 2, "costs": {"image": 10}, "by": shown[1]["by"], "why": None},
    ]
