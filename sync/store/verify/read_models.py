"""Reads everything that is stored, model by model, and has it proved. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Table, func, select

from models_db.tables import (
    calendar_days,
    catalog_changes,
    credit_history,
    model_versions,
    models,
    sync_run_modes,
    sync_state,
)
from models_db.tables.metadata import metadata
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.model.entities import TABLES
from sync.catalog.modes import MODES
from sync.catalog.verify.findings import Finding, RowScope, Values, format_value, time_of
from sync.catalog.verify.model import StoredModel, is_outdated, model_findings, stamps
from sync.catalog.verify.runs import ModeBounds, RunInMode, calendar_findings, state_findings
from sync.store.verify.raw_rows import every_column, read_rows
from sync.store.verify.read_runs import RunCache

# Models read at once: so many that their history has about so many rows, as far as the last ones tell.
_FIRST, _MOST = 10, 100
_ROWS = 20_000
_CURRENT = tuple(metadata.tables[shape.table] for shape in TABLES)
_HISTORY = {model_versions: "valid_from", credit_history: "valid_from", catalog_changes: "change_id"}
_RUN_COLUMNS = ("opened_run_id", "closed_run_id", "run_id")


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
    _facts: dict[str, ModeBounds] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._runs = RunCache(self.connection)

    def faults(self) -> Iterator[Finding]:
        """Every row that breaks a rule, in the order in which they are found. May be asked once."""
        for batch in _batches(self.connection):
            yield from self._batch_findings(batch)
        for table in (*_HISTORY, *_CURRENT):
            yield from _orphans(self.connection, table)
        yield from self._run_findings()

    def _batch_findings(self, batch: Sequence[StoredModel]) -> Iterator[Finding]:
        runs = self._runs.of({run for stored in batch for run in _run_ids(stored)})
        for stored in batch:
            mode = str(stored.model["mode"])
            self._count(stored, mode)
            yield from model_findings(stored, runs.get(mode, {}))

    def _count(self, stored: StoredModel, mode: str) -> None:
        self.models += 1
        self.versions += len(stored.versions)
        self.costs += len(stored.costs)
        self.changes += len(stored.changes)
        self.outdated += is_outdated(stored)
        facts, times = self._facts.get(mode, ModeBounds()), list(stamps(stored))
        first, last = (facts.first_stamp, *times), (facts.last_stamp, *times)
        self._facts[mode] = replace(
            facts, first_stamp=min(filter(None, first), default=None), last_stamp=max(filter(None, last), default=None)
        )

    def _run_findings(self) -> Iterator[Finding]:
        states = list(read_rows(self.connection, sync_state, every_column(sync_state)))
        looks = self._runs.of({run for row in states if isinstance(run := row["run_id"], int)})
        facts = {mode: self._facts_of(mode, states, looks[mode]) for mode in MODES}
        yield from state_findings(states, facts)
        days = every_column(calendar_days).order_by(calendar_days.c.day)
        stamped = [row["observed_at"] for row in states]
        yield from calendar_findings(list(read_rows(self.connection, calendar_days, days)), facts.values(), stamped)

    def _facts_of(self, mode: str, states: Sequence[Values], looks: Mapping[int, RunInMode]) -> ModeBounds:
        named = next((row["run_id"] for row in states if row["mode"] == mode), None)
        run = looks.get(named) if isinstance(named, int) else None
        applied = (sync_run_modes.c.mode == mode) & sync_run_modes.c.status.in_(APPLIED_STATUSES)
        number = self.connection.execute(select(func.count()).select_from(sync_run_modes).where(applied)).scalar()
        return replace(self._facts.get(mode, ModeBounds()), applied_runs=number or 0, run=run)


def _batches(connection: Connection) -> Iterator[list[StoredModel]]:
    """All models with all that is stored of them, some at a time, so that memory does not grow."""
    last, number = None, _FIRST
    while True:
        query = every_column(models).order_by(models.c.model_pk).limit(number)
        found = list(read_rows(connection, models, query if last is None else query.where(models.c.model_pk > last)))
        if not found:
            return
        batch = list(_with_rows(connection, found))
        yield batch
        last = found[-1]["model_pk"]
        rows = sum(len(stored.versions) + len(stored.costs) + len(stored.changes) for stored in batch)
        number = max(1, min(_MOST, len(found) * _ROWS // max(rows, 1)))


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


def _orphans(connection: Connection, table: Table) -> Iterator[Finding]:
    """Rows of no model: where foreign keys are not enforced, as by other programs on SQLite."""
    owner = select(models.c.model_pk).where(models.c.model_pk == table.c.model_pk).exists()
    for row in read_rows(connection, table, every_column(table).where(~owner)):
        wrong = f"model_pk is {format_value(row['model_pk'])}, and there is no such model"
        yield RowScope(table.name).fault(wrong, time_of(row))


def _run_ids(stored: StoredModel) -> Iterator[int]:
    for row in (*stored.versions, *stored.costs, *stored.changes):
        for name in _RUN_COLUMNS:
            run_id = row.get(name)
            if isinstance(run_id, int):
                yield run_id
