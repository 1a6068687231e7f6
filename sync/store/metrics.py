"""What the metrics say of a catalog, in one typed value. Reads only.

The work does not grow with the history: runs are read from the newest back to those of a day before, and changes by
the index on their time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, func, select

from models_db.tables import (
    catalog_changes,
    catalog_identity,
    models,
    rejected_models,
    sync_run_modes,
    sync_runs,
    sync_state,
)
from sync.errors import outcome_of_type
from sync.store import held

DAY = timedelta(days=1)
ABANDONED = "abandoned"
"""A run without an outcome: its process was killed, or the machine was."""
# Runs read at a time, and in all: a run each second for a day.
_BATCH = 1000
_MOST_BATCHES = 90

_RunRow = Row[tuple[int, datetime, datetime | None, str, str | None, str, str | None]]


@dataclass(frozen=True, slots=True)
class ModeMetrics:
    """A mode that was applied or requested; None is what is not known of it."""

    mode: str
    last_success_at: datetime | None = None
    """When the last successful sync, or import, observed the mode."""
    models: Mapping[str, int] = field(default_factory=dict)
    """The number of models that are listed, rejected and held back now; empty if the mode was never applied."""
    attempts: int | None = None
    """The number of requests of the last sync that requested the mode."""
    response_bytes: int | None = None
    """The size of its decoded response."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest sync that wrote its own end."""

    ended_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class CatalogMetrics:
    """The state of a catalog. Imports are no runs here, and neither are runs of which the end is not recorded yet."""

    modes: tuple[ModeMetrics, ...] = ()
    last_run: LastRun | None = None
    runs_last_day: Mapping[str, int] = field(default_factory=dict)
    """The number of runs by the label of their outcome, or ``ABANDONED``."""
    changes_last_day: Mapping[str, int] = field(default_factory=dict)
    """The number of changes by ``change_kind``."""
    tree_size: int = 0


def read_metrics(connection: Connection, now: datetime) -> CatalogMetrics:
    """The metrics of the catalog at this time, by the host's clock."""
    runs = list(_recent_runs(connection, now - DAY))
    ended = next((run for run in runs if run.finished_at and run.status not in {"running", "abandoned"}), None)
    return CatalogMetrics(
        tuple(_mode_metrics(connection, [run.run_id for run in runs[:_BATCH]])),
        None if ended is None else LastRun(ended.finished_at, (ended.finished_at - ended.started_at).total_seconds()),
        Counter(_outcome(run) for run in runs if run.started_at > now - DAY and run.status != "running"),
        _changes_since(connection, now - DAY),
        connection.execute(select(func.max(catalog_identity.c.tree_size))).scalar() or 0,
    )


def _outcome(run: _RunRow) -> str:
    return ABANDONED if run.status == "abandoned" else outcome_of_type(run.error_type).label


def _recent_runs(connection: Connection, since: datetime) -> Iterator[_RunRow]:
    """The syncs of this catalog, newest first: those after ``since``, and some before it."""
    below: int | None = None
    for _ in range(_MOST_BATCHES):
        batch = _runs_below(connection, below)
        own = [run for run in batch if run.trigger_kind != "import" and run.source_catalog_id is None]
        yield from own
        # The clock of a host may have been wrong for one of them, but not for a whole batch.
        if len(batch) < _BATCH or (own and all(run.started_at <= since for run in own)):
            return
        below = batch[-1].run_id


def _runs_below(connection: Connection, run_id: int | None) -> list[_RunRow]:
    columns = sync_runs.c
    query = select(
        *(columns.run_id, columns.started_at, columns.finished_at, columns.status),
        *(columns.error_type, columns.trigger_kind, columns.source_catalog_id),
    )
    query = query if run_id is None else query.where(columns.run_id < run_id)
    return list(connection.execute(query.order_by(columns.run_id.desc()).limit(_BATCH)))


def _mode_metrics(connection: Connection, run_ids: list[int]) -> Iterator[ModeMetrics]:
    held_now = {each.mode: len(each.held_ids) or each.removals_held for each in held.held_modes(connection)}
    rejected = _rejected_now(connection)
    state = sync_state.c
    query = select(state.mode, state.observed_at, state.good_observed_at, state.models_listed).order_by(state.mode)
    for mode, observed_at, last_success_at, listed in connection.execute(query).all():
        counts: dict[str, int] = {}
        if observed_at is not None:
            # Older versions did not record the number.
            counts["listed"] = _count_listed(connection, mode) if listed is None else listed
            counts |= {"rejected": rejected.get(mode, 0), "held": held_now.get(mode, 0)}
        attempts, size = _last_request(connection, mode, run_ids)
        yield ModeMetrics(mode, last_success_at, counts, attempts, size)


def _last_request(connection: Connection, mode: str, run_ids: list[int]) -> tuple[int | None, int | None]:
    """Attempts and size of the response in the newest of these runs that requested the mode."""
    if not run_ids:
        return None, None
    columns = sync_run_modes.c
    query = (
        select(columns.attempts, columns.payload_bytes)
        .join(sync_runs, sync_runs.c.run_id == columns.run_id)
        .where(columns.mode == mode, columns.run_id >= run_ids[-1], columns.run_id <= run_ids[0])
        .where(sync_runs.c.trigger_kind != "import", sync_runs.c.source_catalog_id.is_(None))
        .order_by(columns.run_id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return (None, None) if row is None else (row.attempts, row.payload_bytes)


def _rejected_now(connection: Connection) -> dict[str, int]:
    columns = rejected_models.c
    query = select(columns.mode, func.count()).where(columns.valid_to.is_(None)).group_by(columns.mode)
    return {row[0]: row[1] for row in connection.execute(query)}


def _count_listed(connection: Connection, mode: str) -> int:
    query = select(func.count()).where(models.c.mode == mode, models.c.removed_at.is_(None))
    return connection.execute(query).scalar() or 0


def _changes_since(connection: Connection, since: datetime) -> dict[str, int]:
    columns = catalog_changes.c
    query = select(columns.change_kind, func.count()).where(columns.changed_at > since).group_by(columns.change_kind)
    return {row[0]: row[1] for row in connection.execute(query)}
