"""Writes the figures of ``results/latest.json`` into ``docs/performance.md`` and its chart.

python -m benchmarks.report
"""

from __future__ import annotations

from benchmarks import part_history, part_import, part_startup, part_stress, part_sync, part_views, part_writes
from benchmarks.chart import chart
from benchmarks.result_table import PAGE, Row, as_text, page_with
from benchmarks.results import LATEST, Results, load

PARTS = {
    "sync": part_sync,
    "stress": part_stress,
    "writes": part_writes,
    "history": part_history,
    "views": part_views,
    "import": part_import,
    "startup": part_startup,
}
"""In the order of the table."""

CHART = PAGE.with_suffix(".svg")


def all_rows(results: Results) -> list[Row]:
    """The rows of all parts, without those of which nothing was measured."""
    return [row for part in PARTS.values() for row in part.rows(results) if row.cells]


def publish() -> None:
    """Write the page and its chart, and print the table."""
    latest = load(LATEST)
    PAGE.write_text(page_with(PAGE.read_text(), latest, all_rows(latest)))
    CHART.write_text(chart(latest))
    print(as_text(all_rows(latest)), flush=True)


if __name__ == "__main__":
    publish()
