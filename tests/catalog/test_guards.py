"""The guard on removals, from counts and ids alone."""

from __future__ import annotations

import pytest

from sync.catalog.guards import RemovalCheck, RemovalGuard, check_removals, removals_accepted


def check(missing: int, guard: RemovalGuard) -> RemovalCheck:
    """What the guard says when models are missing from a response that had ten models before."""
    ids = [f"m{number}" for number in range(missing)]
    return check_removals(ids, guard, listed=10, received=10 - missing, has_unreadable=False)


@pytest.mark.parametrize(("accepted", "agreed"), [(None, False), (6, False), (7, True), (8, False), ("all", True)])
def test_the_accepted_number_is_that_of_all_modes_with_removals_held_back(accepted: object, *, agreed: bool) -> None:
    guard = RemovalGuard(accepted=accepted)  # type: ignore[arg-type]  # each of them is allowed
    checks = [check(3, guard), check(4, guard), check(1, guard)]  # the last is not held back and does not count

    assert [one.exceeds_limit for one in checks] == [True, True, False]
    assert removals_accepted(guard, checks) is agreed


def test_an_unreadable_id_keeps_every_missing_model_and_is_not_over_the_limit() -> None:
    unsure = check_removals(["a", "b", "c"], RemovalGuard(), listed=3, received=1, has_unreadable=True)

    assert unsure == RemovalCheck(missing=(), unsure=3, exceeds_limit=False)


def test_an_empty_response_exceeds_the_limit_of_any_guard() -> None:
    guard = RemovalGuard(percent=100, count=1000)

    assert check_removals(["a"], guard, listed=1, received=0, has_unreadable=False).exceeds_limit
    assert not check_removals([], guard, listed=0, received=0, has_unreadable=False).exceeds_limit
