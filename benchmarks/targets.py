"""What is to be reached, and what was."""

from __future__ import annotations

from benchmarks import targets_of_history, targets_of_syncs
from benchmarks.result_table import Target
from benchmarks.results import Results

_SECTIONS = (
    targets_of_syncs.unchanged,
    targets_of_syncs.written,
    targets_of_syncs.changed,
    targets_of_syncs.first,
    targets_of_syncs.memory,
    targets_of_history.growth,
    targets_of_history.imports,
    targets_of_history.startup,
)


def all_targets(results: Results) -> list[Target]:
    """Every target of which anything was measured, in the order in which they are told."""
    return [row for section in _SECTIONS for row in section(results) if row.cells]
