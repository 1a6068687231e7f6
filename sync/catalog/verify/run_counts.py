"""What the history of models says about each run: the number of models that it added, changed and removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sync.catalog.verify.findings import StoredRow


@dataclass(slots=True)
class RunCounts:
    """The numbers of models of one mode that a run changed, as the change log has them."""

    added: int = 0
    """Added or relisted."""
    changed: int = 0
    removed: int = 0
    costs_moved: int = 0
    """Changed models whose cost was raised, lowered or unset."""
    costs_unset: int = 0


NOTHING = RunCounts()


@dataclass(slots=True)
class HistoryCounts:
    """The counts of every run with history, and when the models that runs held back were listed."""

    held: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By mode, the ids in ``held_ids`` of all runs."""
    _runs: dict[str, dict[int, RunCounts]] = field(default_factory=lambda: defaultdict(dict))
    _listed: dict[tuple[str, str], list[tuple[object, object]]] = field(default_factory=dict)

    def add(self, model: StoredRow, versions: Iterable[StoredRow], changes: Iterable[StoredRow]) -> None:
        """Counts one model; values that cannot be read are left out."""
        mode, model_id = model["mode"], model["model_id"]
        if not isinstance(mode, str):
            return
        runs, changed_by = self._runs[mode], set()
        for row in changes:
            run_id, kind = row["run_id"], row["change_kind"]
            if isinstance(run_id, int):
                counts = runs.get(run_id) or runs.setdefault(run_id, RunCounts())
                if not _count_lifecycle(counts, kind):
                    changed_by.add(run_id)
                    _count_cost(counts, kind)
        for run_id in changed_by:
            runs[run_id].changed += 1
        if isinstance(model_id, str) and model_id in self.held.get(mode, ()):
            self._listed[mode, model_id] = [(row["valid_from"], row["valid_to"]) for row in versions]

    def of(self, mode: str, run_id: int) -> RunCounts:
        return self._runs[mode].get(run_id, NOTHING)

    def was_listed(self, mode: str, model_id: str, at: datetime) -> bool:
        """Whether a model of ``held`` was listed at a moment."""
        return any(
            isinstance(start, datetime) and start <= at and not (isinstance(end, datetime) and end <= at)
            for start, end in self._listed.get((mode, model_id), ())
        )


def _count_lifecycle(counts: RunCounts, kind: object) -> bool:
    """Counts an event of the model as a whole; False for an event of one of its fields."""
    if kind in {"added", "relisted"}:
        counts.added += 1
    elif kind == "removed":
        counts.removed += 1
    else:
        return False
    return True


def _count_cost(counts: RunCounts, kind: object) -> None:
    # A model has one event of its cost in a run.
    counts.costs_moved += kind in {"increase", "decrease", "cost_unset"}
    counts.costs_unset += kind == "cost_unset"
