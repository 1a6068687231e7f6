"""Reads what a proof is made of: a version at a moment, the run that observed it, and what that run sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select

from models_db.tables import model_versions, models, rejected_models, seals, sync_run_modes
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.seal import GENESIS, listed_line, raw_hash
from sync.store.model_queries import KnownModel


@dataclass(frozen=True, slots=True)
class ListedInterval:
    """An interval in which a model was listed with one text. Times in UTC; ``valid_to`` is None while it is open."""

    raw: str
    valid_from: datetime
    valid_to: datetime | None
    opened_run_id: int


@dataclass(frozen=True, slots=True)
class ObservingRun:
    """A run that received the model: its stamp, what it recorded of the mode, and its seal, which old runs lack."""

    run_id: int
    stamp: datetime
    listed: int | None
    listed_root: str | None
    seal_no: int | None


def listed_at(connection: Connection, model: KnownModel, at: datetime) -> ListedInterval | None:
    """The interval of the model that holds a moment; None if it was not listed then."""
    versions = model_versions.c
    query = select(versions.raw, versions.valid_from, versions.valid_to, versions.opened_run_id)
    query = query.where(versions.model_pk == model.model_pk, *_holds(at))
    row = connection.execute(query).first()
    return None if row is None else ListedInterval(row.raw, row.valid_from, row.valid_to, row.opened_run_id)


def listed_bounds(connection: Connection, model: KnownModel, at: datetime) -> tuple[datetime | None, datetime | None]:
    """Of a moment at which the model was not listed: the removal before it, and the next time it was listed."""
    versions = model_versions.c
    before = select(func.max(versions.valid_to)).where(versions.model_pk == model.model_pk, versions.valid_to <= at)
    after = select(func.min(versions.valid_from)).where(versions.model_pk == model.model_pk, versions.valid_from > at)
    # MAX and MIN of a time are read with the type of its column.
    return connection.execute(before).scalar(), connection.execute(after).scalar()


def observing_run(
    connection: Connection, model: KnownModel, interval: ListedInterval, at: datetime
) -> ObservingRun | None:
    """The last run on record that received the model with the text of the interval, at or before a moment.

    That is the last good run. A run that is not good, such as one that held removals back, counts where it
    opened the interval; a run that rejected the model does not count.
    """
    modes = sync_run_modes.c
    query = select(modes.run_id, modes.stamp, modes.models_listed, modes.listed_root).where(
        modes.mode == model.mode,
        modes.status.in_(APPLIED_STATUSES),
        modes.stamp >= interval.valid_from,
        modes.stamp <= at,
        or_(modes.is_good == 1, modes.run_id == interval.opened_run_id),
        ~_rejected(model, modes.stamp),
    )
    row = connection.execute(query.order_by(modes.stamp.desc()).limit(1)).first()
    if row is None:
        return None
    # By itself: beside the columns, databases would look for the seal of every run before they sort.
    seal_of = select(func.max(seals.c.seal_no)).where(seals.c.run_id == row.run_id, seals.c.kind != GENESIS)
    return ObservingRun(*row, connection.execute(seal_of).scalar())


def first_sealed(connection: Connection, mode: str) -> datetime | None:
    """The stamp of the first run on record in a mode that has a seal."""
    modes = sync_run_modes.c
    query = select(func.min(modes.stamp)).where(modes.mode == mode, modes.listed_root.is_not(None))
    return connection.execute(query).scalar()


def listed_lines(connection: Connection, mode: str, at: datetime) -> Iterator[str]:
    """The listed lines of all models of a mode at a moment. Raises ``ValueError`` for a text that is not Unicode."""
    query = select(models.c.model_id, model_versions.c.raw).join(models, models.c.model_pk == model_versions.c.model_pk)
    query = query.where(models.c.mode == mode, *_holds(at))
    return (listed_line(mode, model_id, raw_hash(raw)) for model_id, raw in connection.execute(query))


def _holds(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    valid_from, valid_to = model_versions.c.valid_from, model_versions.c.valid_to
    return valid_from <= at, or_(valid_to.is_(None), valid_to > at)


def _rejected(model: KnownModel, stamp: ColumnElement[datetime]) -> ColumnElement[bool]:
    rejected = rejected_models.c
    return (
        select(rejected.mode)
        .where(rejected.mode == model.mode, rejected.model_id == model.model_id, rejected.valid_from <= stamp)
        .where(or_(rejected.valid_to.is_(None), rejected.valid_to > stamp))
        .exists()
    )
