"""Reads the evidence for a model at a moment. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Select, Table, exists, func, select

from models_db.tables import (
    catalog_changes,
    credit_history,
    model_versions,
    rejected_models,
    sync_run_modes,
    sync_runs,
    watch_days,
)
from sync.catalog.history.evidence import (
    Evidence,
    HeldBack,
    ObservedInterval,
    RecordedRun,
    Rejection,
    accepted_times,
    last_accepted,
)
from sync.store.model_queries import KnownModel
from sync.store.recorded_json import accepted_in, held_ids_in
from sync.store.seal_facts import sealed_tree, seals_of

_OF_RUN = (
    sync_runs.c.run_id,
    sync_runs.c.trigger_kind,
    sync_runs.c.host,
    sync_runs.c.app_version,
    sync_runs.c.base_url,
    sync_runs.c.key_fingerprint,
    sync_runs.c.source_catalog_id,
    sync_runs.c.source_run_id,
    sync_runs.c.accepted,
    sync_run_modes.c.status.label("mode_status"),
    sync_run_modes.c.stamp,
    sync_run_modes.c.asked_at,
    sync_run_modes.c.http_status,
    sync_run_modes.c.response_age,
    sync_run_modes.c.payload_bytes,
    sync_run_modes.c.payload_sha256,
)


def read_evidence(connection: Connection, model: KnownModel, moment: datetime) -> Evidence | None:
    """The evidence for a model; None if it was not listed yet. The connection must see one moment of the database."""
    version = _interval_at(connection, model_versions, model.model_pk, moment)
    if version is None:
        return None
    is_listed = version.valid_to is None or version.valid_to > moment
    state = _observed(connection, model, version) if is_listed else _absence(connection, model, version, moment)
    cost = _interval_at(connection, credit_history, model.model_pk, moment) if is_listed else None
    rejections = [each for _, each in rejections_of(connection, model.model_id, model.mode)]
    confirmed_at, confirmed_run_id = _confirmation(connection, model, state, moment, rejections)
    next_at, next_run_id = _next(connection, model, state, moment)
    held = _held(connection, model, moment)
    observed_cost = None if cost is None else _observed(connection, model, cost)
    at_moment = [each for each in rejections if each.contains(moment)]
    named = {confirmed_run_id, next_run_id, None if held is None else held.run_id, *(each.run_id for each in at_moment)}
    for interval in (state, observed_cost):
        named |= set() if interval is None else {interval.opened_run_id, interval.closed_run_id}
    return Evidence(
        as_of=moment,
        tree=sealed_tree(connection),
        is_listed=is_listed,
        state=state,
        cost=observed_cost,
        raw_sha256=sha256(version.raw.encode()).hexdigest() if is_listed else None,
        confirmed_at=confirmed_at,
        confirmed_run_id=confirmed_run_id,
        next_at=next_at,
        next_run_id=next_run_id,
        held=held,
        rejections=at_moment,
        runs=_runs(connection, model.mode, sorted(each for each in named if each is not None)),
    )


def rejections_of(connection: Connection, model_id: str, mode: str | None) -> Iterator[tuple[str, Rejection]]:
    """The rejections of the models with this id, with their modes, oldest first."""
    of = rejected_models.c
    query = select(of.mode, of.valid_from, of.valid_to, of.reason, of.raw_sha256, of.opened_run_id)
    query = query.where(of.model_id == model_id).order_by(of.valid_from, of.raw_sha256)
    query = query if mode is None else query.where(of.mode == mode)
    return ((name, Rejection(*rest)) for name, *rest in connection.execute(query))


def _interval_at(connection: Connection, table: Table, model_pk: int, moment: datetime) -> Row[Any] | None:
    """The last interval that began at or before the moment; it may have ended before it."""
    of = table.c
    columns = [of.valid_from, of.valid_to, of.opened_run_id, of.closed_run_id, *([of.raw] if "raw" in of else [])]
    query = select(*columns).where(of.model_pk == model_pk, of.valid_from <= moment)
    return connection.execute(query.order_by(of.valid_from.desc()).limit(1)).first()


def _observed(connection: Connection, model: KnownModel, interval: Row[Any]) -> ObservedInterval:
    return ObservedInterval(
        interval.valid_from,
        _not_before(connection, model, interval.opened_run_id),
        interval.opened_run_id,
        interval.valid_to,
        _not_before(connection, model, interval.closed_run_id),
        interval.closed_run_id,
    )


def _absence(connection: Connection, model: KnownModel, last: Row[Any], moment: datetime) -> ObservedInterval:
    """The time without a version around the moment: from the end of the last one to the begin of the next one."""
    of = model_versions.c
    query = select(of.valid_from, of.opened_run_id).where(of.model_pk == model.model_pk, of.valid_from > moment)
    following = connection.execute(query.order_by(of.valid_from).limit(1)).first()
    end, run_id = following or (None, None)
    before = (_not_before(connection, model, last.closed_run_id), _not_before(connection, model, run_id))
    return ObservedInterval(last.valid_to, before[0], last.closed_run_id, end, before[1], run_id)


def _not_before(connection: Connection, model: KnownModel, run_id: int | None) -> datetime | None:
    """The time after which the change happened that a run observed in the model."""
    of = catalog_changes.c
    query = select(func.min(of.not_before)).where(of.model_pk == model.model_pk, of.run_id == run_id)
    return None if run_id is None else connection.execute(query).scalar()


def _confirmation(
    connection: Connection,
    model: KnownModel,
    state: ObservedInterval,
    moment: datetime,
    rejections: Sequence[Rejection],
) -> tuple[datetime, int | None]:
    """The last observation at or before the moment, and the run that made it; None for the run if it was pruned."""
    end, start = last_accepted(moment, rejections), state.observed_from
    of = sync_run_modes.c
    query = _good_runs(model).where(of.stamp >= start, of.stamp <= end).order_by(of.stamp.desc()).limit(1)
    found = connection.execute(query).first()
    kept = (start, state.opened_run_id) if found is None else (found.stamp, found.run_id)
    # The times of the first and the last success of a day are kept when the runs of that day are pruned.
    watched = max(accepted_times(_watched_times(connection, model.mode, end), start, end, rejections), default=kept[0])
    return kept if watched <= kept[0] else (watched, None)


def _next(
    connection: Connection, model: KnownModel, state: ObservedInterval, moment: datetime
) -> tuple[datetime | None, int | None]:
    """The first observation after the moment whose run is there; at the latest the one that ended the state."""
    of = sync_run_modes.c
    query = _good_runs(model).where(of.stamp > moment).order_by(of.stamp).limit(1)
    if state.observed_until is not None:
        query = query.where(of.stamp < state.observed_until)
    found = connection.execute(query).first()
    return (state.observed_until, state.closed_run_id) if found is None else (found.stamp, found.run_id)


def _good_runs(model: KnownModel) -> Select[Any]:
    """The runs that observed whether the model was listed, and how."""
    of = sync_run_modes.c
    return select(of.stamp, of.run_id).where(of.mode == model.mode, of.is_good == 1, ~_is_rejected_in(model))


def _is_rejected_in(model: KnownModel) -> ColumnElement[bool]:
    """Whether the run of a row of ``sync_run_modes`` got the model and rejected it."""
    of, stamp = rejected_models.c, sync_run_modes.c.stamp
    is_open = of.valid_to.is_(None) | (of.valid_to > stamp)
    return exists().where(of.mode == model.mode, of.model_id == model.model_id, of.valid_from <= stamp, is_open)


def _watched_times(connection: Connection, mode: str, end: datetime) -> Iterator[datetime | None]:
    """The first and the last success of the last two days with one, up to that of ``end``."""
    of = watch_days.c
    query = select(of.first_success_at, of.last_success_at).where(of.mode == mode)
    query = query.where(of.day <= end.astimezone(UTC).date()).order_by(of.day.desc()).limit(2)
    return (each for row in connection.execute(query) for each in row)


def _held(connection: Connection, model: KnownModel, moment: datetime) -> HeldBack | None:
    """What the last applied run at or before the moment held back."""
    of = sync_run_modes.c
    query = select(of.run_id, of.stamp, of.hold_reason, of.held_ids).where(of.mode == model.mode, of.stamp <= moment)
    row = connection.execute(query.order_by(of.stamp.desc()).limit(1)).first()
    if row is None or row.hold_reason is None:
        return None
    return HeldBack(row.run_id, row.stamp, row.hold_reason, model.model_id in held_ids_in(row.run_id, row.held_ids))


def _runs(connection: Connection, mode: str, run_ids: Sequence[int]) -> list[RecordedRun]:
    of_mode = (sync_run_modes.c.run_id == sync_runs.c.run_id) & (sync_run_modes.c.mode == mode)
    query = select(*_OF_RUN).select_from(sync_runs.outerjoin(sync_run_modes, of_mode))
    rows = connection.execute(query.where(sync_runs.c.run_id.in_(run_ids))).mappings()
    runs = {row["run_id"]: _recorded(row) for row in rows}
    sealed = seals_of(connection, run_ids)
    return [
        replace(run, seal_no=sealed[run.run_id].seal_no, leaf_hash=sealed[run.run_id].leaf_hash)
        if run.run_id in sealed
        else run
        for run in (runs.get(run_id, RecordedRun(run_id)) for run_id in run_ids)
    ]


def _recorded(row: RowMapping) -> RecordedRun:
    accepted = accepted_in(row["run_id"], row["accepted"])
    return RecordedRun(**{**row, "is_recorded": True, "accepted": accepted})
