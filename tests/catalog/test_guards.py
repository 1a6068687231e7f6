"""The guards, from counts, ids and costs alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sync.catalog.guards import (
    GUARDS,
    Accepted,
    Evidence,
    GuardSettings,
    Ruling,
    accepted_flags,
    rule,
    tripped,
)
from sync.catalog.model.costs import CostChange

TEN_AWAY = Evidence(listed=10, received=10, missing=tuple("abcdefghij"), new=10)
JUMPED = Evidence(listed=10, received=10, priced=10, costs={name: CostChange("1", "11") for name in "abc"})


def missing(number: int, *, listed: int = 10, **more: Any) -> Evidence:
    """A response that lacks some of the listed models."""
    ids = tuple(f"m{each:03}" for each in range(number))
    return Evidence(listed=listed, received=listed - number + more.get("new", 0), missing=ids, **more)


def reasons(evidence: Evidence, settings: GuardSettings = GuardSettings()) -> list[str]:  # noqa: B008  # frozen
    return [hold.guard.reason for hold in tripped(evidence, settings)]


def ruling(evidence: Evidence, *, removals: Accepted = None, costs: Accepted = None) -> Ruling:
    settings = GuardSettings(accept_removals=removals, accept_costs=costs)
    holds = tripped(evidence, settings)
    return rule(evidence, holds, accepted_flags(holds, settings))


@pytest.mark.parametrize(("accepted", "agreed"), [(None, False), (6, False), (7, True), (8, False), ("all", True)])
def test_the_accepted_number_is_that_of_all_modes_with_removals_held_back(accepted: Accepted, *, agreed: bool) -> None:
    settings = GuardSettings(accept_removals=accepted)
    modes = [tripped(missing(number), settings) for number in (3, 4, 1)]

    assert [len(holds) for holds in modes] == [1, 1, 0]  # the last is not held back and does not count
    assert accepted_flags([hold for holds in modes for hold in holds], settings) == ({"removals"} if agreed else set())


def test_an_unreadable_id_keeps_every_missing_model_and_holds_back_no_removals() -> None:
    evidence = replace(missing(3, listed=4), has_unreadable=True)

    assert ruling(evidence) == Ruling(unsure=3, listed=4)


def test_an_unreadable_id_does_not_let_another_catalog_in() -> None:
    evidence = replace(TEN_AWAY, has_unreadable=True, received=11)

    assert reasons(evidence) == ["other_catalog"]
    assert ruling(evidence, removals=10) == Ruling(unsure=10, accepted={"removals": 10}, listed=10)


def test_an_empty_response_exceeds_any_limit() -> None:
    settings = GuardSettings(removal_percent=100, removal_count=1000)

    assert reasons(Evidence(listed=1, missing=("a",)), settings) == ["removals"]
    assert reasons(Evidence(), settings) == []


@pytest.mark.parametrize(
    ("evidence", "is_held"),
    [
        (missing(1, listed=10, removed_lately=1), False),
        (missing(1, listed=10, removed_lately=2), True),
        (missing(5, listed=90, removed_lately=15), False),  # 20 of 105
        (missing(7, listed=90, removed_lately=15), True),  # 22 of 105
        (missing(0, listed=10, removed_lately=90), False),
    ],
)
def test_g6_what_was_removed_lately_counts_as_missing(evidence: Evidence, *, is_held: bool) -> None:
    assert reasons(evidence) == (["removals"] if is_held else [])
    assert len(ruling(evidence).removed) == (0 if is_held else len(evidence.missing))


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (TEN_AWAY, "other_catalog"),
        (missing(10, new=400), "other_catalog"),  # larger than ours
        (missing(100, listed=100, new=10), "other_catalog"),  # smaller: 10 are no fifth of 100
        (missing(10, new=1), "other_catalog"),  # not one of ours
        (missing(5, new=5), "other_catalog"),  # half of them shared
        (missing(90, listed=100, new=3), "other_catalog"),  # 3 of the 13 that were sent
        (missing(9, new=1), "removals"),
        (missing(5, new=2), "removals"),
        (missing(9), "removals"),
        (missing(50, listed=500, new=50, removed_lately=70, added_lately=70), "other_catalog"),  # little by little
        (missing(50, listed=500, removed_lately=80, added_lately=110), "removals"),
        (missing(4, new=1, added_lately=6), "removals"),  # a catalog that has grown
    ],
)
def test_g7_g8_many_missing_models_and_many_new_ones_are_another_catalog(evidence: Evidence, reason: str) -> None:
    assert reasons(evidence) == [reason]
    assert ruling(evidence).holds_mode == (reason == "other_catalog")
    accepted = ruling(evidence, removals=len(evidence.missing))
    assert (accepted.removed, accepted.accepted) == (evidence.missing, {"removals": len(evidence.missing)})


@pytest.mark.parametrize(("listed", "new"), [(10, 10), (10, 0), (10, 400)])
def test_g7_new_models_alone_are_no_other_catalog(listed: int, new: int) -> None:
    assert reasons(missing(2, listed=listed, new=new)) == []


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("1", None, True),
        ("0", None, True),
        ("1", "10", False),
        ("1", "10.0000000000000000000000000000000000000001", True),
        ("10", "1", False),
        ("10", "0.9999999999999999999999999999999999999999", True),
        ("0", "0.0000000000000000000000000000000000000001", True),
        ("1", "0", True),
        (None, "1000", False),
        ("999999999999", "1000", True),
    ],
)
def test_g5_a_cost_that_vanishes_or_changes_more_than_tenfold_counts(
    old: str | None, new: str | None, *, counts: bool
) -> None:
    costs = {name: CostChange(old, new) for name in "abc"}

    assert reasons(Evidence(listed=3, received=3, priced=3, costs=costs)) == (["costs"] if counts else [])


@pytest.mark.parametrize(("moved", "priced", "is_held"), [(2, 2, False), (3, 15, False), (3, 14, True), (3, 3, True)])
def test_g5_costs_are_held_back_above_a_fifth_and_from_three_on(moved: int, priced: int, *, is_held: bool) -> None:
    costs = {f"m{each}": CostChange("1", None) for each in range(moved)}

    assert reasons(Evidence(listed=99, received=99, priced=priced, costs=costs)) == (["costs"] if is_held else [])


def test_each_guard_that_trips_needs_its_own_acceptance_and_the_first_is_the_reason() -> None:
    both = replace(missing(4), priced=JUMPED.priced, costs=JUMPED.costs)

    assert reasons(both) == ["costs", "removals"]
    assert [hold.guard.reason for hold in ruling(both, costs=3).holds] == ["removals"]
    assert [hold.guard.reason for hold in ruling(both, removals=4).holds] == ["costs"]
    assert ruling(both, removals=4).accepted == {}  # nothing was removed
    assert ruling(both, removals=4, costs="all") == Ruling(
        removed=both.missing, accepted={"costs": 3, "removals": 4}, listed=10
    )
    assert reasons(replace(TEN_AWAY, priced=JUMPED.priced, costs=JUMPED.costs)) == ["other_catalog", "costs"]


def test_the_settings_are_the_limits() -> None:
    settings = GuardSettings(removal_percent=50, removal_count=1, cost_percent=30, cost_count=4, cost_factor=2)

    assert reasons(missing(5), settings) == []
    assert reasons(missing(6), settings) == ["removals"]
    assert reasons(missing(1, listed=1, new=1), settings) == ["other_catalog"]
    assert reasons(JUMPED, settings) == []
    costs = {name: CostChange("1", "2.1") for name in "abcd"}
    assert reasons(replace(JUMPED, costs=costs), settings) == ["costs"]


def test_the_table_is_in_the_order_of_precedence_and_names_every_setting() -> None:
    assert [guard.reason for guard in GUARDS] == ["other_catalog", "costs", "removals"]
    text = " ".join(guard.trips for guard in GUARDS)
    for name in ("REMOVAL_PERCENT", "REMOVAL_COUNT", "COST_MOVE_PERCENT", "COST_MOVE_COUNT", "COST_MOVE_FACTOR"):
        assert f"`MAX_{name}`" in text


counts = st.integers(min_value=0, max_value=60)


@given(kept=counts, away=counts, new=counts, lately=counts)
def test_no_guard_lets_through_what_a_naive_oracle_calls_another_catalog_or_a_mass_removal(
    kept: int, away: int, new: int, lately: int
) -> None:
    ours = {f"ours{each}" for each in range(kept + away)}
    sent = {f"ours{each}" for each in range(kept)} | {f"theirs{each}" for each in range(new)}
    evidence = Evidence(
        listed=len(ours),
        received=len(sent),
        missing=tuple(sorted(ours - sent)),
        new=len(sent - ours),
        removed_lately=lately,
    )

    made = ruling(evidence)
    lost = len(ours - sent) + lately
    is_mass_removal = bool(ours - sent) and (not sent or (lost >= 3 and lost * 5 > len(ours) + lately))
    is_foreign = is_mass_removal and len(sent - ours) >= 3 and len(sent - ours) * 5 > min(len(ours), len(sent))
    assert not (is_mass_removal and made.removed)
    assert made.holds_mode or not is_foreign
    # And no guard holds back what is neither.
    assert bool(made.holds) == is_mass_removal


costs = st.one_of(st.none(), st.sampled_from(["0", "0.1", "1", "1.1", "9.99", "10", "10.01", "100.1"]))


@given(st.lists(st.tuples(costs, costs), max_size=20))
def test_no_guard_lets_through_what_a_naive_oracle_calls_a_mass_unset_or_a_jump(
    pairs: list[tuple[str | None, str | None]],
) -> None:
    by_id = {str(number): pair for number, pair in enumerate(pairs)}
    priced = {name: pair for name, pair in by_id.items() if pair[0] is not None}
    evidence = Evidence(
        listed=len(pairs),
        received=len(pairs),
        priced=len(priced),
        costs={name: CostChange(old, new) for name, (old, new) in priced.items() if old != new},
    )

    # Compared as hundredths, so that no rounding of floats matters.
    whole = {
        name: (round(float(old or 0) * 100), None if new is None else round(float(new) * 100))
        for name, (old, new) in priced.items()
    }
    moved = sorted(name for name, (old, new) in whole.items() if new is None or new > 10 * old or old > 10 * new)
    is_held = len(moved) >= 3 and len(moved) * 5 > len(priced)
    made = ruling(evidence)
    assert made.holds_mode == is_held
    assert [list(hold.ids) for hold in made.holds] == ([moved] if is_held else [])
