"""What a run or an import came to, for people and for programs. The JSON forms are documented and stable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sync.errors import CatalogSyncError, Outcome, worst
from sync.show.formats import to_json
from sync.show.text import change_lines, change_objects, mode_summary
from sync.show.values import format_count

if TYPE_CHECKING:
    from sync.run import RunResult


def run_text(result: RunResult, *, dry_run: bool = False) -> str:
    """One line on a run; of a dry run, every change that it would make as well."""
    told = [mode_summary(mode.plan) if mode.plan else f"{mode.row.mode} {mode.row.status}" for mode in result.modes]
    told += [f"note: {note}" for note in result.notes]
    if not dry_run:
        return f"run {result.run_id} {result.status}: {'; '.join(told)}"
    changes = [line for mode in result.modes if mode.plan for line in change_lines(mode.plan)]
    return "\n".join([*changes, f"dry run, nothing written: {'; '.join(told)}"])


def run_json(result: RunResult, mask: Callable[[str], str], *, dry_run: bool) -> str:
    document = {
        "run_id": result.run_id,
        "dry_run": dry_run,
        "status": result.status,
        "exit_code": int(result.exit_code),
        "observed_at": result.observed_at,
        "modes": [
            {**mode.row.columns(), "changes": change_objects(mode.plan) if mode.plan else []} for mode in result.modes
        ],
        "notes": list(result.notes),
        "errors": [{"exit_code": int(error.outcome), "message": mask(str(error))} for error in result.errors],
    }
    return to_json(document)


@dataclass
class ImportTotals:
    """What an import came to so far."""

    imported: int = 0
    skipped: int = 0
    changes: int = 0
    problem: str | None = None
    """What stopped it, or what is wrong with lines that were stored all the same."""
    codes: list[Outcome] = field(default_factory=list)

    def add(self, result: RunResult | None) -> None:
        """Counts one line; None is one that was recorded before."""
        if result is None:
            self.skipped += 1
            return
        self.imported += 1
        self.changes += sum(mode.plan.changes.event_count for mode in result.modes if mode.plan)
        for error in result.errors:
            self.codes.append(error.outcome)
            self.problem = f"{'; '.join(result.notes)}: {error}"

    def stopped_by(self, error: CatalogSyncError) -> None:
        self.codes = [error.outcome]
        self.problem = str(error)

    @property
    def exit_code(self) -> Outcome:
        return worst(self.codes)


def import_text(totals: ImportTotals) -> str:
    if totals.skipped and not totals.imported:
        return f"nothing to import: all {format_count(totals.skipped, 'line')} are recorded already"
    skipped = f", {totals.skipped} recorded already" if totals.skipped else ""
    return f"imported {format_count(totals.imported, 'line')} with {format_count(totals.changes, 'change')}{skipped}"


def import_json(totals: ImportTotals, mask: Callable[[str], str]) -> str:
    return to_json(
        {
            "imported": totals.imported,
            "skipped": totals.skipped,
            "changes": totals.changes,
            "exit_code": int(totals.exit_code),
            "problem": mask(totals.problem) if totals.problem else None,
        }
    )
