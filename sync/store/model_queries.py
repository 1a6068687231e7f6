"""Queries about one model, now or at a moment. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from models_db.tables import catalog_changes, credit_history, model_versions, models
from sync.catalog.history.cost_at import CostEvent
from sync.catalog.history.cost_timeline import CostInterval


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that is or was listed in one mode. Times in UTC; the last two are None while it is listed."""

    model_pk: int
    mode: str
    model_id: str
    first_seen_at: datetime
    removed_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """The JSON that the API sent for a model, in one interval; ``valid_to`` is None while it is open."""

    raw: str
    valid_from: datetime
    valid_to: datetime | None


def find(connection: Connection, model_id: str, mode: str | None) -> list[KnownModel]:
    """The model with this id in each mode that ever listed it, or only in ``mode``."""
    columns = (
        models.c.model_pk,
        models.c.mode,
        models.c.model_id,
        models.c.first_seen_at,
        models.c.removed_at,
        models.c.last_seen_at,
    )
    query = select(*columns).where(models.c.model_id == model_id).order_by(models.c.mode)
    query = query if mode is None else query.where(models.c.mode == mode)
    return [KnownModel(**row) for row in connection.execute(query).mappings()]


def all_ids(connection: Connection) -> list[str]:
    """Every id that was ever listed, in order."""
    return list(connection.scalars(select(models.c.model_id).distinct().order_by(models.c.model_id)))


def version_at(connection: Connection, model_pk: int, moment: datetime | None) -> StoredVersion | None:
    """The last version that began at or before ``moment``, or the last of all; None if there is none.

    The version may have ended before ``moment``: then the model was not listed at that moment.
    """
    columns = (model_versions.c.raw, model_versions.c.valid_from, model_versions.c.valid_to)
    query = select(*columns).where(model_versions.c.model_pk == model_pk)
    if moment is not None:
        query = query.where(model_versions.c.valid_from <= moment)
    row = connection.execute(query.order_by(model_versions.c.valid_from.desc()).limit(1)).first()
    return None if row is None else StoredVersion(row.raw, row.valid_from, row.valid_to)


def cost_intervals(connection: Connection, model_pk: int) -> Iterator[CostInterval]:
    """The model's cost intervals in order of time."""
    columns = (credit_history.c.valid_from, credit_history.c.valid_to, credit_history.c.default_cost_exact)
    query = select(*columns).where(credit_history.c.model_pk == model_pk).order_by(credit_history.c.valid_from)
    return (CostInterval(row.valid_from, row.valid_to, row.default_cost_exact) for row in connection.execute(query))


def cost_events(connection: Connection, model_pk: int, *, after: datetime) -> Iterator[CostEvent]:
    """What was observed of the model's cost and listing after a moment, in order of time."""
    log = catalog_changes.c
    query = (
        select(log.not_before, log.changed_at, log.change_kind, log.new_cost_exact)
        .where(log.model_pk == model_pk, log.changed_at > after, log.is_cost_event == 1)
        .order_by(log.changed_at, log.change_id)
    )
    return (
        CostEvent(row.not_before, row.changed_at, row.change_kind != "removed", row.new_cost_exact)
        for row in connection.execute(query)
    )
