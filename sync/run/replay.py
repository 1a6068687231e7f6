"""Imports an exported history: each line is a run, stored as it was decided then. Nothing is judged again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from msgspec import Struct

from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.export.lines import (
    Columns,
    End,
    ExportedMode,
    ExportedRun,
    Header,
    IgnoredField,
    WatchedDay,
    text_or_none,
    with_columns,
)
from sync.catalog.export.replay import Replay, make_replay_plan, needed_ids, optional_time
from sync.catalog.modes import MODES
from sync.catalog.text import one_line
from sync.catalog.watch import Success, WatchDay
from sync.errors import CatalogSyncError, ResponseRejected, UsageError
from sync.run.import_ import ImportDependencies
from sync.source.files.exported import NumberedLine
from sync.store import read, replay, runs, write
from sync.store.database import Connection, Engine, in_transaction
from sync.store.ignored import read_ignored_fields
from sync.store.sealed_rows import listed_root_after
from sync.store.seals import write_seal
from sync.store.watch_days import record_success


class ReplayedRun(Struct, frozen=True):
    """A run that was stored, with the number of its changes."""

    changes: int


def import_export(
    engine: Engine, lines: Iterable[NumberedLine], deps: ImportDependencies
) -> Generator[ReplayedRun | None]:
    """Stores the runs of an export one by one and yields the result of each; None for one that is on record.

    ``lines`` are those of one file, which is whole. Raises the error of the first run that cannot be stored, with
    file and line in its text. The runs before it stay stored, so a second import continues there. A database with
    a history that the file does not continue gets nothing: it is a ``UsageError``.
    """
    importer = _Importer(engine, deps)
    for line in lines:
        try:
            yield from importer.store(line)
        except CatalogSyncError as error:
            error.args = (f"{one_line(f'{line.file} line {line.number}')}: {error}",)
            raise


@dataclass
class _Importer:
    """The import of one file."""

    engine: Engine
    deps: ImportDependencies
    source: replay.Source = field(default_factory=lambda: replay.Source(""))
    settled: replay.SettledRuns = field(default_factory=replay.SettledRuns)
    """The runs that were recorded when the import began."""
    ignored: list[Columns] = field(default_factory=list)
    """The ignored fields of the file that are to be stored with its first new run."""
    last_here: set[int] = field(default_factory=set)
    """The runs that were applied last to their modes when the import began."""
    watched: list[WatchDay] = field(default_factory=list)
    """The watched days of the file, which runs that were pruned are part of."""
    native: set[int] = field(default_factory=set)
    """Those of them that ran here and are in the file: it was exported from this catalog, which then was restored."""

    def store(self, line: NumberedLine) -> Iterator[ReplayedRun | None]:
        value = line.line
        if isinstance(value, ExportedRun):
            yield self._store_run(value)
        elif isinstance(value, Header):
            self._transaction(lambda connection: self._begin(connection, value))
        elif isinstance(value, IgnoredField):
            self.ignored.append(value.row)
        elif isinstance(value, WatchedDay):
            self.watched.append(value.watch_day())
        elif isinstance(value, End):
            self._transaction(lambda connection: self._finish(connection, value))

    def _transaction(self, work: Callable[[Connection], None]) -> None:
        in_transaction(self.engine, lambda connection, _: work(connection), pause=self.deps.pause)

    def _begin(self, connection: Connection, header: Header) -> None:
        self.source = replay.source(connection, header.catalog_id)
        self.settled = replay.settled_runs(connection, self.source)
        self.last_here = replay.last_applied_runs(connection)

    def _finish(self, connection: Connection, end: End) -> None:
        states = read.lock_mode_states(connection, MODES)
        continued = replay.modes_continued(connection, self.source, self.native)
        if not _other_histories(states, continued):
            _store_ignored(connection, states, self.ignored)
        first_day = None if end.first_day is None else date.fromisoformat(end.first_day)
        replay.finish(connection, continued, end.states, first_day, self.watched)

    def _store_run(self, run: ExportedRun) -> ReplayedRun | None:
        # Before the lock, which would take minutes for all runs of a long history.
        if self.settled.includes(run.run_id, str(run.run["started_at"])):
            return None
        results: list[ReplayedRun] = []

        def work(connection: Connection, attempt: int) -> ReplayedRun | None:
            # Locked before the check: another import of the same file may be storing this run right now.
            states = read.lock_mode_states(connection, MODES)
            known = replay.recorded_run(connection, self.source, run.run_id, str(run.run["started_at"]))
            if attempt > 1 and results and known is not None and known.status == run.status:
                return results[-1]  # the COMMIT of the last attempt was carried out
            if self._is_recorded(connection, run, known):
                return None
            self._require_continued(connection, run, states, is_new=known is None)
            _store_ignored(connection, states, self.ignored)
            replays = {mode.mode: _replay(mode, run, states[mode.mode]) for mode in run.applied()}
            run_id = replay.write_run(connection, self.source, run.run_id, run.run, known.run_id if known else None)
            results.append(_write(connection, run_id, run, states, replays))
            return results[-1]

        name = f"run {run.run_id} of the file"
        stored = in_transaction(self.engine, work, pause=self.deps.pause, name=lambda _: name)
        if stored is not None:
            self.ignored.clear()
        return stored

    def _is_recorded(self, connection: Connection, run: ExportedRun, known: replay.RecordedRun | None) -> bool:
        if known is None:
            return replay.was_recorded(connection, self.source, run.run_id)
        if known.is_native and known.run_id in self.last_here:
            self.native.add(known.run_id)
        return known.status not in runs.UNFINISHED_STATUSES or run.status in ("running", known.status)

    def _require_continued(
        self, connection: Connection, run: ExportedRun, states: Mapping[str, read.ModeState], *, is_new: bool
    ) -> None:
        """Raises ``UsageError`` if the database has a history that is not the one before this run."""
        others = _other_histories(states, replay.modes_continued(connection, self.source, self.native))
        if not is_new:  # runs that began later and are on record may follow in the file
            others &= {mode.mode for mode in run.applied()}
        if others:
            raise UsageError(
                f"the history of mode {min(others)} in this database is another one than that of catalog"
                f" {self.source.catalog_id}, or has gone on by itself; import the file into a new database"
            )


def _other_histories(states: Mapping[str, read.ModeState], continued: set[str]) -> set[str]:
    return {mode for mode, state in states.items() if state.version > 0} - continued


def _replay(mode: ExportedMode, run: ExportedRun, state: read.ModeState) -> Replay:
    stamp = optional_time(mode.stamp)
    assert stamp is not None  # noqa: S101  # the mode was applied
    _require_later(stamp, state, mode.mode)
    return Replay(
        mode=mode,
        stamp=stamp,
        not_before=optional_time(mode.not_before),
        previous_success=optional_time(text_or_none(mode.row.get("previous_success_at"))),
        event_rules=int(run.run.get("event_rules") or 1),
        listed_before=state.models_listed or 0,
    )


def _write(
    connection: Connection,
    run_id: int,
    run: ExportedRun,
    states: Mapping[str, read.ModeState],
    replays: Mapping[str, Replay],
) -> ReplayedRun:
    changes, plans = 0, []
    for mode in run.modes:
        one, row, before = replays.get(mode.mode), mode.row, states[mode.mode]
        listed_root = before.listed_root
        if one is not None:
            plan, listed_root = _apply(connection, run_id, run, one, before)
            plans.append(plan)
            changes += plan.changes.event_count
            row = one.mode.row | (_counts(plan) if one.mode.is_recounted else {})
            if "models_listed" in row:  # as a run after another one that was left out of an earlier file
                row |= {"models_listed": plan.models_listed}
        elif mode.is_recounted:
            row = with_columns(row, models_listed=before.models_listed)
        replay.write_mode(connection, run_id, row, listed_root)
    if plans:
        write_seal(connection, run_id, has_facts=any(plan.changes for plan in plans))
    return ReplayedRun(changes)


def _apply(
    connection: Connection, run_id: int, run: ExportedRun, one: Replay, before: read.ModeState
) -> tuple[ModePlan, str]:
    """The plan that was written, and the root over the models that are listed after it."""
    mode = one.mode
    stored = read.stored_models(connection, mode.mode, needed_ids(one))
    plan = make_replay_plan(one, stored, read_ignored_fields(connection))
    write.apply_plan(connection, run_id, plan)
    replay.write_not_before(connection, run_id, plan, mode.not_before_of)
    replay.write_rejected(connection, run_id, plan, mode.rejected, mode.no_longer_rejected)
    listed_root = listed_root_after(connection, plan, before.listed_root)
    values = {**_state(run, mode, plan, before.last.good_asked_at), "listed_root": listed_root}
    runs.advance_state_with(connection, run_id, plan, values)
    runs.fill_calendar(connection, plan.stamp)
    if mode.is_good:
        record_success(connection, mode.mode, Success(plan.stamp, one.previous_success))
    return plan, listed_root


def _state(run: ExportedRun, mode: ExportedMode, plan: ModePlan, good_asked_at: datetime | None) -> dict[str, object]:
    """What the run left in ``sync_state`` beside what every run moves there."""
    values: dict[str, object] = {}
    if mode.is_good:
        values |= {"good_asked_at": mode.good_start(good_asked_at), "good_observed_at": plan.stamp}
    if (base_url := run.run.get("base_url")) is not None and not mode.is_held_as_a_whole:
        values["base_url"] = base_url
    return values


def _counts(plan: ModePlan) -> Columns:
    return {
        "models_added": plan.count("added", "relisted"),
        "models_changed": plan.count("changed"),
        "models_removed": plan.count("removed"),
        "models_listed": plan.models_listed,
    }


def _require_later(stamp: datetime, state: read.ModeState, mode: str) -> None:
    last = state.last.stamp
    if last is not None and stamp <= last:
        raise ResponseRejected(
            f"the time {stamp.isoformat()} of the run is not later than {last.isoformat()}, the last one stored"
            f" for mode {mode}, and stored history cannot be changed; import the file into a new database"
        )


def _store_ignored(connection: Connection, states: Mapping[str, read.ModeState], rows: Iterable[Columns]) -> None:
    stamps = [state.last.stamp for state in states.values() if state.last.stamp is not None]
    for row in rows:
        replay.write_ignored_field(connection, row, max(stamps, default=None))
