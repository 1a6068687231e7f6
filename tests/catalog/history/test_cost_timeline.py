"""A model's costs over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync.catalog.history.cost_timeline import CostInterval, cost_spans

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + 10 * DAY


def interval(first: int, last: int | None, cost: str | None) -> CostInterval:
    return CostInterval(START + first * DAY, None if last is None else START + last * DAY, cost)


def line(*intervals: CostInterval) -> list[tuple[int, str | None, bool, str | None]]:
    """Days held, cost, whether it was listed, and percent, of each span."""
    return [
        (
            span.held_seconds // 86400,
            span.credit_cost,
            span.is_listed,
            None if span.pct_change is None else f"{span.pct_change:f}",
        )
        for span in cost_spans(intervals, NOW)
    ]


def test_a_cost_in_effect_has_lasted_until_now() -> None:
    assert line(interval(0, None, "3")) == [(10, "3", True, None)]


def test_each_cost_is_compared_with_the_previous_one() -> None:
    assert line(interval(0, 2, "3"), interval(2, None, "1.5")) == [
        (2, "3", True, None),
        (8, "1.5", True, "-50.000000"),
    ]


def test_a_gap_lasts_while_the_model_is_not_listed_and_is_ignored_in_percent() -> None:
    assert line(interval(0, 2, "4"), interval(5, None, "5")) == [
        (2, "4", True, None),
        (3, None, False, None),
        (5, "5", True, "25.000000"),
    ]


def test_a_removed_model_ends_in_a_gap() -> None:
    assert line(interval(0, 4, "4")) == [(4, "4", True, None), (6, None, False, None)]


def test_there_is_no_percentage_from_nothing_and_from_no_cost() -> None:
    assert line(interval(0, 1, "0"), interval(1, 2, "3"), interval(2, 3, None), interval(3, None, "3")) == [
        (1, "0", True, None),
        (1, "3", True, None),
        (1, None, True, None),
        (7, "3", True, None),
    ]


def test_a_model_without_costs_has_no_timeline() -> None:
    assert line() == []
