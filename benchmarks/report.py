"""The table as text, and the page that has it.

    python -m benchmarks.report

writes the table and the chart of the latest figures into ``docs/``.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.databases import KINDS
from benchmarks.result_table import Target
from benchmarks.results import LATEST, Results, load
from benchmarks.targets import all_targets

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
CHART = PAGE.with_suffix(".svg")
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
_BETWEEN = re.compile(r"(<!-- figures -->\n).*(<!-- end of figures -->\n)", re.DOTALL)


def printed(results: Results) -> str:
    """The table for a terminal."""
    rows = [("target", "", *_NAMES.values()), *map(_row, all_targets(results))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded)


def figures(results: Results) -> str:
    """The table for the page, with the machine that it was made on."""
    machine = results.made_on
    programs = {"python": "Python", **_NAMES}
    versions = ", ".join(f"{name} {machine[kind]}" for kind, name in programs.items() if kind in machine)
    computer = f"{machine['cores']} cores, {machine['memory']}, {machine['system']}; {versions}"
    runs = min((len(found) for found in results.samples.values() if not found[0].is_cut), default=0)
    made = f"Made on {machine['day']}: {computer}. Each process ran {runs} times or more.\n"
    head = f"| what | target | {' | '.join(_NAMES.values())} |\n| --- | --- | --- | --- | --- |\n"
    return f"{made}\n{head}" + "".join(f"| {' | '.join(_row(target))} |\n" for target in all_targets(results))


def page_with(page: str, results: Results) -> str:
    """The page with these figures in place of those it has."""
    return _BETWEEN.sub(lambda found: f"{found[1]}{figures(results)}{found[2]}", page)


def _row(target: Target) -> tuple[str, ...]:
    return target.what, target.aim, *(str(target.cells.get(kind, "")) for kind in KINDS)


def publish() -> None:
    """Write the latest figures into the page and the chart, and print them."""
    latest = load(LATEST)
    PAGE.write_text(page_with(PAGE.read_text(), latest))
    CHART.write_text(chart(latest))
    print(printed(latest), flush=True)


if __name__ == "__main__":
    publish()
