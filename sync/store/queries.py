"""What people ask the database through the commands. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, true

from models_db.dialects import latest_interval_start
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
from sync.catalog.history.as_of import CatalogEntry, PastVersion


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
    """A model's id, or what ids are like: ``*``, ``?`` and ``[...]`` as in file names, exact to case."""
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
class LastSuccess:
    """When a mode was last seen well; None when it never was."""

    mode: str
    good_observed_at: datetime | None


def current_models(connection: Connection, wanted: Filter) -> Iterator[CatalogEntry]:
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
    return (CatalogEntry(*_plain(row)) for row in connection.execute(_filtered(query, wanted)))


def versions_at(connection: Connection, moment: datetime, mode: str | None) -> Iterator[PastVersion]:
    """What the API said of each model listed at a moment, by mode and id."""
    query = select(
        models.c.mode,
        models.c.model_id,
        model_versions.c.raw,
        credit_history.c.valid_from,
        models.c.first_seen_at,
    ).select_from(models)
    for interval in (model_versions, credit_history):
        begin = latest_interval_start(connection, interval, moment)
        query = query.join(begin, begin.c.model_pk == models.c.model_pk).join(
            interval, (interval.c.model_pk == begin.c.model_pk) & (interval.c.valid_from == begin.c.valid_from)
        )
        # Not written so that an index on valid_to could be taken: all that ended later is far more than these.
        query = query.where(func.coalesce(interval.c.valid_to > moment, true()))
    query = query.order_by(models.c.mode, models.c.model_id)
    query = query if mode is None else query.where(models.c.mode == mode)
    return (PastVersion(*_plain(row)) for row in connection.execute(query))


def changes(connection: Connection, wanted: Filter, limit: int | None = None) -> Iterator[Change]:
    """The change feed, newest first; the newest ``limit`` only, if that is given."""
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
        # Outer, though every change has its model: else MariaDB begins with the models and sorts all changes.
        .outerjoin(models, models.c.model_pk == log.model_pk)
        .order_by(log.changed_at.desc(), log.change_id.desc())
        .limit(limit)
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
        query = query.where(_is_like(connection, wanted.model))
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


def last_successes(connection: Connection) -> list[LastSuccess]:
    """When each mode was last seen well."""
    query = select(sync_state.c.mode, sync_state.c.good_observed_at).order_by(sync_state.c.mode)
    return [LastSuccess(*_plain(row)) for row in connection.execute(query)]


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as a plain tuple: its columns are those of the value made from it, in order."""
    return tuple(row)


def _is_like(connection: Connection, model: str) -> ColumnElement[bool]:
    """Globs are matched here: the databases' LIKE differs in case and in what it takes for a letter."""
    if not any(sign in model for sign in "*?["):
        return models.c.model_id == model
    ids = connection.execute(select(models.c.model_pk, models.c.model_id))
    pks = [model_pk for model_pk, model_id in ids if fnmatchcase(model_id, model)]
    # Written into the statement: as many parameters may be more than a database takes.
    return catalog_changes.c.model_pk.in_(bindparam("pks", pks, expanding=True, literal_execute=True))


def _filtered(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.mode is not None:
        query = query.where(models.c.mode == wanted.mode)
    if wanted.provider is not None:
        query = query.where(models.c.provider == wanted.provider)
    return query
