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

# Made once, since every run executes it, and mostly it finds nothing.
_OPEN_ROWS = (
    select(
        rejected_models.c.mode,
        rejected_models.c.model_id,
        rejected_models.c.raw_sha256,
        rejected_models.c.reason,
        rejected_models.c.valid_from,
        rejected_models.c.not_before,
    )
    .where(rejected_models.c.valid_to.is_(None))
    .order_by(rejected_models.c.valid_from, rejected_models.c.raw_sha256)
)

_CLOSE = update(rejected_models).where(
    rejected_models.c.mode == bindparam("of_mode"),
    rejected_models.c.raw_sha256 == bindparam("sha256"),
    rejected_models.c.valid_from == bindparam("since"),
    rejected_models.c.valid_to.is_(None),
)


def open_rejections(connection: Connection, modes: Iterable[str]) -> Mapping[str, Sequence[OpenRejection]]:
    """The models that are rejected now, by mode, in the order of ``valid_from``. A mode without any is left out."""
    found: dict[str, list[OpenRejection]] = defaultdict(list)
    for mode, *values in connection.execute(_OPEN_ROWS):
        found[mode].append(OpenRejection(*values))
    return {mode: found[mode] for mode in modes if mode in found}


def write_rejections(connection: Connection, run_id: int, plan: ModePlan) -> None:
    """Closes the rows of models that are no longer rejected, or not in this way, and opens the new ones."""
    closed = [{"of_mode": plan.mode, "sha256": row.raw_sha256, "since": row.since} for row in plan.rejections.closed]
    close = _CLOSE.values(valid_to=plan.stamp, closed_run_id=run_id)
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
