"""Single syncs beside the baseline and dlt: first, unchanged, and with 1 % of the costs changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.baseline_rows import save_rows
from benchmarks.bench import Bench, Contenders
from benchmarks.databases import Databases
from benchmarks.process_usage import Usage
from benchmarks.result_table import NO_TARGET, Row, Target, cpu_row
from benchmarks.results import Results

SIZES = (100, 1_000, 10_000)
_TARGETS = (("unchanged", Target(1.5), "unchanged"), ("changed", Target(2), "unchanged"), ("first", Target(3), "first"))
"""For each step the target of its ratio, and the step whose baseline it is compared with."""


def measure(bench: Bench) -> None:
    for size in bench.sizes:
        bench.serve_two(size)
        for databases in bench.databases:
            _measure_first(bench, databases, f"sync {databases.kind} {size} first")
            _measure_later(bench, databases, f"sync {databases.kind} {size}")


def rows(results: Results) -> Iterator[Row]:
    for step, target, baseline in _TARGETS:
        for size in SIZES:
            figure, sync = f"{step} sync, {size:,} models: CPU to the baseline", f"sync {{kind}} {size}"
            yield cpu_row(results, figure, target, f"{sync} {step} catalog-sync", f"{sync} {baseline} baseline")
    for step in ("unchanged", "first"):
        for size in SIZES:
            figure, sync = f"{step} sync, {size:,} models: CPU of dlt to catalog-sync", f"sync {{kind}} {size} {step}"
            yield cpu_row(results, figure, NO_TARGET, f"{sync} dlt", f"{sync} catalog-sync")


def _measure_first(bench: Bench, databases: Databases, name: str) -> None:
    saved = bench.folder / "rows"
    with bench.synced(databases, "first") as url:
        save_rows(url, saved)

    def sync() -> Usage:
        with bench.migrated(databases) as url:
            return bench.sync(url, "first")

    def baseline() -> Usage:
        with bench.migrated(databases) as url:
            return bench.baseline("write", url, "first", saved)

    def dlt() -> Usage:
        with databases.new() as url:
            return bench.dlt(url, "first", _new_folder(bench))

    bench.alternate(name, {"catalog-sync": sync, "baseline": baseline, "dlt": dlt})
    shutil.rmtree(saved)


def _measure_later(bench: Bench, databases: Databases, name: str) -> None:
    dlt_folder, new = _new_folder(bench), bench.synced
    with new(databases, "first") as same, new(databases, "first") as changing, databases.new() as of_dlt:
        bench.dlt(of_dlt, "first", dlt_folder)
        contenders: Contenders = {
            "unchanged catalog-sync": partial(bench.sync, same, "first"),
            "unchanged baseline": partial(bench.baseline, "read", same, "first"),
            "changed catalog-sync": bench.changing_sync(changing),
            "unchanged dlt": partial(bench.dlt, of_dlt, "first", dlt_folder),
        }
        bench.alternate(name, contenders)


def _new_folder(bench: Bench) -> Path:
    return Path(mkdtemp(dir=bench.folder))
