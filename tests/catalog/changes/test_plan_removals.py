"""When a model that is missing from a response is removed, and when the removal is held back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.made_plans import FIVE, kinds, plan
from tests.support.made_responses import Model, model, stored


def models(count: int) -> list[Model]:
    return [model(f"m{number:02}") for number in range(count)]


@pytest.mark.parametrize(
    ("listed_count", "missing", "is_held"),
    [
        (0, 0, False),
        (1, 1, True),
        (2, 2, True),
        (3, 1, False),
        (3, 2, False),
        (3, 3, True),
        (4, 2, False),
        (4, 3, True),
        (14, 3, True),
        (15, 3, False),
        (15, 4, True),
        (100, 20, False),
        (100, 21, True),
    ],
)
def test_more_than_a_fifth_and_at_least_three_missing_are_held_back_and_so_is_an_empty_response(
    listed_count: int, missing: int, *, is_held: bool
) -> None:
    known = models(listed_count)
    made = plan(known[missing:], stored(*known))

    assert made.status == ("held" if is_held else "success")
    assert made.removals_held == (missing if is_held else 0)
    assert made.count("removed") == (0 if is_held else missing)


def test_a_response_that_replaces_every_model_changes_nothing() -> None:
    made = plan([model("new")], stored(*models(3)))

    assert (made.status, made.removals_held, kinds(made)) == ("held", 3, [])
    assert (made.hold_reason, made.held_ids, made.models_listed) == ("other_catalog", ("m00", "m01", "m02"), 3)


def test_a_mode_that_is_held_as_a_whole_rejects_no_model_and_rebuilds_no_rows() -> None:
    known = {name: replace(one, fingerprint="0:old") for name, one in stored(*models(9)).items()}
    made = plan([*(model(f"m{number:02}", cost=None) for number in range(8)), model("bad", cost="x")], known)

    assert (made.status, made.hold_reason, len(made.held_ids)) == ("held", "costs", 8)
    assert ([*made.changes], made.rejected, made.models_listed) == ([], (), 9)
    assert made.notes == ("the response for mode image, which was held back, also has models that would be rejected",)


def test_held_removals_leave_all_else_of_the_response_applied() -> None:
    known = models(10)
    made = plan([model("m09", cost=9), model("new")], stored(*known))

    assert kinds(made) == [("m09", "changed"), ("new", "added")]
    assert made.removals_held == 9


def test_accepted_removals_are_made() -> None:
    made = plan([], stored(*models(3)), accept=True)

    assert (made.status, made.removals_held, made.count("removed")) == ("success", 0, 3)


def test_nothing_is_removed_when_an_id_could_not_be_read() -> None:
    made = plan([*FIVE[1:], {"name": "N"}], stored(*FIVE))

    assert (made.status, [*made.changes], made.removals_held) == ("partial", [], 0)
    assert made.notes == ("1 missing image models stay listed: the response has a model with an unreadable id",)


def test_a_rejected_model_with_a_readable_id_counts_as_seen_and_others_go() -> None:
    made = plan([model("a", cost="x"), *FIVE[2:]], stored(*FIVE))

    assert (made.status, kinds(made)) == ("partial", [("b", "removed")])
    assert [refused.model_id for refused in made.rejected] == ["a"]


def test_a_partial_response_can_be_held_back_too() -> None:
    made = plan([model("a", cost="x")], stored(*FIVE))

    assert (made.status, made.removals_held) == ("partial", 4)


def test_a_model_held_from_removal_is_not_touched() -> None:
    assert [*plan([], stored(*FIVE)).changes] == []
