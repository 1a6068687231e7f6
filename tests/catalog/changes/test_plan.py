"""What a run decides to write for one mode."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from sync.catalog.changes.mode_plan import ModelChange, ModePlan
from sync.catalog.changes.plan import ModeWatermark
from sync.catalog.changes.stored import Stored
from sync.catalog.model.costs import CostChange
from sync.errors import DatabaseError
from tests.support.made_plans import BEFORE, FIVE, HOUR, NEVER, SEEN, kinds, plan
from tests.support.made_responses import model, spelled, stored


def only(made: ModePlan) -> ModelChange:
    (change,) = made.changes
    return change


def removed(known: Stored, cost: str | None) -> Stored:
    return replace(known, is_listed=False, fingerprint=None, raw=None, since=None, cost=cost)


def test_a_first_response_adds_its_models_in_order() -> None:
    made = plan([model("b"), model("a")], last=NEVER)

    assert kinds(made) == [("a", "added"), ("b", "added")]
    assert (made.status, made.stamp, made.not_before, made.notes) == ("success", SEEN, None, ())
    assert [event.cost for change in made.changes for event in change.events] == [CostChange(None, "3")] * 2


def test_an_empty_first_response_is_a_success_and_noted() -> None:
    made = plan([], last=NEVER)

    assert (made.status, [*made.changes]) == ("success", [])
    assert made.notes == ("the first response for mode image was empty",)


def test_the_same_response_changes_nothing() -> None:
    assert [*plan(FIVE, stored(*FIVE)).changes] == []


def test_a_response_that_means_the_same_changes_nothing() -> None:
    respelled = [{**one, "credits": {"default_cost": spelled("3.00")}, "x": None} for one in reversed(FIVE)]

    assert [*plan(respelled, stored(*FIVE)).changes] == []


def test_a_changed_cost_is_one_change_of_rows_version_and_cost() -> None:
    change = only(plan([model("a", cost=1.5), *FIVE[1:]], stored(*FIVE)))

    assert (change.lifecycle, change.model_pk, change.cost_changed, change.replaces_rows) == ("changed", 1, True, False)
    assert [event.kind for event in change.events] == ["decrease"]
    assert [rows.table for rows in change.rows] == ["credits"]


def test_a_change_beside_the_cost_leaves_the_cost_history_alone() -> None:
    change = only(plan([model("a", name="new"), *FIVE[1:]], stored(*FIVE)))

    assert (change.cost_changed, change.name, change.rows) == (False, "new", ())


def test_a_model_that_comes_back_is_relisted_with_the_cost_it_had() -> None:
    known = {"a": removed(stored(model("a"))["a"], "2")}
    change = only(plan([model("a")], known))

    assert (change.lifecycle, change.model_pk, change.cost_changed) == ("relisted", 1, True)
    assert [event.cost for event in change.events] == [CostChange("2", "3")]


def test_a_missing_model_is_removed_with_its_last_name_and_cost() -> None:
    change = only(plan(FIVE[1:], stored(*FIVE)))

    assert (change.lifecycle, change.model_id, change.name, change.record) == ("removed", "a", "A", None)
    assert [event.cost for event in change.events] == [CostChange("3", None)]


@pytest.mark.parametrize(
    ("since", "last_seen"), [(SEEN - 2 * HOUR, SEEN - HOUR), (SEEN - HOUR / 2, SEEN - HOUR / 2), (None, SEEN - HOUR)]
)
def test_a_removed_model_was_last_seen_by_the_last_successful_sync_or_the_one_that_changed_it(
    since: datetime | None, last_seen: datetime
) -> None:
    known = stored(*FIVE)
    known["a"] = replace(known["a"], since=since)

    assert only(plan(FIVE[1:], known)).last_seen_at == last_seen


def test_not_before_is_when_the_last_successful_sync_began_its_request() -> None:
    assert plan([], last=BEFORE).not_before == SEEN - HOUR - timedelta(seconds=2)


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(microseconds=1), HOUR])
def test_a_clock_that_stepped_back_is_overruled_and_noted(behind: timedelta) -> None:
    last = ModeWatermark(stamp=SEEN, good_asked_at=SEEN, good_stamp=SEEN)
    made = plan([model()], last=last, observed_at=SEEN - behind)

    assert made.stamp == SEEN + timedelta(microseconds=1)
    assert made.not_before == SEEN
    assert [note.partition(" s ")[0] for note in made.notes] == [f"the clock is {behind.total_seconds():.6f}"]


def test_a_clock_that_went_on_by_a_microsecond_is_right() -> None:
    last = ModeWatermark(stamp=SEEN)
    made = plan([model()], last=last, observed_at=SEEN + timedelta(microseconds=1))

    assert (made.stamp, made.notes) == (SEEN + timedelta(microseconds=1), ())


def test_not_before_is_never_after_the_stamp() -> None:
    last = ModeWatermark(stamp=SEEN - HOUR, good_asked_at=SEEN + HOUR)

    assert plan([model()], last=last).not_before == SEEN


def outdated(known: dict[str, Stored]) -> dict[str, Stored]:
    return {id_: replace(one, fingerprint="0:abc") for id_, one in known.items()}


def test_rows_of_another_normaliser_are_rebuilt_without_events() -> None:
    made = plan(FIVE, outdated(stored(*FIVE)))

    assert kinds(made) == [(id_, "rebuilt") for id_ in "abcde"]
    assert {(change.replaces_rows, change.cost_changed, change.events) for change in made.changes} == {
        (True, False, ())
    }
    assert made.count("changed") == 0


def test_a_change_of_an_outdated_model_replaces_its_rows_and_has_its_events() -> None:
    change = only(plan([model("a", cost=9)], outdated(stored(model("a")))))

    assert (change.lifecycle, change.replaces_rows) == ("changed", True)
    assert [event.kind for event in change.events] == ["increase"]


def test_an_outdated_model_that_is_kept_unseen_is_rebuilt_from_what_is_stored() -> None:
    made = plan([model("a", cost="x"), {"name": "no id"}], outdated(stored(*FIVE)))

    assert kinds(made) == [(id_, "rebuilt") for id_ in "abcde"]


def test_a_stored_version_that_cannot_be_read_is_named() -> None:
    known = stored(*FIVE)
    known["a"] = replace(known["a"], raw="{")

    with pytest.raises(DatabaseError, match=r"model 'a' in mode image cannot be read: .*; restore it"):
        plan([model("a", cost=9), *FIVE[1:]], known)


def test_parts_that_gave_no_rows_are_noted_with_some_of_their_models() -> None:
    made = plan([*(model(f"m{number}", params=[5]) for number in range(5)), model("x", inputs=1, params=[5])])

    assert made.status == "success"
    assert made.notes == (
        "inputs of 1 image model have a shape that is not recognised and gave no rows: x",
        "params of 6 image models have a shape that is not recognised and gave no rows: m0, m1, m2 and 3 more",
    )


def test_a_model_whose_shape_is_stored_already_is_not_noted_again() -> None:
    odd = model("a", params=[5])

    assert plan([odd, *FIVE[1:]], stored(odd, *FIVE[1:])).notes == ()


def test_texts_that_lost_characters_are_noted() -> None:
    made = plan([model("a", name="\0"), model("b")], last=NEVER)

    assert made.notes == (
        "NUL or lone surrogates were left out of the columns of 1 image models; their raw text has them",
    )
