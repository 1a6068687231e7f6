"""Reads everything that is stored, model by model, and has it proved. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from models_db.base import metadata
from models_db.tables import (
    calendar_days,
    catalog_changes,
    credit_history,
    model_versions,
    models,
    sync_run_modes,
    sync_runs,
    sync_state,
)
from sync.catalog.entities import TABLES
from sync.catalog.faults import Fault, Place, Values, shown, time_of
from sync.catalog.modes import MODES
from sync.catalog.prove import StoredModel, is_outdated, model_faults, stamps
from sync.catalog.prove_runs import ModeFacts, RunLook, calendar_faults, state_faults
from sync.store.as_stored import every_column, raw, read_rows, time
from sync.store.read import chunks

# Models read at once. One result at a time: MariaDB can stream only one on a connection.
_AT_ONCE = 100
_CURRENT = tuple(metadata.tables[shape.table] for shape in TABLES)
_HISTORY = {model_versions: "valid_from", credit_history: "valid_from", catalog_changes: "change_id"}
_RUN_COLUMNS = ("opened_run_id", "closed_run_id", "run_id")
_APPLIED = ("success", "partial", "held")


@dataclass
class Audit:
    """The proof of one database; the counts say what was looked at so far."""

    connection: Connection
    """Sees one moment of the database."""
    models: int = 0
    versions: int = 0
    costs: int = 0
    changes: int = 0
    outdated: int = 0
    """Listed models whose current rows another version of the program made; what they should be was not compared."""
    _facts: dict[str, ModeFacts] = field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        """Every row that breaks a rule, in the order in which they are found. May be asked once."""
        for batch in _batches(self.connection):
            yield from self._batch_faults(batch)
        for table in (*_HISTORY, *_CURRENT):
            yield from _orphans(self.connection, table)
        yield from self._run_faults()

    def _batch_faults(self, batch: Sequence[StoredModel]) -> Iterator[Fault]:
        runs = _looks(self.connection, {run for stored in batch for run in _run_ids(stored)})
        for stored in batch:
            mode = str(stored.model["mode"])
            self._count(stored, mode)
            yield from model_faults(stored, runs[mode])

    def _count(self, stored: StoredModel, mode: str) -> None:
        self.models += 1
        self.versions += len(stored.versions)
        self.costs += len(stored.costs)
        self.changes += len(stored.changes)
        self.outdated += is_outdated(stored)
        facts, times = self._facts.get(mode, ModeFacts()), list(stamps(stored))
        first, last = (facts.first_stamp, *times), (facts.last_stamp, *times)
        self._facts[mode] = replace(
            facts, first_stamp=min(filter(None, first), default=None), last_stamp=max(filter(None, last), default=None)
        )

    def _run_faults(self) -> Iterator[Fault]:
        states = list(read_rows(self.connection, sync_state, every_column(sync_state)))
        looks = _looks(self.connection, {run for row in states if isinstance(run := row["run_id"], int)})
        facts = {mode: self._facts_of(mode, states, looks[mode]) for mode in MODES}
        yield from state_faults(states, facts)
        days = every_column(calendar_days).order_by(calendar_days.c.day)
        stamped = [row["observed_at"] for row in states]
        yield from calendar_faults(list(read_rows(self.connection, calendar_days, days)), facts.values(), stamped)

    def _facts_of(self, mode: str, states: Sequence[Values], looks: Mapping[int, RunLook]) -> ModeFacts:
        named = next((row["run_id"] for row in states if row["mode"] == mode), None)
        run = looks.get(named) if isinstance(named, int) else None
        applied = (sync_run_modes.c.mode == mode) & sync_run_modes.c.status.in_(_APPLIED)
        number = self.connection.execute(select(func.count()).select_from(sync_run_modes).where(applied)).scalar()
        return replace(self._facts.get(mode, ModeFacts()), applied_runs=number or 0, run=run)


def _batches(connection: Connection) -> Iterator[list[StoredModel]]:
    """All models with all that is stored of them, some at a time, so that memory does not grow."""
    last = None
    while True:
        query = every_column(models).order_by(models.c.model_pk).limit(_AT_ONCE)
        found = list(read_rows(connection, models, query if last is None else query.where(models.c.model_pk > last)))
        if not found:
            return
        yield list(_with_rows(connection, found))
        last = found[-1]["model_pk"]


def _with_rows(connection: Connection, found: Sequence[Values]) -> Iterator[StoredModel]:
    span = (found[0]["model_pk"], found[-1]["model_pk"])
    rows = {table: _by_model(connection, table, span) for table in (*_HISTORY, *_CURRENT)}
    for model in found:
        pk = model["model_pk"]
        yield StoredModel(
            model=model,
            versions=rows[model_versions].get(pk, ()),
            costs=rows[credit_history].get(pk, ()),
            changes=rows[catalog_changes].get(pk, ()),
            current={table.name: rows[table].get(pk, ()) for table in _CURRENT},
        )


def _by_model(connection: Connection, table: Table, span: tuple[object, object]) -> dict[object, list[Values]]:
    query = every_column(table).where(table.c.model_pk.between(*span)).order_by(table.c.model_pk)
    if table in _HISTORY:
        query = query.order_by(table.c[_HISTORY[table]])
    grouped: dict[object, list[Values]] = defaultdict(list)
    for row in read_rows(connection, table, query):
        grouped[row["model_pk"]].append(row)
    return grouped


def _orphans(connection: Connection, table: Table) -> Iterator[Fault]:
    """Rows of no model: where foreign keys are not enforced, as by other programs on SQLite."""
    owner = select(models.c.model_pk).where(models.c.model_pk == table.c.model_pk).exists()
    for row in read_rows(connection, table, every_column(table).where(~owner)):
        wrong = f"model_pk is {shown(row['model_pk'])}, and there is no such model"
        yield Place(table.name).fault(wrong, time_of(row))


def _run_ids(stored: StoredModel) -> Iterator[int]:
    for row in (*stored.versions, *stored.costs, *stored.changes):
        for name in _RUN_COLUMNS:
            run_id = row.get(name)
            if isinstance(run_id, int):
                yield run_id


def _looks(connection: Connection, run_ids: set[int]) -> dict[str, dict[int, RunLook]]:
    """What each of the runs was to each mode; a run that is not on record is missing."""
    asked = _previous_asked(connection, run_ids)
    looks: dict[str, dict[int, RunLook]] = defaultdict(dict)
    columns = [sync_runs.c.run_id, sync_runs.c.status.label("run_status"), raw(sync_runs, "observed_at")]
    columns += [raw(sync_run_modes, name) for name in ("status", "asked_at", "previous_success_at", "mode")]
    for chunk in chunks(sorted(run_ids)):
        query = select(*columns).select_from(sync_runs.outerjoin(sync_run_modes)).where(sync_runs.c.run_id.in_(chunk))
        for row in connection.execute(query):
            if row.mode is not None:
                looks[row.mode][row.run_id] = RunLook(
                    status=row.status,
                    run_status=row.run_status,
                    observed_at=time(row.observed_at),
                    asked_at=time(row.asked_at),
                    previous_success_at=time(row.previous_success_at),
                    previous_asked=frozenset(asked[row.run_id, row.mode]),
                )
            for mode in MODES:
                looks[mode].setdefault(row.run_id, RunLook(None, row.run_status))
    return looks


def _previous_asked(connection: Connection, run_ids: set[int]) -> dict[tuple[int, str], set[datetime]]:
    """When the success that a run names as the one before it began asking, as far as it is on record.

    A later run may have observed at that moment too, by a clock that was set back; its number is higher.
    """
    earlier, success = sync_runs.alias(), sync_run_modes.alias()
    query = (
        select(sync_run_modes.c.run_id, sync_run_modes.c.mode, raw(success, "asked_at"))
        .join(earlier, earlier.c.observed_at == sync_run_modes.c.previous_success_at)
        .join(success, (success.c.run_id == earlier.c.run_id) & (success.c.mode == sync_run_modes.c.mode))
        .where(success.c.status == "success", success.c.run_id < sync_run_modes.c.run_id)
    )
    found: dict[tuple[int, str], set[datetime]] = defaultdict(set)
    for chunk in chunks(sorted(run_ids)):
        for run_id, mode, asked_at in connection.execute(query.where(sync_run_modes.c.run_id.in_(chunk))):
            began = time(asked_at)
            if isinstance(began, datetime):
                found[run_id, mode].add(began)
    return found
