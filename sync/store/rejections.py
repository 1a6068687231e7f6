"""The rows of ``rejected_models``: models that could not be taken, kept as they were sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, select, update

from models_db.dialects import insert_rows
from models_db.tables import rejected_models
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.rejections import OpenRejection
from sync.catalog.model.normalise import MAX_MODEL_BYTES
from sync.catalog.model.records import RawModel
from sync.store.batches import batches, execute_batches

_COLUMNS = ("mode", "raw_sha256", "valid_from", "model_id", "raw", "reason", "not_before", "opened_run_id")


def open_rejections(connection: Connection, modes: Iterable[str]) -> Mapping[str, Sequence[OpenRejection]]:
    """The models that are rejected now, by mode, in the order of ``valid_from``."""
    columns = rejected_models.c
    query = (
        select(columns.mode, columns.model_id, columns.raw_sha256, columns.reason, columns.valid_from)
        .add_columns(columns.not_before)
        .where(columns.valid_to.is_(None), columns.mode.in_(sorted(modes)))
        .order_by(columns.valid_from, columns.raw_sha256)
    )
    found: dict[str, list[OpenRejection]] = defaultdict(list)
    for mode, *values in connection.execute(query):
        found[mode].append(OpenRejection(*values))
    return found


def write_rejections(connection: Connection, run_id: int, plan: ModePlan) -> None:
    """Closes the rows of models that are no longer rejected, or not in this way, and opens the new ones."""
    columns = rejected_models.c
    close = update(rejected_models).where(
        columns.mode == plan.mode,
        columns.raw_sha256 == bindparam("sha256"),
        columns.valid_from == bindparam("since"),
        columns.valid_to.is_(None),
    )
    closed = ({"sha256": row.raw_sha256, "since": row.since} for row in plan.rejections.closed)
    close = close.values(valid_to=plan.stamp, closed_run_id=run_id)
    execute_batches(connection, close, closed, one_row_each=True)
    for batch in batches(plan.rejections.opened):
        rows = [
            (plan.mode, model.raw_sha256, plan.stamp, model.model_id, _kept(model.raw), model.reason, start, run_id)
            for model, start in ((opened.model, opened.not_before) for opened in batch)
        ]
        insert_rows(connection, rejected_models, _COLUMNS, rows)


def _kept(raw: RawModel) -> str | None:
    """The text; None where it is too long for one statement on MariaDB, as for an accepted model."""
    text = bytes(raw)
    return text.decode() if len(text) <= MAX_MODEL_BYTES else None
