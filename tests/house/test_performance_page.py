"""docs/performance.md and its chart show the figures that are kept."""

from __future__ import annotations

from benchmarks.chart import chart
from benchmarks.report import CHART, all_rows
from benchmarks.result_table import PAGE, page_with
from benchmarks.results import LATEST, load


def test_the_page_has_the_latest_figures() -> None:
    page, latest = PAGE.read_text(), load(LATEST)

    assert page_with(page, latest, all_rows(latest)) == page, "run python -m benchmarks.report"


def test_the_chart_is_drawn_from_the_latest_figures() -> None:
    assert CHART.read_text() == chart(load(LATEST)), "run python -m benchmarks.report"
