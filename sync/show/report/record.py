"""The record behind a report: the runs of its period, what they requested, and the checkpoint of the seals."""

from __future__ import annotations

from collections.abc import Iterator

from sync.catalog.history.report_data import PeriodRecord
from sync.show.report.texts import printable
from sync.show.values import format_count


def record_facts(record: PeriodRecord) -> Iterator[tuple[str, str]]:
    """Pairs of a heading and its text."""
    yield "Runs of the period", _runs(record)
    yield "Base URL", printable(", ".join(record.base_urls)) or "none"
    yield "Key fingerprint", printable(", ".join(record.keys)) or "not recorded"
    yield "Catalog", printable(record.catalog_id) or "without an id"
    tree = record.tree
    yield "Checkpoint", printable(f"{format_count(tree.tree_size, 'seal')}, root {tree.root}") if tree.root else "none"


def _runs(record: PeriodRecord) -> str:
    total = sum(record.run_counts.values())
    if not total:
        return "none"
    counts = ", ".join(f"{number:,} {status}" for status, number in record.run_counts.items())
    imported = f", {record.imported:,} of them imported without a URL and a key" if record.imported else ""
    numbers = f"runs {record.first_run_id} to {record.last_run_id}" if total > 1 else f"run {record.first_run_id}"
    return f"{total:,} on record ({counts}), {numbers}{imported}"
