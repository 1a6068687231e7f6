"""The rows that an unchanged sync writes, whatever the size of the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench, say
from benchmarks.catalogs import snapshots
from benchmarks.part_sync import SIZES
from benchmarks.result_table import Row
from benchmarks.results import Results
from benchmarks.write_counters import rows_written
from tests.support.database_servers import KINDS

# sqlite_sequence is where SQLite keeps the last run_id.
_TABLES_OF_A_RUN = {"sync_runs", "sync_run_modes", "sync_state", "calendar_days", "watch_days", "sqlite_sequence"}


def measure(bench: Bench) -> None:
    for size in bench.sizes:
        bench.serve("first", next(snapshots(size)))
        for databases in bench.databases:
            with bench.synced(databases, "first") as url:
                rows = rows_written(url, partial(bench.sync, url, "first"))
            bench.results.facts[f"writes {databases.kind} {size}"] = rows
            say(f"  writes {databases.kind} {size}: {rows}")


def rows(results: Results) -> Iterator[Row]:
    counts = {kind: [results.facts.get(f"writes {kind} {size}") for size in SIZES] for kind in KINDS}
    cells = {kind: _cell([rows for rows in some if rows]) for kind, some in counts.items() if any(some)}
    yield Row("unchanged sync: rows written, the same for 100 to 10,000 models", "rows of the run only", cells)


def _cell(counts: list[dict[str, int]]) -> str:
    """Missed when a size differs from another, or a table is not one of a run."""
    is_met = all(rows == counts[0] for rows in counts) and {*counts[0]} <= _TABLES_OF_A_RUN
    tables = ", ".join(f"{table} {count}" for table, count in counts[-1].items())
    return f"{sum(counts[-1].values())} ({tables}){'' if is_met else ' **missed**'}"
