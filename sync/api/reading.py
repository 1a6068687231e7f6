"""Reads what is recorded, as values of the library. Each function sees the one moment of its connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sync.api.changes import exact
from sync.api.records import CostAt, CostInterval, Finding, Model, ModelDetail, Run, RunMode
from sync.catalog.similar import did_you_mean, similar
from sync.errors import UnknownModel

if TYPE_CHECKING:
    from sync.catalog.history import cost_timeline
    from sync.catalog.history.as_of import CatalogEntry
    from sync.store.database import Connection
    from sync.store.model_queries import KnownModel


def models(connection: Connection, mode: str | None, provider: str | None, moment: datetime | None) -> list[Model]:
    """The listed models, now or at a moment."""
    from sync.catalog.history.as_of import catalog_entry
    from sync.store import queries

    if moment is None:
        return [*map(_model, queries.current_models(connection, queries.Filter(mode=mode, provider=provider)))]
    # Filtered here: the provider of a past version is in its JSON text alone.
    past = map(catalog_entry, queries.versions_at(connection, moment, mode))
    return [_model(entry) for entry in past if provider in (None, entry.provider)]


def _model(entry: CatalogEntry) -> Model:
    values = {each.name: getattr(entry, each.name) for each in fields(Model)}
    return Model(**{**values, "credit_cost": exact(entry.credit_cost)})


def model(connection: Connection, model_id: str, mode: str, moment: datetime | None) -> ModelDetail:
    """One model in full. Raises ``UnknownModel``."""
    from sync.catalog.history.model_detail import model_detail
    from sync.store import model_queries

    known = _known_model(connection, model_id, mode)
    version = model_queries.version_at(connection, known.model_pk, moment)
    if version is None:
        raise UnknownModel(
            f"{model_id!r} was not listed yet in mode {mode} at {moment}; it was first observed at"
            f" {known.first_seen_at}: give a later time",
            model_id,
        )
    values: dict[str, Any] = asdict(model_detail(version.raw))
    del values["raw_available_params"]
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    intervals = model_queries.cost_intervals(connection, known.model_pk)
    return ModelDetail(
        mode=mode,
        model_id=model_id,
        is_listed=version.valid_to is None or (moment is not None and moment < version.valid_to),
        first_seen_at=known.first_seen_at,
        unchanged_since=version.valid_from,
        **{**values, "credit_cost": exact(values["credit_cost"])},
        cost_history=tuple(_cost_history(intervals, moment)),
        raw=version.raw,
    )


def _cost_history(intervals: Iterable[cost_timeline.CostInterval], moment: datetime | None) -> Iterator[CostInterval]:
    """The intervals as they were stored at a moment: one that ended later is open."""
    for each in intervals:
        if moment is None or each.valid_from <= moment:
            ended = each.valid_to if moment is None or not each.valid_to or each.valid_to <= moment else None
            yield CostInterval(each.valid_from, ended, exact(each.credit_cost))


def cost_at(connection: Connection, model_id: str, mode: str, moment: datetime) -> CostAt:
    """The cost of a model at a moment. Raises ``UnknownModel``."""
    from sync.catalog.history.cost_at import known_cost
    from sync.store import catalog_facts, model_queries

    pk = _known_model(connection, model_id, mode).model_pk
    known = known_cost(
        model_queries.cost_intervals(connection, pk),
        model_queries.cost_events(connection, pk, after=moment),
        moment,
        catalog_facts.first_observed(connection, mode),
    )
    return CostAt(
        mode=mode,
        model_id=model_id,
        moment=moment,
        value=exact(known.credit_cost),
        low=known.low,
        high=known.high,
        is_listed=known.is_listed,
        is_sure=known.is_sure,
        since=known.since,
        unsure_from=known.unsure_from,
        unsure_until=known.unsure_until,
        last_observed_at=last_success(connection, mode),
    )


def _known_model(connection: Connection, model_id: str, mode: str) -> KnownModel:
    from sync.store import model_queries

    found = model_queries.find(connection, model_id, None)
    in_mode = next((each for each in found if each.mode == mode), None)
    if in_mode is not None:
        return in_mode
    if found:
        raise UnknownModel(f"{model_id!r} was never listed in mode {mode}, but in mode {found[0].mode}", model_id)
    names = similar(model_id, model_queries.all_ids(connection))
    hint = did_you_mean(names) if names else "Catalog.models lists those that are listed"
    raise UnknownModel(f"no model {model_id!r} was ever listed; {hint}", model_id, names)


def runs(connection: Connection, limit: int) -> list[Run]:
    """The last runs, newest first."""
    from sync.store import queries

    rows = (row._mapping for row in queries.recent_runs(connection, limit))  # noqa: SLF001  # public, despite its name
    return [_run([*of_run]) for _, of_run in groupby(rows, key=lambda row: row["run_id"])]


def _run(rows: list[Any]) -> Run:
    in_modes = [{**row, "status": row["mode_status"]} for row in rows if row["mode"] is not None]
    modes = tuple(RunMode(**{each.name: row[each.name] for each in fields(RunMode)}) for row in in_modes)
    return Run(**{each.name: rows[0][each.name] for each in fields(Run) if each.name != "modes"}, modes=modes)


def last_success(connection: Connection, mode: str) -> datetime | None:
    """When the last successful sync observed the mode."""
    from sync.store import queries

    return next((each.good_observed_at for each in queries.last_successes(connection) if each.mode == mode), None)


def findings(connection: Connection, *, thorough: bool) -> list[Finding]:
    """What ``verify`` finds."""
    from sync.store.verify.read_models import Verification

    found = Verification(connection, thorough=thorough).findings()
    return [Finding(each.table, each.mode, each.model_id, each.at, each.problem) for each in found]
