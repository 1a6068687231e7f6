"""Faults G6 to G8 and G18: removals in small steps, other catalogs, and the record of what was accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import on_sqlite
from tests.support.api_catalogs import Model, envelope, model, numbered_models
from tests.support.commands import error_line, output
from tests.support.implausible_responses import (
    ACCEPTED,
    MODE_ROWS,
    STATE,
    TEN,
    THOUSANDFOLD,
    foreign,
    holds,
)
from tests.support.synced_database import SyncedDatabase, image


def saved(folder: Path, *lines: tuple[str, list[Model]]) -> str:
    """A file of saved responses for mode image."""
    file = folder / "saved.jsonl"
    file.write_bytes(b"".join(b'{"at": "%b", "image": %b}\n' % (at.encode(), envelope(models)) for at, models in lines))
    return str(file)


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
    status, reason, ids, is_good, listed = ten.query(MODE_ROWS)[-1]
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
