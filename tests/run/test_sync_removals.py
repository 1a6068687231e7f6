"""Removals that are held back until a person accepts them."""

from __future__ import annotations

from typing import Any

from sync.errors import Outcome
from tests.support.made_responses import model
from tests.support.run_driver import START, Host, added_rows, column, dump

FIVE = [model(id_) for id_ in "abcde"]
A, B, *_ = FIVE


def listed(host: Host, mode: str = "image") -> list[str]:
    return column(host.engine, "models.model_id", where={"mode": mode, "removed_at": None})


def events(host: Host) -> list[Any]:
    return column(host.engine, "catalog_changes.change_kind")


def test_an_empty_response_holds_back_all_removals(host: Host) -> None:
    host.sync([A], [B])
    before = dump(host.engine)
    result = host.sync([], [B])

    assert (result.status, result.exit_code) == ("held", Outcome.HELD)
    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1, "sync_run_modes": 2, "seals": 1}
    assert "1 image models are missing from a response with 0" in str(result.errors[0])
    assert column(host.engine, "sync_run_modes.status", "removals_held", where={"run_id": 2}) == [
        ("held", 1),
        ("success", 0),
    ]


def test_held_back_removals_do_not_hold_back_cost_changes(host: Host) -> None:
    host.sync(FIVE)
    host.sync([model("a", cost=9), B])

    assert listed(host) == list("abcde")
    assert events(host)[5:] == ["increase"]


def test_a_held_back_run_repeats_its_message_until_the_number_is_accepted(host: Host) -> None:
    host.sync(FIVE, FIVE)
    for _ in range(2):
        result = host.sync([A, B], [])
        assert [str(error).rpartition(" ")[2] for error in result.errors] == ["8", "8"]

    assert host.sync([A, B], [], accept=3).status == "held"
    assert listed(host) == list("abcde")

    result = host.sync([A, B], [], accept=8)
    assert (result.status, result.exit_code) == ("success", Outcome.DONE)
    assert (listed(host), listed(host, "video")) == (["a", "b"], [])


def test_all_removals_can_be_accepted(host: Host) -> None:
    host.sync(FIVE)

    assert host.sync([], accept="all").status == "success"
    assert listed(host) == []


def test_a_held_back_run_is_not_a_successful_sync(host: Host) -> None:
    host.sync(FIVE)
    host.sync([])
    host.sync([model("a", cost=9), *FIVE[1:]])

    assert column(host.engine, "catalog_changes.not_before")[5:] == [START]


def test_an_empty_first_response_is_a_success_with_a_note(host: Host) -> None:
    result = host.sync([A], [])

    assert (result.status, result.exit_code) == ("success", Outcome.DONE)
    assert column(host.engine, "sync_runs.note") == ["the first response for mode video was empty"]


def test_a_model_without_an_id_stops_removals_only_in_its_mode(host: Host) -> None:
    host.sync(FIVE, FIVE)
    result = host.sync([*FIVE[1:], {"name": "N"}], FIVE[1:])

    assert result.status == "partial"
    assert (listed(host), listed(host, "video")) == (list("abcde"), list("bcde"))
