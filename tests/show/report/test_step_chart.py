"""The geometry of a step chart: each point of the line is a cost at a time, and there is none where there was none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalog.history.cost_timeline import CostInterval
from sync.catalog.history.report_data import Period
from sync.show.report.step_chart import HEIGHT, PLOT_BOTTOM, PLOT_TOP, PLOT_WIDTH, WIDTH, StepChart, step_chart
from tests.support.report_values import BEGIN, PERIOD, day, intervals

TOKEN = re.compile(r"([MHVhvz])([-\d. ]*)")


def lines(path: str) -> Iterator[tuple[float, float, float]]:
    """The horizontal lines of a path: from, to, and their height."""
    x = y = 0.0
    for command, numbers in TOKEN.findall(path):
        values = [float(each) for each in numbers.split()]
        if command == "M":
            x, y = values
        elif command == "V":
            (y,) = values
        elif command == "H":
            yield x, values[0], y
            (x,) = values


def x(days: float) -> Any:
    return pytest.approx(days / 90 * PLOT_WIDTH, abs=0.01)


def y(cost: float, highest: float) -> Any:
    return pytest.approx(PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * cost / highest, abs=0.01)


def titles(chart: StepChart) -> list[str]:
    return [area.title.partition(": ")[2] for area in chart.areas]


def test_a_cost_is_a_horizontal_line_from_its_start_to_its_end() -> None:
    chart = step_chart(intervals((0, "1"), (30, "4"), (60, "2")), PERIOD)

    assert list(lines(chart.line)) == [(0, x(30), y(1, 4)), (x(30), x(60), y(4, 4)), (x(60), PLOT_WIDTH, y(2, 4))]
    assert chart.line.count("M") == 1
    assert chart.end == (str(PLOT_WIDTH), "41")
    assert [label.text for label in chart.labels] == ["4", "0"]


def test_there_is_a_gap_where_the_model_was_not_listed() -> None:
    chart = step_chart(intervals((0, "1"), (30, "gone"), (60, "1")), PERIOD)

    assert list(lines(chart.line)) == [(0, x(30), PLOT_TOP), (x(60), PLOT_WIDTH, PLOT_TOP)]
    assert titles(chart) == ["1", "not listed", "1"]


def test_a_model_without_a_cost_has_no_line_but_another_one_at_the_bottom() -> None:
    chart = step_chart(intervals((0, "1"), (30, None), (60, "1")), PERIOD)

    assert list(lines(chart.line)) == [(0, x(30), PLOT_TOP), (x(60), PLOT_WIDTH, PLOT_TOP)]
    assert list(lines(chart.without_cost)) == [(x(30), x(60), PLOT_BOTTOM)]
    assert titles(chart) == ["1", "no cost", "1"]


def test_a_cost_that_was_there_before_the_period_begins_at_its_edge() -> None:
    chart = step_chart(intervals((-50, "1"), (-20, "2"), (45, "4"), (200, "8")), PERIOD)

    assert list(lines(chart.line)) == [(0, x(45), y(2, 4)), (x(45), PLOT_WIDTH, y(4, 4))]


def test_a_model_that_came_and_went_has_a_line_between_and_no_end() -> None:
    chart = step_chart(intervals((10, "1"), end=20), PERIOD)

    assert list(lines(chart.line)) == [(x(10), x(20), PLOT_TOP)]
    assert chart.end is None
    assert titles(chart) == ["not listed", "1", "not listed"]


def test_the_text_of_a_part_has_its_times_and_the_exact_cost() -> None:
    chart = step_chart(intervals((0, "0.1000000000000000000000000000000000000001")), PERIOD)

    assert [area.title for area in chart.areas] == [
        "2026-03-01 00:00 to 2026-05-30 00:00: 0.1000000000000000000000000000000000000001"
    ]


def test_costs_far_apart_are_on_a_logarithmic_scale_with_a_place_for_zero() -> None:
    chart = step_chart(intervals((0, "0"), (10, "0.000000000001"), (20, None), (30, "1"), (40, "100000000000")), PERIOD)
    heights = [height for *_, height in lines(chart.line)]

    assert chart.is_log
    assert heights[0] == PLOT_BOTTOM
    assert heights[-1] == PLOT_TOP
    assert heights == sorted(heights, reverse=True)
    assert all(before - after > 5 for before, after in pairwise(heights))
    assert [label.text for label in chart.labels] == ["1e11", "1e-12", "0"]


def test_a_model_that_is_free_has_a_line_at_the_bottom() -> None:
    chart = step_chart(intervals((0, "0")), PERIOD)

    assert list(lines(chart.line)) == [(0, PLOT_WIDTH, PLOT_BOTTOM)]
    assert not chart.is_log


def test_a_model_outside_the_period_has_nothing() -> None:
    chart = step_chart(intervals((100, "1")), PERIOD)

    assert (chart.line, chart.without_cost, chart.areas, chart.end) == ("", "", [], None)


def test_four_thousand_costs_are_all_in_the_line_and_share_texts() -> None:
    many = intervals(*((number * 90 / 4000, str(number % 7 + 1)) for number in range(4000)))
    chart = step_chart(many, PERIOD)

    assert len(list(lines(chart.line))) == 4000
    assert 100 < len(chart.areas) <= PLOT_WIDTH * 2
    assert "costs, the last" in chart.areas[0].title


COSTS = st.one_of(
    st.none(), st.just("gone"), st.decimals("0", "1e12", places=3, allow_nan=False).map(lambda each: f"{each:f}")
)


@given(
    st.lists(COSTS, min_size=1, max_size=30),
    st.floats(-40, 80, allow_nan=False),
    st.floats(0.001, 120, allow_nan=False),
)
def test_nothing_is_outside_the_plot_and_areas_follow_each_other(
    costs: list[str | None], start: float, step: float
) -> None:
    chart = step_chart(intervals(*((start + step * place, cost) for place, cost in enumerate(costs))), PERIOD)
    places = list(lines(chart.line))

    assert all(0 <= left <= right <= PLOT_WIDTH <= WIDTH and 0 <= height <= HEIGHT for left, right, height in places)
    assert all(left[1] <= right[0] for left, right in pairwise(places))
    starts = [float(area.path[1:].partition(" ")[0]) for area in chart.areas]
    assert starts == sorted(starts)


def test_a_period_of_a_microsecond_can_be_drawn() -> None:
    tiny = Period(BEGIN, BEGIN.replace(microsecond=1))
    chart = step_chart([CostInterval(day(-1), None, "2")], tiny)

    assert list(lines(chart.line)) == [(0, PLOT_WIDTH, PLOT_TOP)]
