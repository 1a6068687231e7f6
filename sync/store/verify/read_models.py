"""Verifies everything that is stored, model by model. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Table, func, select

from models_db.tables import (
    calendar_days,
    catalog_changes,
    catalog_identity,
    credit_history,
    ignored_fields,
    model_versions,
    models,
    sync_run_modes,
    sync_state,
)
from models_db.tables.metadata import metadata
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.model.entities import TABLES
from sync.catalog.modes import MODES
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_value, time_of
from sync.catalog.verify.ignored import ignored_findings, ignored_of_rows
from sync.catalog.verify.ledger import Ledger
from sync.catalog.verify.model import StoredModel, is_outdated, model_findings, stamps
from sync.catalog.verify.rejected_counts import RejectedCounts
from sync.catalog.verify.run_counts import HistoryCounts
from sync.catalog.verify.runs import RunInMode
from sync.catalog.verify.sealed_facts import SealedFacts
from sync.catalog.verify.state import ModeBounds, calendar_findings, identity_findings, state_findings
from sync.store.verify.raw_rows import every_column, read_rows
from sync.store.verify.read_ledger import held_ids, ledger_findings
from sync.store.verify.read_rejected import RejectedRows
from sync.store.verify.read_runs import RunCache
from sync.store.verify.read_seals import seal_findings
from sync.store.verify.read_watch import watch_day_findings

# Models in a batch: the first batch, and the most. Later batches are sized by the rows of the one
# before, so that a batch holds about _ROWS_PER_BATCH rows of history and memory stays bounded.
_FIRST_BATCH, _MAX_BATCH = 10, 100
_ROWS_PER_BATCH = 20_000
_CURRENT = tuple(metadata.tables[shape.table] for shape in TABLES)
_HISTORY = {model_versions: "valid_from", credit_history: "valid_from", catalog_changes: "change_id"}
_RUN_COLUMNS = ("opened_run_id", "closed_run_id", "run_id")


@dataclass
class Verification:
    """The verification of one database. The counts are those of what was verified so far."""

    connection: Connection
    """A read transaction: rows that changed between two queries would look inconsistent."""
    thorough: bool = False
    """Whether the roots over the listed models are recomputed for every run, and not for the last one alone."""
    models: int = 0
    versions: int = 0
    costs: int = 0
    changes: int = 0
    outdated: int = 0
    """Listed models whose current rows were made by another version of the program and are not compared."""
    _bounds: dict[str, ModeBounds] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._runs = RunCache(self.connection)
        self._rejected = RejectedRows(self.connection)
        self._run_counts = HistoryCounts(held_ids(self.connection))
        self._facts = SealedFacts()
        query = every_column(ignored_fields).order_by(ignored_fields.c.valid_from)
        self._ignored_rows = list(read_rows(self.connection, ignored_fields, query))
        self._ignored = ignored_of_rows(self._ignored_rows)

    def findings(self) -> Iterator[Finding]:
        """Every row that breaks a rule, as they are found. Can be iterated once."""
        yield from ignored_findings(self._ignored_rows)
        for batch in _batches(self.connection):
            yield from self._batch_findings(batch)
        # A row without a model is in no batch of models.
        for table in (*_HISTORY, *_CURRENT):
            yield from _orphans(self.connection, table)
        yield from self._rejected.findings(self._runs.load(self._rejected.run_ids))
        yield from self._run_findings()
        yield from seal_findings(self.connection, self._facts, self._ignored_rows, thorough=self.thorough)

    def _batch_findings(self, batch: Sequence[StoredModel]) -> Iterator[Finding]:
        runs = self._runs.load({run for stored in batch for run in _run_ids(stored)})
        for stored in batch:
            mode = str(stored.model["mode"])
            self._count(stored, mode)
            self._facts.add(stored.model, stored.versions)
            rejected = self._rejected.of_model(mode, stored.model["model_id"])
            yield from model_findings(replace(stored, rejected=rejected), runs.get(mode, {}), self._ignored)

    def _count(self, stored: StoredModel, mode: str) -> None:
        self.models += 1
        self.versions += len(stored.versions)
        self.costs += len(stored.costs)
        self.changes += len(stored.changes)
        self.outdated += is_outdated(stored)
        self._run_counts.add(stored.model, stored.versions, stored.changes)
        bounds, times = self._bounds.get(mode, ModeBounds()), list(stamps(stored))
        first, last = (bounds.first_stamp, *times), (bounds.last_stamp, *times)
        self._bounds[mode] = replace(
            bounds,
            first_stamp=min(filter(None, first), default=None),
            last_stamp=max(filter(None, last), default=None),
            listed=bounds.listed + (stored.model["removed_at"] is None),
        )

    def _run_findings(self) -> Iterator[Finding]:
        states = list(read_rows(self.connection, sync_state, every_column(sync_state)))
        runs = self._runs.load({run for row in states if isinstance(run := row["run_id"], int)})
        bounds = {mode: self._mode_bounds(mode, states, runs[mode]) for mode in MODES}
        yield from state_findings(states, bounds)
        identities = read_rows(self.connection, catalog_identity, every_column(catalog_identity))
        yield from identity_findings(list(identities))
        yield from watch_day_findings(self.connection, states)
        rejected = {mode: RejectedCounts(self._rejected.by_mode.get(mode, ())) for mode in MODES}
        yield from ledger_findings(self.connection, Ledger(self._run_counts, rejected), states)
        days = every_column(calendar_days).order_by(calendar_days.c.day)
        stamped = [row["observed_at"] for row in states]
        yield from calendar_findings(list(read_rows(self.connection, calendar_days, days)), bounds.values(), stamped)

    def _mode_bounds(self, mode: str, states: Sequence[StoredRow], runs: Mapping[int, RunInMode]) -> ModeBounds:
        run_id = next((row["run_id"] for row in states if row["mode"] == mode), None)
        run = runs.get(run_id) if isinstance(run_id, int) else None
        applied = (sync_run_modes.c.mode == mode) & sync_run_modes.c.status.in_(APPLIED_STATUSES)
        number = self.connection.execute(select(func.count()).select_from(sync_run_modes).where(applied)).scalar()
        bounds = self._bounds.get(mode, ModeBounds())
        last = max(filter(None, (bounds.last_stamp, self._rejected.last_stamp(mode))), default=None)
        return replace(bounds, last_stamp=last, applied_runs=number or 0, run=run)


def _batches(connection: Connection) -> Iterator[list[StoredModel]]:
    """All models with their rows, a batch at a time."""
    last, size = None, _FIRST_BATCH
    while True:
        query = every_column(models).order_by(models.c.model_pk).limit(size)
        page = query if last is None else query.where(models.c.model_pk > last)
        model_rows = list(read_rows(connection, models, page))
        if not model_rows:
            return
        batch = list(_with_rows(connection, model_rows))
        yield batch
        last = model_rows[-1]["model_pk"]
        rows = sum(len(stored.versions) + len(stored.costs) + len(stored.changes) for stored in batch)
        size = max(1, min(_MAX_BATCH, len(batch) * _ROWS_PER_BATCH // max(rows, 1)))


def _with_rows(connection: Connection, model_rows: Sequence[StoredRow]) -> Iterator[StoredModel]:
    pk_range = (model_rows[0]["model_pk"], model_rows[-1]["model_pk"])
    rows = {table: _by_model(connection, table, pk_range) for table in (*_HISTORY, *_CURRENT)}
    for model in model_rows:
        pk = model["model_pk"]
        yield StoredModel(
            model=model,
            versions=rows[model_versions].get(pk, ()),
            costs=rows[credit_history].get(pk, ()),
            changes=rows[catalog_changes].get(pk, ()),
            current={table.name: rows[table].get(pk, ()) for table in _CURRENT},
        )


def _by_model(connection: Connection, table: Table, pk_range: tuple[object, object]) -> dict[object, list[StoredRow]]:
    query = every_column(table).where(table.c.model_pk.between(*pk_range)).order_by(table.c.model_pk)
    if table in _HISTORY:
        query = query.order_by(table.c[_HISTORY[table]])
    grouped: dict[object, list[StoredRow]] = defaultdict(list)
    for row in read_rows(connection, table, query):
        grouped[row["model_pk"]].append(row)
    return grouped


def _orphans(connection: Connection, table: Table) -> Iterator[Finding]:
    """Rows without a model. SQLite enforces foreign keys only for programs that switch them on."""
    owner = select(models.c.model_pk).where(models.c.model_pk == table.c.model_pk).exists()
    for row in read_rows(connection, table, every_column(table).where(~owner)):
        problem = f"model_pk is {format_value(row['model_pk'])}, but there is no such model"
        yield RowScope(table.name).finding(problem, time_of(row))


def _run_ids(stored: StoredModel) -> Iterator[int]:
    for row in (*stored.versions, *stored.costs, *stored.changes):
        for name in _RUN_COLUMNS:
            run_id = row.get(name)
            if isinstance(run_id, int):
                yield run_id
