"""The runs on record, compared with the history that they wrote, with each other, and with the state they left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from sync.catalog.base_urls import is_same_source
from sync.catalog.modes import MODES
from sync.catalog.verify.accepted import accepted_problems, parse_accepted
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_value, unreadable_findings
from sync.catalog.verify.mode_rows import ModeRow, held_ids_of, mode_problems
from sync.catalog.verify.rejected_counts import RejectedCounts
from sync.catalog.verify.run_counts import HistoryCounts
from sync.catalog.verify.run_order import Place, RunOrder
from sync.catalog.verify.run_rows import RunRow, run_problems
from sync.catalog.verify.run_sequence import RunSequence

_RUNS = RowScope("sync_runs")
_RULES_SINCE_LISTED = 2
"""The rules of the first version that counted ``models_listed``."""
_Row = TypeVar("_Row", RunRow, ModeRow)


class Ledger:
    """Runs are passed in the order of ``run_id``, after all models were counted."""

    def __init__(self, counts: HistoryCounts, rejected: Mapping[str, RejectedCounts]) -> None:
        self._counts, self._rejected = counts, rejected
        self._order = RunOrder()
        self._sequences = {mode: RunSequence(mode) for mode in MODES}

    def run_findings(self, stored: StoredRow, stored_modes: Sequence[StoredRow]) -> Iterator[Finding]:
        """What is wrong with a run and its modes, which are in the order of their names."""
        unreadable = list(unreadable_findings(_RUNS, [stored]))
        for row in stored_modes:
            unreadable += unreadable_findings(_scope(row["mode"]), [row])
        run = None if unreadable else _row_of(stored, RunRow)
        modes = [] if unreadable else [_row_of(row, ModeRow) for row in stored_modes]
        if run is None or None in modes:
            yield from unreadable or [_RUNS.finding(f"run {format_value(stored['run_id'])} has NULL in a column")]
            return
        yield from self._readable_findings(run, [mode for mode in modes if mode is not None])

    def _readable_findings(self, run: RunRow, modes: Sequence[ModeRow]) -> Iterator[Finding]:
        place = self._order.place(run)
        accepted = parse_accepted(run.accepted)
        problems = list(run_problems(run, modes))
        if run.event_rules < _RULES_SINCE_LISTED and not place.lacks_runs and _has_listed(modes):
            problems.append(f"event_rules is {run.event_rules}, but a version with later rules counted models_listed")
        if {mode.is_of_older_version for mode in modes if mode.is_applied} == {False, True} and not place.lacks_runs:
            problems.append("models_listed is NULL for one of its modes alone")
        if accepted is None:
            problems.append(f"accepted is {format_value(run.accepted)}, which no run writes")
        elif run.accepted is not None and not place.lacks_runs:
            counts = {mode.mode: self._counts.of(mode.mode, run.run_id) for mode in modes}
            problems += accepted_problems(accepted, run, modes, counts)
        for problem in problems:
            yield _RUNS.finding(f"run {run.run_id}: {problem}", run.started_at)
        for row in modes:
            counts_of_mode = self._counts.of(row.mode, run.run_id)
            of_mode = [*mode_problems(row, counts_of_mode)]
            if row.mode in self._sequences:
                of_mode += self._sequences[row.mode].problems(run, row, place, counts_of_mode, accepted)
                of_mode += self._other_problems(row, place)
            for problem in of_mode:
                yield _scope(row.mode).finding(f"run {run.run_id}: {problem}", row.stamp)

    def _other_problems(self, row: ModeRow, place: Place) -> Iterator[str]:
        """Where a row contradicts the rejected models, or when models were listed."""
        stamp = row.stamp
        if not row.is_applied or stamp is None or row.is_of_older_version or place.lacks_runs:
            return
        if row.mode in self._rejected and not row.holds_mode:
            yield from self._rejected[row.mode].problems(row, stamp)
        if row.hold_reason is not None and row.held_ids is None:
            yield f"held_ids is NULL, but hold_reason is {row.hold_reason}"
        for model_id in held_ids_of(row.held_ids) or ():
            if not self._counts.was_listed(row.mode, model_id, stamp):
                yield f"held_ids has {format_value(model_id)}, which was not listed"

    def state_findings(self, states: Sequence[StoredRow], watched: Mapping[str, int]) -> Iterator[Finding]:
        """What is wrong with ``sync_state`` after the last run; ``watched`` are the successful syncs in watch_days."""
        missing = self._order.missing
        for row in states:
            sequence = self._sequences.get(str(row["mode"]))
            if sequence is not None:
                for table, problem in _state_problems(row, sequence, missing):
                    yield RowScope(table, sequence.mode).finding(problem)
                yield from self._watch_findings(row, sequence, watched.get(sequence.mode, 0))
        if missing == 0:
            for mode, sequence in self._sequences.items():
                for run_id, problem in sequence.unapplied.unexplained():
                    yield _scope(mode).finding(f"run {run_id}: {problem}")

    def _watch_findings(self, row: StoredRow, sequence: RunSequence, watched: int) -> Iterator[Finding]:
        # The days of an imported history count runs that were pruned where it came from.
        version, more = row["version"], watched - sequence.good
        if isinstance(version, int) and not self._order.has_imported_runs and more > version - sequence.applied:
            problem = f"the days have {watched} successful syncs, but {sequence.good} are on record"
            yield RowScope("watch_days", sequence.mode).finding(problem)


def _state_problems(row: StoredRow, sequence: RunSequence, missing: int) -> Iterator[tuple[str, str]]:
    version, base_url = row["version"], row["base_url"]
    # Each applied run raised the version by one, those that were pruned included.
    if isinstance(version, int) and version > sequence.applied + missing:
        problem = f"{sequence.applied} applied runs are on record, and {missing} run numbers are missing"
        yield "sync_state", f"version is {version}, but {problem}"
    last = sequence.base_url
    if last is not None and not (isinstance(base_url, str) and is_same_source(base_url, last)):
        yield "sync_state", f"base_url is {format_value(base_url)}, but the last applied sync used {format_value(last)}"


def _has_listed(modes: Sequence[ModeRow]) -> bool:
    return any(mode.is_applied and mode.models_listed is not None for mode in modes)


def _scope(mode: object) -> RowScope:
    return RowScope("sync_run_modes", mode if isinstance(mode, str) else None)


def _row_of(stored: StoredRow, kind: type[_Row]) -> _Row | None:
    """The row as a struct; None where a column that is never NULL is."""
    try:
        return msgspec.convert(stored, kind)
    except msgspec.ValidationError:
        return None
