"""Closes and opens the intervals of history: versions, costs, and the gaps between costs.

A change closes a model's open interval and opens the next at the same moment. A removal only closes
it, which leaves a gap until the model is relisted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, bindparam, update

from models_db.dialects import insert_rows
from models_db.tables import credit_history, model_versions
from sync.catalog.changes.mode_plan import ModelChange, ModePlan
from sync.catalog.model.costs import OPEN_GAP_END, for_arithmetic
from sync.catalog.model.records import Row
from sync.store.batches import execute_batches

_ENDS_INTERVAL = {"changed", "removed"}


def write_versions(connection: Connection, run_id: int, plan: ModePlan, pks: Mapping[str, int]) -> None:
    """Closes the version of each changed or removed model, and opens the new one of each listed model."""
    # A rebuilt model has other rows and the same text, so its version stays open.
    opened = [
        (pks[change.model_id], change.record.raw)
        for change in plan.changes
        if change.record and change.lifecycle != "rebuilt"
    ]
    # Closed first: the database refuses a second open interval of a model.
    _close(connection, model_versions, run_id, plan, _ended(plan.changes, pks))
    _open(connection, model_versions, ("raw",), run_id, plan, opened)


def write_costs(connection: Connection, run_id: int, plan: ModePlan, pks: Mapping[str, int]) -> None:
    """Closes and opens the cost intervals of models whose cost changed, and writes their gaps."""
    moved = [change for change in plan.changes if change.cost_changed]
    opened = [
        (pks[change.model_id], for_arithmetic(change.record.cost), change.record.cost, _possible_from(plan, change))
        for change in moved
        if change.record
    ]
    _close(connection, credit_history, run_id, plan, _ended(moved, pks))
    columns = ("default_cost", "default_cost_exact", "possible_from")
    _open(connection, credit_history, columns, run_id, plan, opened)
    _write_gaps(connection, plan, pks)


def _ended(changes: Iterable[ModelChange], pks: Mapping[str, int]) -> list[int]:
    return [pks[change.model_id] for change in changes if change.lifecycle in _ENDS_INTERVAL]


def _possible_from(plan: ModePlan, change: ModelChange) -> datetime | None:
    """``not_before`` of the change that opens the interval."""
    return None if change.cost_event is None else plan.not_before_of(change, change.cost_event)


def _close(connection: Connection, table: Table, run_id: int, plan: ModePlan, pks: Iterable[int]) -> None:
    statement = update(table).where(table.c.open_model_pk == bindparam("pk"))
    statement = statement.values(valid_to=plan.stamp, closed_run_id=run_id)
    execute_batches(connection, statement, ({"pk": pk} for pk in pks), one_row_each=True)


def _open(
    connection: Connection, table: Table, values: tuple[str, ...], run_id: int, plan: ModePlan, rows: Sequence[Row]
) -> None:
    """``rows`` are a model's ``model_pk`` and the ``values`` of its new interval."""
    columns = ("model_pk", *values, "valid_from", "opened_run_id")
    insert_rows(connection, table, columns, [(*row, plan.stamp, run_id) for row in rows])


def _write_gaps(connection: Connection, plan: ModePlan, pks: Mapping[str, int]) -> None:
    """Begins the gap of each removed model and ends that of each relisted one.

    A gap is ``gap_to`` of the interval before it: the one that this removal has just closed, or the
    one that an earlier removal left with an open gap.
    """
    of_model = update(credit_history).where(credit_history.c.model_pk == bindparam("pk"))
    begin_gap = of_model.where(credit_history.c.valid_to == plan.stamp).values(gap_to=OPEN_GAP_END)
    end_gap = of_model.where(credit_history.c.gap_to == OPEN_GAP_END).values(gap_to=plan.stamp)
    for statement, lifecycle in ((begin_gap, "removed"), (end_gap, "relisted")):
        keys = [{"pk": pks[change.model_id]} for change in plan.changes if change.lifecycle == lifecycle]
        execute_batches(connection, statement, keys, one_row_each=True)
