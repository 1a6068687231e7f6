"""What a run reads before it can plan. Reads only, but for the locks of ``lock_mode_states``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, bindparam, func, select

from models_db.tables import credit_history, model_versions, models, sync_run_modes, sync_runs, sync_state
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.changes.plan import ModeWatermark
from sync.catalog.changes.stored import Listed, Stored
from sync.store.batches import batches


class ModeState(Struct, frozen=True):
    """The check-and-set row of a mode."""

    version: int
    last: ModeWatermark
    base_url: str | None = None
    """The base URL of the last applied sync; None before the first one. Imports leave it."""
    models_listed: int | None = None
    """The number of listed models after the last applied run; None before the first one."""
    listed_root: str | None = None
    """The root of the hash tree over them; None before the first sealed run."""


class LastKey(Struct, frozen=True):
    """The fingerprint of an API key, and the run that used it."""

    run_id: int
    fingerprint: str


def mode_states(connection: Connection, modes: Sequence[str]) -> dict[str, ModeState]:
    """The state of each mode, in mode order."""
    return _states(connection, _states_query(modes))


def lock_mode_states(connection: Connection, modes: Sequence[str]) -> dict[str, ModeState]:
    """The state of each mode, in mode order, locked until the transaction ends: other runs wait.

    Every run locks in the same order, so two runs at once wait for each other and do not deadlock.
    SQLite has no row locks and needs none: BEGIN IMMEDIATE gave this transaction the only write lock.
    """
    return _states(connection, _states_query(modes).with_for_update())


def _states_query(modes: Sequence[str]) -> Select[Any]:
    return select(sync_state).where(sync_state.c.mode.in_(modes)).order_by(sync_state.c.mode)


def _states(connection: Connection, query: Select[Any]) -> dict[str, ModeState]:
    return {
        row.mode: ModeState(
            row.version,
            ModeWatermark(row.observed_at, row.good_asked_at, row.good_observed_at),
            row.base_url,
            row.models_listed,
            row.listed_root,
        )
        for row in connection.execute(query)
    }


def listed_models(connection: Connection, mode: str) -> dict[str, Listed]:
    """Every listed model of a mode by id."""
    query = select(models.c.model_id, models.c.model_pk, models.c.fingerprint).where(
        models.c.mode == mode, models.c.removed_at.is_(None)
    )
    return {model_id: Listed(model_pk, fingerprint) for model_id, model_pk, fingerprint in connection.execute(query)}


def stored_models(connection: Connection, mode: str, model_ids: Sequence[str]) -> dict[str, Stored]:
    """What is stored of these models, by id; a model that was never listed is left out."""
    query = _stored_query(mode)
    rows = (row for batch in batches(model_ids) for row in connection.execute(query, {"model_ids": batch}))
    return {
        row.model_id: Stored(
            model_pk=row.model_pk,
            is_listed=row.removed_at is None,
            fingerprint=row.fingerprint,
            name=row.name,
            provider=row.provider,
            raw=row.raw,
            since=row.valid_from,
            cost=row.default_cost_exact,
        )
        for row in rows
    }


def run_status(connection: Connection, run_id: int) -> str | None:
    """The status in a run's row; None when there is no such row."""
    return connection.execute(select(sync_runs.c.status).where(sync_runs.c.run_id == run_id)).scalar()


def last_key(connection: Connection) -> LastKey | None:
    """The API key of the last run that used one; None before the first."""
    query = (
        select(sync_runs.c.run_id, sync_runs.c.key_fingerprint)
        .where(sync_runs.c.key_fingerprint.is_not(None))
        .order_by(sync_runs.c.run_id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else LastKey(row.run_id, row.key_fingerprint)


def was_applied(connection: Connection, mode: str, observed_at: datetime, payload_sha256: str) -> bool:
    """Whether a run applied exactly this payload, observed at exactly this time."""
    query = (
        select(func.count())
        .select_from(sync_run_modes.join(sync_runs, sync_runs.c.run_id == sync_run_modes.c.run_id))
        .where(
            sync_runs.c.observed_at == observed_at,
            sync_run_modes.c.mode == mode,
            sync_run_modes.c.payload_sha256 == payload_sha256,
            sync_run_modes.c.status.in_(APPLIED_STATUSES),
        )
    )
    return bool(connection.execute(query).scalar())


def _stored_query(mode: str) -> Select[tuple[object, ...]]:
    # The cost of a removed model is in its last interval, which is closed: relisted events need it.
    last_cost = credit_history.alias("last_cost")
    last_from = (
        select(func.max(credit_history.c.valid_from))
        .where(credit_history.c.model_pk == models.c.model_pk)
        .scalar_subquery()
    )
    return (
        select(
            models.c.model_id,
            models.c.model_pk,
            models.c.removed_at,
            models.c.fingerprint,
            models.c.name,
            models.c.provider,
            model_versions.c.raw,
            model_versions.c.valid_from,
            last_cost.c.default_cost_exact,
        )
        .select_from(models)
        .outerjoin(model_versions, model_versions.c.open_model_pk == models.c.model_pk)
        .outerjoin(last_cost, (last_cost.c.model_pk == models.c.model_pk) & (last_cost.c.valid_from == last_from))
        .where(models.c.mode == mode, models.c.model_id.in_(bindparam("model_ids", expanding=True)))
    )
