"""Carries out a mode's plan in the caller's transaction: models, current rows, history and change log.

Nothing is decided here. The caller holds the lock on the mode's check-and-set row, so no other run
writes to the mode's models until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select, update

from models_db.dialects import insert_rows
from models_db.tables import catalog_changes, models
from sync.catalog.changes.diff import EVENT_COLUMNS
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.model.entities import MODELS
from sync.catalog.model.records import Record, Row
from sync.catalog.modes import series_name
from sync.catalog.times import unsure_hours
from sync.store.batches import BATCH_SIZE, batches, execute_batches
from sync.store.current_rows import write_current_rows
from sync.store.intervals import write_costs, write_versions
from sync.store.rejections import write_rejections

_MODEL_COLUMNS = (*MODELS.values, "fingerprint")


def apply_plan(connection: Connection, run_id: int, plan: ModePlan) -> None:
    """Writes everything that the plan contains, stamped with the plan's time and this run.

    A batch of models at a time: the rows of a model take many times the memory of its plan.
    """
    for start in range(0, len(plan.changes), BATCH_SIZE):
        _apply_batch(connection, run_id, replace(plan, changes=plan.changes[start : start + BATCH_SIZE]))
    write_rejections(connection, run_id, plan)


def _apply_batch(connection: Connection, run_id: int, plan: ModePlan) -> None:
    # New models first: every other row refers to their model_pk, which the database assigns.
    pks = {change.model_id: change.model_pk for change in plan.changes if change.model_pk is not None}
    pks |= _insert_models(connection, plan)
    _update_models(connection, plan, pks)
    write_current_rows(connection, plan.changes, pks)
    write_versions(connection, run_id, plan, pks)
    write_costs(connection, run_id, plan, pks)
    _write_events(connection, run_id, plan, pks)


def _insert_models(connection: Connection, plan: ModePlan) -> dict[str, int]:
    """Inserts the models that were never listed before; returns their ``model_pk`` by id."""
    new = [change.record for change in plan.changes if change.lifecycle == "added" and change.record]
    columns = (*_MODEL_COLUMNS, "mode", "model_id", "first_seen_at", "series")
    rows = [
        (*_model_values(record), plan.mode, record.model_id, plan.stamp, series_name(plan.mode, record.model_id))
        for record in new
    ]
    insert_rows(connection, models, columns, rows)
    # The bulk insert returns no keys, so they are read back.
    query = select(models.c.model_id, models.c.model_pk).where(
        models.c.mode == plan.mode, models.c.model_id.in_(bindparam("model_ids", expanding=True))
    )
    pks: dict[str, int] = {}
    for batch in batches(record.model_id for record in new):
        pks.update((model_id, pk) for model_id, pk in connection.execute(query, {"model_ids": batch}))
    return pks


def _update_models(connection: Connection, plan: ModePlan, pks: Mapping[str, int]) -> None:
    listed: list[dict[str, object]] = []
    removed: list[dict[str, object]] = []
    for change in plan.changes:
        key = {"pk": pks[change.model_id]}
        if change.record is None:
            removed.append({**key, "removed_at": plan.stamp, "last_seen_at": change.last_seen_at, "fingerprint": None})
        elif change.lifecycle != "added":
            values = dict(zip(_MODEL_COLUMNS, _model_values(change.record), strict=True))
            listed.append({**key, **values, "removed_at": None, "last_seen_at": None})
    statement = update(models).where(models.c.model_pk == bindparam("pk"))
    execute_batches(connection, statement, listed)
    execute_batches(connection, statement, removed)


def _model_values(record: Record) -> Row:
    return *record.rows[MODELS.table][0], record.fingerprint


def _write_events(connection: Connection, run_id: int, plan: ModePlan, pks: Mapping[str, int]) -> None:
    columns = ("run_id", "changed_at", "model_pk", "model_name", "provider", "not_before", "unsure_hours")
    rows: list[Row] = [
        (
            *(run_id, plan.stamp, pks[change.model_id], change.name, change.provider),
            *(start := plan.not_before_of(change, event), unsure_hours(start, plan.stamp)),
            *event.values(),
        )
        for change in plan.changes
        for event in change.events
    ]
    insert_rows(connection, catalog_changes, (*columns, *EVENT_COLUMNS), rows)
