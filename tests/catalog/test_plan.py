"""What a run decides to write for one mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.catalog.costs import CostChange
from sync.catalog.plan import LastLook, RemovalGuard, accepted_removals, assess, make_plan, needed_ids
from sync.catalog.records import Listed, ModelChange, ModePlan, Stored
from sync.catalog.sift import sift
from sync.errors import DatabaseError
from tests.catalog.made import Model, answer, listed, model, spelled, stored

HOUR = timedelta(hours=1)
SEEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
BEFORE = LastLook(stamp=SEEN - HOUR, good_asked_at=SEEN - HOUR - timedelta(seconds=2), good_stamp=SEEN - HOUR)
NEVER = LastLook()
FIVE = [model(name) for name in "abcde"]


def plan(
    sent: Sequence[object],
    known: dict[str, Stored] | None = None,
    last: LastLook = BEFORE,
    *,
    accept: bool = False,
    observed_at: datetime = SEEN,
) -> ModePlan:
    known = known or {}
    on_list = {id_: Listed(one.model_pk, str(one.fingerprint)) for id_, one in known.items() if one.is_listed}
    assessment = assess(sift(answer(sent), on_list), on_list, RemovalGuard())
    needed = {id_: known[id_] for id_ in needed_ids(assessment, on_list) if id_ in known}
    return make_plan(assessment, needed, last, observed_at=observed_at, accept_removals=accept)


def kinds(made: ModePlan) -> list[tuple[str, str]]:
    return [(change.model_id, change.lifecycle) for change in made.changes]


def only(made: ModePlan) -> ModelChange:
    (change,) = made.changes
    return change


def gone(known: Stored, cost: str | None) -> Stored:
    return replace(known, is_listed=False, fingerprint=None, raw=None, since=None, cost=cost)


def test_a_first_answer_adds_its_models_in_order() -> None:
    made = plan([model("b"), model("a")], last=NEVER)

    assert kinds(made) == [("a", "added"), ("b", "added")]
    assert (made.status, made.stamp, made.not_before, made.notes) == ("success", SEEN, None, ())
    assert [event.cost for change in made.changes for event in change.events] == [CostChange(None, "3")] * 2


def test_an_empty_first_answer_is_a_success_and_noted() -> None:
    made = plan([], last=NEVER)

    assert (made.status, made.changes) == ("success", ())
    assert made.notes == ("the first answer for image was empty",)


def test_the_same_answer_changes_nothing() -> None:
    assert plan(FIVE, stored(*FIVE)).changes == ()


def test_an_answer_that_means_the_same_changes_nothing() -> None:
    respelled = [{**one, "credits": {"default_cost": spelled("3.00")}, "x": None} for one in reversed(FIVE)]

    assert plan(respelled, stored(*FIVE)).changes == ()


def test_a_changed_cost_is_one_change_of_rows_version_and_cost() -> None:
    change = only(plan([model("a", cost=1.5), *FIVE[1:]], stored(*FIVE)))

    assert (change.lifecycle, change.model_pk, change.cost_changed, change.replaces_rows) == ("changed", 1, True, False)
    assert [event.kind for event in change.events] == ["decrease"]
    assert [rows.table for rows in change.rows] == ["credits"]


def test_a_change_beside_the_cost_leaves_the_cost_history_alone() -> None:
    change = only(plan([model("a", name="new"), *FIVE[1:]], stored(*FIVE)))

    assert (change.cost_changed, change.name, change.rows) == (False, "new", ())


def test_a_model_that_comes_back_is_relisted_with_the_cost_it_had() -> None:
    known = {"a": gone(stored(model("a"))["a"], "2")}
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
def test_a_removed_model_was_last_seen_by_the_last_good_look_or_the_one_that_changed_it(
    since: datetime | None, last_seen: datetime
) -> None:
    known = stored(*FIVE)
    known["a"] = replace(known["a"], since=since)

    assert only(plan(FIVE[1:], known)).last_seen_at == last_seen


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
def test_more_than_a_fifth_and_at_least_three_missing_are_held_and_so_is_an_empty_answer(
    listed_count: int, missing: int, *, is_held: bool
) -> None:
    known = models(listed_count)
    made = plan(known[missing:], stored(*known))

    assert made.status == ("held" if is_held else "success")
    assert made.removals_held == (missing if is_held else 0)
    assert made.count("removed") == (0 if is_held else missing)


def test_an_answer_that_replaces_every_model_is_held() -> None:
    made = plan([model("new")], stored(*models(3)))

    assert (made.status, made.removals_held, kinds(made)) == ("held", 3, [("new", "added")])


def test_held_removals_leave_all_else_of_the_answer_applied() -> None:
    known = models(10)
    made = plan([model("m09", cost=9), model("new")], stored(*known))

    assert kinds(made) == [("m09", "changed"), ("new", "added")]
    assert made.removals_held == 9


def test_accepted_removals_are_made() -> None:
    made = plan([], stored(*models(3)), accept=True)

    assert (made.status, made.removals_held, made.count("removed")) == ("success", 0, 3)


@pytest.mark.parametrize(("accepted", "agreed"), [(None, False), (6, False), (7, True), (8, False), ("all", True)])
def test_the_accepted_number_is_that_of_all_held_modes_together(accepted: object, *, agreed: bool) -> None:
    guard = RemovalGuard(accepted=accepted)  # type: ignore[arg-type]  # each of them is allowed
    known = listed(*models(10))
    assessments = [
        assess(sift(answer(models(10)[missing:]), known), known, guard)
        for missing in (3, 4, 1)  # the last is not held and does not count
    ]

    assert accepted_removals(assessments, guard) is agreed


def test_nothing_is_removed_when_an_id_could_not_be_read() -> None:
    made = plan([*FIVE[1:], {"name": "N"}], stored(*FIVE))

    assert (made.status, made.changes, made.removals_held) == ("partial", (), 0)
    assert made.notes == ("1 image models were missing and kept: an id in the answer could not be read",)


def test_a_rejected_model_with_a_readable_id_counts_as_seen_and_others_go() -> None:
    made = plan([model("a", cost="x"), *FIVE[2:]], stored(*FIVE))

    assert (made.status, kinds(made)) == ("partial", [("b", "removed")])
    assert [refused.model_id for refused in made.rejected] == ["a"]


def test_a_partial_answer_can_be_held_too() -> None:
    made = plan([model("a", cost="x")], stored(*FIVE))

    assert (made.status, made.removals_held) == ("partial", 4)


def test_not_before_is_when_the_last_good_run_began_asking() -> None:
    assert plan([], last=BEFORE).not_before == SEEN - HOUR - timedelta(seconds=2)


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(microseconds=1), HOUR])
def test_a_clock_that_stepped_back_is_overruled_and_noted(behind: timedelta) -> None:
    last = LastLook(stamp=SEEN, good_asked_at=SEEN, good_stamp=SEEN)
    made = plan([model()], last=last, observed_at=SEEN - behind)

    assert made.stamp == SEEN + timedelta(microseconds=1)
    assert made.not_before == SEEN
    assert [note.partition(" s ")[0] for note in made.notes] == [f"the clock stands {behind.total_seconds():.6f}"]


def test_a_clock_that_went_on_by_a_microsecond_is_right() -> None:
    last = LastLook(stamp=SEEN)
    made = plan([model()], last=last, observed_at=SEEN + timedelta(microseconds=1))

    assert (made.stamp, made.notes) == (SEEN + timedelta(microseconds=1), ())


def test_not_before_is_never_after_the_stamp() -> None:
    last = LastLook(stamp=SEEN - HOUR, good_asked_at=SEEN + HOUR)

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


def test_a_model_held_from_removal_is_not_touched() -> None:
    assert plan([], stored(*FIVE)).changes == ()


def test_a_stored_version_that_cannot_be_read_is_named() -> None:
    known = stored(*FIVE)
    known["a"] = replace(known["a"], raw="{")

    with pytest.raises(DatabaseError, match="image model 'a' cannot be read; restore it"):
        plan([model("a", cost=9), *FIVE[1:]], known)


def test_texts_that_lost_characters_are_noted() -> None:
    made = plan([model("a", name="\0"), model("b")], last=NEVER)

    assert made.notes == (
        "NUL or lone surrogates were left out of the texts of 1 image models; their raw text has them",
    )
