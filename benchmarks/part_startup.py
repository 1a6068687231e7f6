"""Start-up: what ``catalog-sync --help`` costs beside the import of click, which is most of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.result_table import Row, Target, cpu_row
from benchmarks.results import Results

_TARGET = Target(2)


def measure(bench: Bench) -> None:
    contenders = {
        "help": lambda: bench.catalog_sync("", "--help"),
        "click": lambda: bench.run(sys.executable, "-c", "import click"),
    }
    # Such short processes vary more, so they run more often.
    bench.alternate("startup", contenders, 2 * bench.rounds)


def rows(results: Results) -> Iterator[Row]:
    """No database is used: the figure is in the first column."""
    row = cpu_row(results, "catalog-sync --help: CPU to import of click", _TARGET, "startup help", "startup click")
    yield replace(row, cells=dict([*row.cells.items()][:1]))
