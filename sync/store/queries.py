"""Queries of the commands that list models, changes and runs. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, true

from models_db.dialects import latest_interval_start
from models_db.tables import (
    credit_history,
    credits,
    model_versions,
    models,
    sync_run_modes,
    sync_runs,
    sync_state,
)
from sync.catalog.history.as_of import CatalogEntry, PastVersion
from sync.store.recorded_json import accepted_in


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions of a list; None and an empty sequence match everything. Times in UTC."""

    mode: str | None = None
    provider: str | None = None
    kinds: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    """Excluded itself."""
    entities: Sequence[str] = ()
    model: str | None = None
    """A model's id or a pattern for ids: ``*``, ``?`` and ``[...]`` as in file names, case-sensitive."""
    field: str | None = None
    """An entity, a dot and a field, or a pattern for them, as for ``model``."""
    min_percent: float | None = None
    """Only costs that changed by at least this percentage, up or down."""


@dataclass(frozen=True, slots=True)
class LastSuccess:
    """When the last successful sync of a mode observed it; None when there was none."""

    mode: str
    good_observed_at: datetime | None
    base_url: str | None
    """Where the last applied sync fetched from."""


def current_models(connection: Connection, filters: Filter) -> Iterator[CatalogEntry]:
    """The listed models, in the order of mode and id."""
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
    return (CatalogEntry(*_values(row)) for row in connection.execute(_filtered(query, filters)))


def versions_at(connection: Connection, moment: datetime, mode: str | None) -> Iterator[PastVersion]:
    """The version of each model listed at a moment, in the order of mode and id."""
    query = select(
        models.c.mode,
        models.c.model_id,
        model_versions.c.raw,
        credit_history.c.valid_from,
        models.c.first_seen_at,
    ).select_from(models)
    for interval in (model_versions, credit_history):
        start = latest_interval_start(connection, interval, moment)
        query = query.join(start, start.c.model_pk == models.c.model_pk).join(
            interval, (interval.c.model_pk == start.c.model_pk) & (interval.c.valid_from == start.c.valid_from)
        )
        # COALESCE keeps the databases from using the index on valid_to, which would read every interval
        # that ended after the moment.
        query = query.where(func.coalesce(interval.c.valid_to > moment, true()))
    query = query.order_by(models.c.mode, models.c.model_id)
    query = query if mode is None else query.where(models.c.mode == mode)
    return (PastVersion(*_values(row)) for row in connection.execute(query))


def recent_runs(connection: Connection, limit: int) -> list[Row[tuple[object, ...]]]:
    """The last runs, newest first: a row for each mode of a run, or one without a mode if it has none."""
    # The limit counts runs, and a run has a row for each of its modes: it is applied before the join.
    last = select(sync_runs.c.run_id).order_by(sync_runs.c.run_id.desc()).limit(limit).subquery()
    query = (
        select(
            sync_runs.c.run_id,
            sync_runs.c.started_at,
            sync_runs.c.finished_at,
            sync_runs.c.status,
            sync_runs.c.trigger_kind,
            sync_runs.c.base_url,
            sync_runs.c.host,
            sync_runs.c.key_fingerprint,
            sync_runs.c.error_message,
            sync_runs.c.note,
            sync_runs.c.accepted,
            sync_run_modes.c.mode,
            sync_run_modes.c.status.label("mode_status"),
            sync_run_modes.c.models_received,
            sync_run_modes.c.models_rejected,
            sync_run_modes.c.models_added,
            sync_run_modes.c.models_changed,
            sync_run_modes.c.models_removed,
            sync_run_modes.c.removals_held,
            sync_run_modes.c.models_listed,
            sync_run_modes.c.hold_reason,
        )
        .select_from(sync_runs.join(last, last.c.run_id == sync_runs.c.run_id))
        .outerjoin(sync_run_modes, sync_run_modes.c.run_id == sync_runs.c.run_id)
        .order_by(sync_runs.c.run_id.desc(), sync_run_modes.c.mode)
    )
    return list(connection.execute(query))


def last_successes(connection: Connection) -> list[LastSuccess]:
    """The last success of each mode, in mode order."""
    query = select(sync_state.c.mode, sync_state.c.good_observed_at, sync_state.c.base_url)
    return [LastSuccess(*_values(row)) for row in connection.execute(query.order_by(sync_state.c.mode))]


def acceptances(connection: Connection, limit: int) -> dict[int, dict[str, Any]]:
    """What persons accepted in the last runs in which they did, by run, newest first.

    Raises ``CheckFailed`` for what no run writes.
    """
    runs = sync_runs.c
    query = select(runs.run_id, runs.accepted).where(runs.accepted.is_not(None)).order_by(runs.run_id.desc())
    return {row.run_id: accepted_in(row.run_id, row.accepted) or {} for row in connection.execute(query.limit(limit))}


def _values(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as an untyped tuple, for a class whose fields are the columns of the query in the same order."""
    return tuple(row)


def _filtered(query: Select[Any], filters: Filter) -> Select[Any]:
    if filters.mode is not None:
        query = query.where(models.c.mode == filters.mode)
    if filters.provider is not None:
        query = query.where(models.c.provider == filters.provider)
    return query
