"""What people ask the database through the commands. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, select

from models_db.tables import (
    catalog_changes,
    credit_history,
    credits,
    model_versions,
    models,
    sync_run_modes,
    sync_runs,
    sync_state,
)
from sync.catalog.history import Entry, PastVersion


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look at; None looks at everything. Times in UTC."""

    mode: str | None = None
    provider: str | None = None
    kinds: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    """Up to but not including this moment."""
    entities: Sequence[str] = ()
    model: str | None = None
    """A model's id."""
    least_percent: float | None = None
    """Only costs that moved by so many percent or more, up or down."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the change feed; costs are exact decimals, values JSON text."""

    change_id: int
    changed_at: datetime
    not_before: datetime | None
    mode: str
    model_id: str
    model_name: str | None
    provider: str | None
    entity: str
    field: str | None
    change_kind: str
    old_value: str | None
    new_value: str | None
    old_cost: str | None
    new_cost: str | None
    delta_cost: object
    pct_change: object
    run_id: int


@dataclass(frozen=True, slots=True)
class Look:
    """When a mode was last seen well; None when it never was."""

    mode: str
    good_observed_at: datetime | None


def current_models(connection: Connection, wanted: Filter) -> Iterator[Entry]:
    """The listed models by mode and id."""
    query = (
        select(
            models.c.mode,
            models.c.model_id,
            models.c.name,
            models.c.provider,
            credits.c.default_cost_exact,
            credits.c.notes,
            credit_history.c.valid_from,
            models.c.first_seen_at,
        )
        .join(credits, credits.c.model_pk == models.c.model_pk)
        .join(credit_history, credit_history.c.open_model_pk == models.c.model_pk)
        .order_by(models.c.mode, models.c.model_id)
    )
    return (Entry(*_plain(row)) for row in connection.execute(_filtered(query, wanted)))


def versions_at(connection: Connection, moment: datetime, mode: str | None) -> Iterator[PastVersion]:
    """What the API said of each model listed at a moment, by mode and id."""
    query = (
        select(
            models.c.mode,
            models.c.model_id,
            model_versions.c.raw,
            credit_history.c.valid_from,
            models.c.first_seen_at,
        )
        .join(model_versions, model_versions.c.model_pk == models.c.model_pk)
        .join(credit_history, credit_history.c.model_pk == models.c.model_pk)
        .where(*(_held_at(table, moment) for table in (model_versions, credit_history)))
        .order_by(models.c.mode, models.c.model_id)
    )
    query = query if mode is None else query.where(models.c.mode == mode)
    return (PastVersion(*_plain(row)) for row in connection.execute(query))


def changes(connection: Connection, wanted: Filter) -> Iterator[Change]:
    """The change feed, newest first."""
    log = catalog_changes.c
    query = (
        select(
            log.change_id,
            log.changed_at,
            log.not_before,
            models.c.mode,
            models.c.model_id,
            log.model_name,
            log.provider,
            log.entity,
            log.field,
            log.change_kind,
            log.old_value,
            log.new_value,
            log.old_cost_exact,
            log.new_cost_exact,
            log.delta_cost,
            log.pct_change,
            log.run_id,
        )
        .join(models, models.c.model_pk == log.model_pk)
        .order_by(log.changed_at.desc(), log.change_id.desc())
    )
    if wanted.mode is not None:
        query = query.where(models.c.mode == wanted.mode)
    if wanted.provider is not None:
        query = query.where(log.provider == wanted.provider)
    if wanted.kinds:
        query = query.where(log.change_kind.in_(wanted.kinds))
    if wanted.since is not None:
        query = query.where(log.changed_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(log.changed_at < wanted.until)
    if wanted.entities:
        query = query.where(log.entity.in_(wanted.entities))
    if wanted.model is not None:
        query = query.where(models.c.model_id == wanted.model)
    if wanted.least_percent is not None:
        query = query.where(func.abs(log.pct_change) >= wanted.least_percent)
    return (Change(*_plain(row)) for row in connection.execute(query))


def recent_runs(connection: Connection, limit: int) -> list[Row[tuple[object, ...]]]:
    """The last runs, newest first, a row for each mode they asked."""
    last = select(sync_runs.c.run_id).order_by(sync_runs.c.run_id.desc()).limit(limit).subquery()
    query = (
        select(
            sync_runs.c.run_id,
            sync_runs.c.started_at,
            sync_runs.c.finished_at,
            sync_runs.c.status,
            sync_runs.c.trigger_kind,
            sync_runs.c.error_message,
            sync_runs.c.note,
            sync_run_modes.c.mode,
            sync_run_modes.c.status.label("mode_status"),
            sync_run_modes.c.models_received,
            sync_run_modes.c.models_rejected,
            sync_run_modes.c.models_added,
            sync_run_modes.c.models_changed,
            sync_run_modes.c.models_removed,
            sync_run_modes.c.removals_held,
        )
        .select_from(sync_runs.join(last, last.c.run_id == sync_runs.c.run_id))
        .outerjoin(sync_run_modes, sync_run_modes.c.run_id == sync_runs.c.run_id)
        .order_by(sync_runs.c.run_id.desc(), sync_run_modes.c.mode)
    )
    return list(connection.execute(query))


def last_looks(connection: Connection) -> list[Look]:
    """When each mode was last seen well."""
    query = select(sync_state.c.mode, sync_state.c.good_observed_at).order_by(sync_state.c.mode)
    return [Look(*_plain(row)) for row in connection.execute(query)]


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as a plain tuple: its columns are those of the value made from it, in order."""
    return tuple(row)


def _filtered(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.mode is not None:
        query = query.where(models.c.mode == wanted.mode)
    if wanted.provider is not None:
        query = query.where(models.c.provider == wanted.provider)
    return query


def _held_at(interval: Table, moment: datetime) -> ColumnElement[bool]:
    valid_to = interval.c.valid_to
    return (interval.c.valid_from <= moment) & (valid_to.is_(None) | (valid_to > moment))
