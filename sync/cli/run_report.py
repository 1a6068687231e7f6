"""The result of a run or an import as a line for people and as JSON. docs/commands.md documents the JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from sync.composition.run_line import run_text
from sync.errors import CatalogSyncError, Outcome, worst
from sync.show.formats import to_json
from sync.show.text import change_objects
from sync.show.values import format_count

if TYPE_CHECKING:
    from sync.catalog.checkpoint import Checkpoint
    from sync.run import RunResult

__all__ = ["ImportTotals", "exit_code", "import_json", "import_text", "problem_text", "run_json", "run_text"]


def ended_text(result: RunResult, mask: Callable[[str], str], not_kept: str | None = None) -> str:
    """The line of a run, and its error line after it if it has one, for a program that watches the runs."""
    errors = [result.message and mask(result.message), not_kept]
    return "\n".join(filter(None, [mask(run_text(result)), "; also: ".join(filter(None, errors))]))


def exit_code(result: RunResult, not_kept: str | None) -> Outcome:
    """That of the run, whether or not its checkpoint could be kept; ``not_kept`` is the error line about that."""
    return result.exit_code or (Outcome.UNEXPECTED if not_kept else Outcome.DONE)


def run_json(result: RunResult, mask: Callable[[str], str], *, dry_run: bool, not_kept: str | None = None) -> str:
    """``not_kept`` is the error line about a checkpoint that could not be kept."""
    errors = [{"exit_code": int(error.outcome), "message": mask(str(error))} for error in result.errors]
    errors += [{"exit_code": int(Outcome.UNEXPECTED), "message": not_kept}] if not_kept else []
    document = {
        "run_id": result.run_id,
        "dry_run": dry_run,
        "status": result.status,
        "exit_code": int(exit_code(result, not_kept)),
        "observed_at": result.observed_at,
        "modes": [
            {
                **mode.row.columns(),
                "held_ids": list(mode.plan.held_ids) if mode.plan else [],
                "changes": change_objects(mode.plan) if mode.plan else [],
            }
            for mode in result.modes
        ],
        "notes": list(result.notes),
        "accepted": json.loads(mask(result.accepted)) if result.accepted else None,
        "checkpoint": checkpoint_object(result.checkpoint),
        "errors": errors,
    }
    return to_json(document)


def skipped_json() -> str:
    """The document of a run that was not made, since another one has claimed the tick."""
    from sync.run.result import RunResult

    return run_json(RunResult(None, "skipped", None, (), ()), str, dry_run=False)


def checkpoint_object(checkpoint: Checkpoint | None) -> dict[str, object] | None:
    """A checkpoint as JSON documents have it."""
    if checkpoint is None:
        return None
    return {"catalog_id": checkpoint.catalog_id, "tree_size": checkpoint.tree_size, "root": checkpoint.root_text}


# The line on stderr is cut at 4,000 characters, and the number of the others at its end must stay.
_MAX_PROBLEM_CHARACTERS = 3000


@dataclass
class ImportTotals:
    """The result of an import so far."""

    imported: int = 0
    skipped: int = 0
    changes: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: str | None = None
    """The error that stopped the import."""
    partial: list[str] = field(default_factory=list)
    """The errors of lines that were stored in part, each with its line, in order."""

    def add(self, result: RunResult | None) -> None:
        """Counts one line; None is a line that an earlier import stored."""
        if result is None:
            self.skipped += 1
            return
        self.imported += 1
        self.changes += sum(mode.plan.changes.event_count for mode in result.modes if mode.plan)
        self.outcomes += [error.outcome for error in result.errors]
        if result.message:
            # The first note of an imported run names its file and line.
            self.partial.append(f"{result.notes[0]}: {result.message}")

    def add_replayed(self, changes: int | None) -> None:
        """Counts one run of an export; None is a run that is on record."""
        if changes is None:
            self.skipped += 1
        else:
            self.imported += 1
            self.changes += changes

    def stopped_by(self, error: CatalogSyncError) -> None:
        self.outcomes = [error.outcome]
        self.stopped = str(error)

    @property
    def problems(self) -> list[str]:
        """Every error, that which stopped the import first."""
        return [*filter(None, [self.stopped]), *self.partial]

    @property
    def exit_code(self) -> Outcome:
        return worst(self.outcomes)


def problem_text(totals: ImportTotals) -> str | None:
    """The errors of an import in one line; of very many the first ones and their number. None without any."""
    problems = totals.problems
    lengths = accumulate(len(problem) for problem in problems)
    shown = max(1, sum(length <= _MAX_PROBLEM_CHARACTERS for length in lengths))
    more = [f"{len(problems) - shown} more lines, which --json prints"] if shown < len(problems) else []
    return "; also: ".join([*problems[:shown], *more]) or None


def import_text(totals: ImportTotals) -> str:
    if totals.skipped and not totals.imported:
        return f"nothing to import: all {format_count(totals.skipped, 'line')} are recorded already"
    if not totals.imported:
        return "nothing to import: the file has no runs"
    skipped = f", {totals.skipped} recorded already" if totals.skipped else ""
    return f"imported {format_count(totals.imported, 'line')} with {format_count(totals.changes, 'change')}{skipped}"


def import_json(totals: ImportTotals, mask: Callable[[str], str]) -> str:
    return to_json(
        {
            "imported": totals.imported,
            "skipped": totals.skipped,
            "changes": totals.changes,
            "exit_code": int(totals.exit_code),
            "problem": mask(problem_text(totals) or "") or None,
            "problems": [mask(problem) for problem in totals.problems],
        }
    )
