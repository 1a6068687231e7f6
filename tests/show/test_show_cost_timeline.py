"""Sparklines."""

from __future__ import annotations

import pytest

from sync.show.cost_timeline import sparkline


@pytest.mark.parametrize(
    ("costs", "line"),
    [
        (["1", "2", "3", "4", "5", "6", "7", "8"], "▁▂▃▄▅▆▇█"),
        (["3", None, "1.5"], "█·▁"),
        (["2", "2"], "▅▅"),
        ([None, None], "··"),
        ([], ""),
        (["0.0000002", "150"], "▁█"),
    ],
)
def test_the_height_of_a_bar_is_its_cost_between_the_lowest_and_the_highest(costs: list[str | None], line: str) -> None:
    assert sparkline(costs) == line
