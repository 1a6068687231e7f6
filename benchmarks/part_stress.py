"""The stress point of 100,000 models: that syncs work there, and their peak memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench
from benchmarks.result_table import Row, Target
from benchmarks.results import Results
from tests.support.database_servers import KINDS

_MODELS = 100_000
_LIMIT_MIB = 1024
_STEPS = (("first", "first"), ("unchanged", "first"), ("changed", "changed"))


def measure(bench: Bench) -> None:
    bench.serve_two(_MODELS)
    # One run is enough: peak memory is nearly the same in each.
    for databases in bench.databases:
        with bench.migrated(databases) as url:
            for step, served in _STEPS:
                bench.alternate(f"stress {databases.kind}", {step: partial(bench.sync, url, served)}, rounds=1)


def rows(results: Results) -> Iterator[Row]:
    target, cells = Target(1), {}
    for kind in KINDS:
        peaks = [run.rss_mib for step, _ in _STEPS for run in results.runs.get(f"stress {kind} {step}", ())]
        if peaks:
            cells[kind] = target.cell(max(peaks), _LIMIT_MIB, f"{max(peaks):.0f} MiB")
    yield Row(f"{_MODELS:,} models: peak memory to 1 GiB", str(target), cells)
