"""docs/performance.md and its chart show the figures that are kept."""

from __future__ import annotations

from benchmarks.chart import chart
from benchmarks.report import CHART, PAGE, page_with
from benchmarks.results import LATEST, load


def test_the_page_has_the_latest_figures() -> None:
    page = PAGE.read_text()

    assert page_with(page, load(LATEST)) == page, "run python -m benchmarks.report"


def test_the_chart_is_drawn_from_the_latest_figures() -> None:
    assert CHART.read_text() == chart(load(LATEST)), "run python -m benchmarks.report"
