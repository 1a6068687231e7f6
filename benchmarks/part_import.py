"""The import of saved responses: its speed beside single syncs, and that its memory does not grow with the file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Contenders
from benchmarks.catalogs import envelope, snapshots
from benchmarks.databases import Databases
from benchmarks.process_usage import Usage
from benchmarks.result_table import Row, Target
from benchmarks.results import Results
from tests.support.database_servers import KINDS

_SIZES = (100, 1_000)
_LINES, _TIMES_LONGER = 100, 4
_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
# A line saves the start of a process, which is most of a small sync.
_SPEED, _MEMORY = Target(10, is_least=True), Target(1.1)


def measure(bench: Bench) -> None:
    for size in _SIZES[:1] if bench.is_quick else _SIZES:
        short, long = bench.folder / "short.jsonl.gz", bench.folder / "long.jsonl.gz"
        _write_lines(short, size, _LINES)
        _write_lines(long, size, _LINES * _TIMES_LONGER)
        bench.serve_two(size)
        for databases in bench.databases:
            name = f"import {databases.kind} {size}"
            with bench.synced(databases, "first") as url:
                contenders: Contenders = {
                    "short": partial(_import, bench, databases, short),
                    "long": partial(_import, bench, databases, long),
                    "sync": bench.changing_sync(url),
                }
                bench.alternate(name, contenders)
            bench.results.facts[name] = {"lines": _LINES}


def rows(results: Results) -> Iterator[Row]:
    for size in _SIZES:
        speed, memory = {}, {}
        for kind in KINDS:
            name = f"import {kind} {size}"
            short, long, sync = (results.median(f"{name} {contender}") for contender in ("short", "long", "sync"))
            if short and sync:
                lines = results.facts[name]["lines"]
                parts = f"{sync.cpu * 1000:.0f} / {short.cpu / lines * 1000:.1f} ms; {lines / short.wall:.0f} lines/s"
                speed[kind] = _SPEED.cell(sync.cpu, short.cpu / lines, parts)
            if short and long:
                parts = f"{long.rss_mib:.0f} / {short.rss_mib:.0f} MiB"
                memory[kind] = _MEMORY.cell(long.rss_mib, short.rss_mib, parts)
        yield Row(f"import, {size:,} models: CPU of a changed sync to that of a line", str(_SPEED), speed)
        yield Row(f"import, {size:,} models: memory of a file {_TIMES_LONGER} times as long", str(_MEMORY), memory)


def _import(bench: Bench, databases: Databases, file: Path) -> Usage:
    with bench.migrated(databases) as url:
        return bench.catalog_sync(url, "import", file)


def _write_lines(path: Path, models: int, lines: int) -> None:
    """One line is a catalog a quarter of an hour after the one before, with 1 % of the costs changed."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number, catalog in zip(range(lines), snapshots(models), strict=False):
            head = json.dumps({"at": (_BEGIN + number * timedelta(minutes=15)).isoformat()})[:-1]
            bodies = (f', "{mode}": '.encode() + envelope(mode, listed) for mode, listed in catalog.items())
            file.write(b"".join((head.encode(), *bodies, b"}\n")))
