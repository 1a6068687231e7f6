"""The cost at a moment: what is recorded, and what else is possible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sync.catalog.history.cost_at import CostEvent, KnownCost, known_cost
from sync.catalog.history.cost_timeline import CostInterval

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return START + hours * HOUR


def test_before_the_history_nothing_is_known() -> None:
    intervals, events = [CostInterval(at(0), None, "3")], [CostEvent(None, at(0), is_listed=True, credit_cost="3")]
    unknown = KnownCost(None, None, None, None, is_sure=False, since=None, unsure_from=None, unsure_until=None)

    assert known_cost(intervals, events, at(-1), at(0)) == unknown
    assert known_cost([], [], at(0), None) == unknown


def test_the_windows_of_several_changes_may_overlap() -> None:
    """A model that was rejected for long: its next change may have happened at any time since."""
    intervals = [CostInterval(at(0), at(5), "3"), CostInterval(at(5), at(6), "7"), CostInterval(at(6), None, None)]
    events = [
        CostEvent(at(1), at(5), is_listed=True, credit_cost="7"),
        CostEvent(at(4), at(6), is_listed=True, credit_cost=None),
    ]
    known = known_cost(intervals, events, at(4.5), at(0))

    assert (known.credit_cost, known.low, known.high, known.is_sure) == ("3", Decimal(3), Decimal(7), False)
    assert (known.unsure_from, known.unsure_until) == (at(1), at(6))


def test_a_model_that_has_no_cost_and_may_be_removed_has_no_bounds() -> None:
    known = known_cost(
        [CostInterval(at(0), at(2), None)], [CostEvent(at(1), at(2), is_listed=False, credit_cost=None)], at(1), at(0)
    )

    assert (known.is_listed, known.low, known.high, known.is_sure) == (True, None, None, False)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.floats(0, 12))
def test_the_recorded_cost_is_within_the_bounds(costs: list[int], hours: float) -> None:
    ends = [*(at(number + 1) for number in range(len(costs) - 1)), None]
    intervals = [CostInterval(at(n), end, str(cost)) for n, (cost, end) in enumerate(zip(costs, ends, strict=True))]
    events = [CostEvent(at(n - 1), at(n), is_listed=True, credit_cost=str(costs[n])) for n in range(1, len(costs))]
    known = known_cost(intervals, events, at(hours), at(0))

    assert known.low is not None
    assert known.high is not None
    assert known.low <= Decimal(known.credit_cost or "none") <= known.high
    assert known.is_sure == (known.low == known.high)
