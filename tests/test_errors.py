"""The table of outcomes, and the outcome that stands for several."""

from __future__ import annotations

import pytest

from sync import errors
from sync.errors import CatalogSyncError, Outcome, worst


@pytest.mark.parametrize("outcome", Outcome)
def test_one_outcome_stands_for_itself(outcome: Outcome) -> None:
    assert worst([outcome, outcome]) is outcome


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.DONE}))
def test_done_never_hides_another_outcome(outcome: Outcome) -> None:
    assert worst([Outcome.DONE, outcome]) is outcome


def test_the_order_of_codes_is_the_documented_one() -> None:
    order = [6, 3, 4, 5, 7, 8, 0]
    by_code = {int(outcome): outcome for outcome in Outcome}

    assert [int(worst(by_code[code] for code in order[first:])) for first in range(len(order))] == order


def test_no_outcomes_are_done() -> None:
    assert worst([]) is Outcome.DONE


def test_names_and_exit_codes_are_those_that_others_rely_on() -> None:
    assert {outcome.label: int(outcome) for outcome in Outcome} == {
        "done": 0,
        "unexpected": 1,
        "usage": 2,
        "refused": 3,
        "unreachable": 4,
        "rejected": 5,
        "database": 6,
        "held": 7,
        "superseded": 8,
        "check_failed": 9,
        "interrupted": 130,
        "terminated": 143,
    }


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_says_what_happened_what_to_do_and_what_is_stored(outcome: Outcome) -> None:
    assert all((outcome.meaning, outcome.action, outcome.stored))


def test_every_error_is_a_failure_and_every_failure_but_sigterm_has_an_error() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    raised = {error("").outcome for error in classes if issubclass(error, CatalogSyncError)}

    assert raised == set(Outcome) - {Outcome.DONE, Outcome.TERMINATED}
