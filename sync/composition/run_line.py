"""The result of a run as one line for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.show.text import change_lines, mode_summary
from sync.show.values import format_count

if TYPE_CHECKING:
    from sync.catalog.checkpoint import Checkpoint
    from sync.run import RunResult


def run_text(result: RunResult, *, dry_run: bool = False, shows_seal: bool = True) -> str:
    """One line for a run. For a dry run, a line for each change that it would make comes before."""
    line = run_line(result, dry_run=dry_run, shows_seal=shows_seal)
    # A dry run has no run_id, and its changes are nowhere else to be read.
    if not dry_run:
        return line
    return "\n".join([*(line for mode in result.modes if mode.plan for line in change_lines(mode.plan)), line])


def run_line(result: RunResult, *, dry_run: bool = False, shows_seal: bool = True) -> str:
    """The line alone. Secrets are not masked yet."""
    parts = [mode_summary(mode.plan) if mode.plan else f"{mode.row.mode} {mode.row.status}" for mode in result.modes]
    if result.checkpoint and shows_seal:
        parts.append(_seal_text(result.checkpoint))
    parts += [f"note: {note}" for note in result.notes]
    what = "dry run, nothing written" if dry_run else f"run {result.run_id} {result.status}"
    return f"{what}: {'; '.join(parts)}"


def _seal_text(checkpoint: Checkpoint) -> str:
    return f"{format_count(checkpoint.tree_size, 'seal')}, root {checkpoint.root_text}"
