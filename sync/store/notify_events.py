"""What happened since a cursor, for ``notify``. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from models_db.tables import (
    catalog_changes,
    catalog_identity,
    models,
    rejected_models,
    seals,
    sync_run_modes,
    sync_runs,
    sync_state,
)
from sync.catalog.checkpoint import Checkpoint
from sync.catalog.news import Event, LastSuccess, ModeOfRun, Rejection, RunRow
from sync.store.batches import batches
from sync.store.notify_cursors import Cursor, last_seal, last_settled_run

MOST_RUNS = 1000
"""The runs of one reading: after a longer time the next reading goes on. It bounds memory and time."""
# Runs before the first one, among which each mode has its last one: others are superseded, or of the other mode.
_RUNS_BEFORE = 50


class SealedRun(Struct, frozen=True):
    """A run in the order of the seals, and the checkpoint after it."""

    seal_no: int
    run_id: int
    checkpoint: Checkpoint
    has_changes: bool = False


class News(Struct, frozen=True):
    """What a cursor has not seen: sealed runs in their order, all runs that explain them, and what they changed."""

    sealed: tuple[SealedRun, ...]
    runs: tuple[RunRow, ...]
    changes: dict[int, tuple[Event, ...]]
    rejections: dict[int, tuple[Rejection, ...]]
    successes: tuple[LastSuccess, ...]
    last_seal_no: int | None
    """The seal up to which this reads."""
    last_run_id: int | None
    """The run up to which failures are known for good."""
    checkpoint: Checkpoint | None
    """The last one."""


def read_news(connection: Connection, cursor: Cursor, now: datetime, *, with_changed: bool) -> News:
    """What happened after the cursor; changes of kind ``changed`` only on request."""
    sealed = _sealed(connection, cursor.last_seal_no)
    later = _later_runs(connection, cursor.last_run_id or 0)
    runs = _runs(connection, {*later, *(each.run_id for each in sealed)})
    fresh = {run.run_id for run in runs if not run.is_past} & {each.run_id for each in sealed}
    return News(
        tuple(sealed),
        tuple(runs),
        _changes(connection, fresh, with_changed=with_changed),
        _rejections(connection, fresh),
        _successes(connection),
        # A genesis is none of the runs, and moves the cursor all the same.
        sealed[-1].seal_no if len(sealed) == MOST_RUNS else last_seal(connection),
        _settled(connection, cursor, later, now),
        _last_checkpoint(connection),
    )


def _later_runs(connection: Connection, after: int) -> list[int]:
    run_id = sync_runs.c.run_id
    return list(connection.scalars(select(run_id).where(run_id > after).order_by(run_id).limit(MOST_RUNS)))


def _settled(connection: Connection, cursor: Cursor, later: list[int], now: datetime) -> int | None:
    """No run beyond those that were read, and none before the cursor."""
    reached = last_settled_run(connection, now) or 0
    if len(later) == MOST_RUNS:
        reached = min(reached, later[-1])
    return max(reached, cursor.last_run_id or 0) or None


def _sealed(connection: Connection, after: int | None) -> list[SealedRun]:
    query = select(seals.c.seal_no, seals.c.run_id, seals.c.tree_root, seals.c.kind)
    query = query.where(seals.c.seal_no > (-1 if after is None else after), seals.c.kind != "genesis")
    rows = connection.execute(query.order_by(seals.c.seal_no).limit(MOST_RUNS)).all()
    catalog_id = _catalog_id(connection) if rows else ""
    return [
        SealedRun(seal_no, run_id, Checkpoint(catalog_id, seal_no + 1, bytes.fromhex(root)), kind == "changed")
        for seal_no, run_id, root, kind in rows
    ]


def _last_checkpoint(connection: Connection) -> Checkpoint | None:
    query = select(seals.c.seal_no, seals.c.tree_root).order_by(seals.c.seal_no.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Checkpoint(_catalog_id(connection), row[0] + 1, bytes.fromhex(row[1]))


def _catalog_id(connection: Connection) -> str:
    return connection.execute(select(catalog_identity.c.catalog_id)).scalar() or ""


def _runs(connection: Connection, needed: Collection[int]) -> list[RunRow]:
    """These runs, and those before the first one that say how the modes were before."""
    if not needed:
        return []
    runs = sync_runs.c
    before = select(runs.run_id).where(runs.run_id < min(needed)).order_by(runs.run_id.desc()).limit(_RUNS_BEFORE)
    run_ids = sorted({*needed, *connection.scalars(before)})
    modes = _modes(connection, run_ids)
    columns = (runs.run_id, runs.status, runs.trigger_kind, runs.source_catalog_id.is_not(None), runs.finished_at)
    found: list[RunRow] = []
    for batch in batches(run_ids):
        query = select(*columns, runs.error_type, runs.error_message).where(runs.run_id.in_(batch))
        for run_id, status, kind, replayed, ended, error, text in connection.execute(query.order_by(runs.run_id)):
            found.append(RunRow(run_id, status, kind, bool(replayed), ended, error, text, modes.get(run_id, ())))
    return found


def _modes(connection: Connection, run_ids: list[int]) -> dict[int, tuple[ModeOfRun, ...]]:
    of = sync_run_modes.c
    columns = (of.run_id, of.mode, of.status, of.is_good, of.stamp, of.hold_reason, of.held_ids)
    modes: dict[int, tuple[ModeOfRun, ...]] = {}
    for batch in batches(run_ids):
        query = select(*columns, of.previous_success_at).where(of.run_id.in_(batch)).order_by(of.run_id, of.mode)
        for run_id, mode, status, is_good, *rest in connection.execute(query):
            modes[run_id] = (*modes.get(run_id, ()), ModeOfRun(mode, status, bool(is_good), *rest))
    return modes


def _changes(connection: Connection, run_ids: Collection[int], *, with_changed: bool) -> dict[int, tuple[Event, ...]]:
    """The changes of runs, in the order in which they were written."""
    log = catalog_changes.c
    columns = (log.run_id, log.change_kind, models.c.mode, models.c.model_id, log.model_name, log.provider)
    costs = (log.old_cost_exact, log.new_cost_exact, log.delta_cost, log.pct_change, log.not_before, log.changed_at)
    values = (log.entity, log.field, log.old_value, log.new_value)
    query = select(*columns, *costs, *values).join(models, models.c.model_pk == log.model_pk)
    if not with_changed:
        query = query.where(log.is_cost_event == 1)
    found: dict[int, list[Event]] = defaultdict(list)
    for batch in batches(sorted(run_ids)):
        rows = query.where(log.run_id.in_(batch)).order_by(log.change_id)
        for run_id, kind, *rest, entity, field, old_value, new_value in connection.execute(rows):
            path = f"{entity}.{field}" if field else entity
            # What was added or removed has its whole text as values, which a message does not show.
            values_shown = (path, old_value, new_value) if kind == "changed" else ()
            found[run_id].append(Event(kind, run_id, *rest, *values_shown))
    return {run_id: tuple(events) for run_id, events in found.items()}


def _rejections(connection: Connection, run_ids: Collection[int]) -> dict[int, tuple[Rejection, ...]]:
    of = rejected_models.c
    columns = (of.mode, of.model_id, of.raw_sha256, of.reason)
    found: dict[int, list[Rejection]] = defaultdict(list)
    for batch in batches(sorted(run_ids)):
        for opened, run_column in ((True, of.opened_run_id), (False, of.closed_run_id)):
            query = select(run_column, *columns, of.not_before, of.valid_from).where(run_column.in_(batch))
            for run_id, mode, model_id, sha256, reason, *times in connection.execute(
                query.order_by(of.mode, of.raw_sha256)
            ):
                found[run_id].append(Rejection(run_id, mode, model_id, sha256, reason, opened, *times))
    return {run_id: tuple(rows) for run_id, rows in found.items()}


def _successes(connection: Connection) -> tuple[LastSuccess, ...]:
    query = select(sync_state.c.mode, sync_state.c.good_observed_at).order_by(sync_state.c.mode)
    return tuple(LastSuccess(*row) for row in connection.execute(query))
