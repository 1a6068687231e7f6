"""What a report shows, read from one moment of the database. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from models_db.tables import (
    catalog_changes,
    credit_history,
    ignored_fields,
    models,
    rejected_models,
    sync_runs,
    watch_days,
)
from sync.catalog.history.cost_timeline import CostInterval
from sync.catalog.history.report_data import (
    Acceptance,
    CostEvent,
    Held,
    IgnoredField,
    ModelCosts,
    Period,
    RejectedModel,
    ReportData,
    WatchedMode,
)
from sync.catalog.modes import MODES
from sync.store.catalog_facts import first_observed
from sync.store.held import held_modes
from sync.store.queries import last_successes
from sync.store.recorded_json import accepted_in
from sync.store.report_record import read_record

MOST_EVENTS = 3000
"""The most events that a report lists: with 1,000 models it stays below 5 MB."""
_MOST_NOTES = 200  # rejected models, and decisions of persons


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """What a report is about; None is every mode, every provider."""

    period: Period
    mode: str | None = None
    provider: str | None = None

    @property
    def modes(self) -> Sequence[str]:
        return MODES if self.mode is None else (self.mode,)


def read_report(connection: Connection, wanted: ReportFilter) -> ReportData:
    """What a report shows of a catalog. The connection must see one moment of the database."""
    counts = dict(_event_counts(connection, wanted))
    return ReportData(
        asked=wanted.period,
        mode_begins=dict(_mode_begins(connection, wanted)),
        models=list(_models(connection, wanted)),
        events=list(_events(connection, wanted)),
        event_counts=counts,
        first_listed=_first_listed(connection, wanted),
        other_changes=dict(_other_changes(connection, wanted)),
        watched=list(_watched(connection, wanted)),
        held=[
            Held(each.mode, each.run_id, each.hold_reason, each.held_ids, len(each.held_ids) or each.removals_held)
            for each in held_modes(connection)
            if each.mode in wanted.modes
        ],
        rejected=list(_rejected(connection, wanted)),
        rejected_count=_rejected_count(connection, wanted),
        ignored=list(_ignored(connection, wanted)),
        accepted=list(_accepted(connection, wanted)),
        record=read_record(connection, wanted.period),
    )


def _mode_begins(connection: Connection, wanted: ReportFilter) -> Iterator[tuple[str, datetime]]:
    """Of every provider: the models of a new one are new, those of the first sync are not."""
    for mode in wanted.modes:
        begin = first_observed(connection, mode)
        if begin is not None:
            yield mode, begin


def _models(connection: Connection, wanted: ReportFilter) -> Iterator[ModelCosts]:
    """The models with the intervals that reach into the period, in the order of mode, provider and id."""
    columns = (models.c.mode, models.c.provider, models.c.model_id, models.c.name)
    interval = credit_history.c
    query = (
        select(*columns, interval.valid_from, interval.valid_to, interval.default_cost_exact)
        .join(models, models.c.model_pk == interval.model_pk)
        .where(*_overlaps(credit_history, wanted.period), *_of_models(wanted))
    )
    # Sorted here: the databases have their own orders of texts.
    rows = sorted(
        (
            (mode, provider or "", model_id, name or "", *rest)
            for mode, provider, model_id, name, *rest in connection.execute(query)
        ),
        key=itemgetter(0, 1, 2, 4),
    )
    for (mode, provider, model_id, name), parts in groupby(rows, key=itemgetter(0, 1, 2, 3)):
        intervals = tuple(CostInterval(*part[4:]) for part in parts)
        yield ModelCosts(mode, model_id, name, provider, intervals)


def _events(connection: Connection, wanted: ReportFilter) -> Iterator[CostEvent]:
    log = catalog_changes.c
    query = _of_events(
        select(
            log.changed_at,
            log.not_before,
            models.c.mode,
            models.c.model_id,
            log.model_name,
            log.provider,
            log.change_kind,
            log.old_cost_exact,
            log.new_cost_exact,
        ),
        wanted,
    ).where(_is_news())
    query = query.order_by(log.changed_at.desc(), log.change_id.desc()).limit(MOST_EVENTS)
    for at, start, mode, model_id, name, provider, *rest in connection.execute(query):
        yield CostEvent(at, start, mode, model_id, name or "", provider or "", *rest)


def _event_counts(connection: Connection, wanted: ReportFilter) -> Iterator[tuple[str, int]]:
    kind = catalog_changes.c.change_kind
    query = _of_events(select(kind, func.count()), wanted).where(_is_news()).group_by(kind)
    return ((name, number) for name, number in connection.execute(query))


def _first_listed(connection: Connection, wanted: ReportFilter) -> int:
    query = _of_events(select(func.count()), wanted).where(~_is_news())
    return connection.execute(query).scalar() or 0


def _other_changes(connection: Connection, wanted: ReportFilter) -> Iterator[tuple[str, int]]:
    entity = catalog_changes.c.entity
    query = _of_events(select(entity, func.count()), wanted, is_cost_event=0).group_by(entity).order_by(entity)
    return ((name, number) for name, number in connection.execute(query))


def _of_events(query: Select[Any], wanted: ReportFilter, *, is_cost_event: int = 1) -> Select[Any]:
    log, period = catalog_changes.c, wanted.period
    return (
        query.select_from(catalog_changes)
        # An outer join, as in v_credit_cost_changes: MariaDB would start from the models.
        .outerjoin(models, models.c.model_pk == log.model_pk)
        .where(log.is_cost_event == is_cost_event, log.changed_at >= period.since, log.changed_at < period.until)
        .where(*_of_models(wanted))
    )


def _is_news() -> ColumnElement[bool]:
    """Whether an event is not of a model that the first sync of its mode listed, and that had been there before."""
    return (catalog_changes.c.change_kind != "added") | catalog_changes.c.not_before.is_not(None)


def _watched(connection: Connection, wanted: ReportFilter) -> Iterator[WatchedMode]:
    """The days of watch_days, and not those of sync_run_modes: prune leaves them."""
    of, period = watch_days.c, wanted.period
    query = select(of.mode, of.day).where(
        of.day >= period.since.astimezone(UTC).date(), of.day <= period.until.astimezone(UTC).date()
    )
    days: dict[str, set[str]] = {mode: set() for mode in wanted.modes}
    for mode, day in connection.execute(query):
        days.setdefault(mode, set()).add(day.isoformat())
    firsts = connection.execute(select(of.mode, func.min(of.day).label("first_day")).group_by(of.mode))
    first_days = {row.mode: row.first_day for row in firsts}
    for success in last_successes(connection):
        if success.mode in wanted.modes:
            watched = frozenset(days[success.mode])
            yield WatchedMode(success.mode, success.good_observed_at, watched, first_days.get(success.mode))


def _rejected(connection: Connection, wanted: ReportFilter) -> Iterator[RejectedModel]:
    of = rejected_models.c
    query = select(of.mode, of.model_id, of.reason, of.valid_from, of.valid_to).where(*_is_rejected(wanted))
    query = query.order_by(of.valid_from.desc(), of.mode, of.raw_sha256).limit(_MOST_NOTES)
    return (RejectedModel(*row) for row in connection.execute(query))


def _rejected_count(connection: Connection, wanted: ReportFilter) -> int:
    query = select(func.count()).select_from(rejected_models).where(*_is_rejected(wanted))
    return connection.execute(query).scalar() or 0


def _is_rejected(wanted: ReportFilter) -> Iterable[ColumnElement[bool]]:
    return (*_overlaps(rejected_models, wanted.period), rejected_models.c.mode.in_(wanted.modes))


def _ignored(connection: Connection, wanted: ReportFilter) -> Iterator[IgnoredField]:
    of = ignored_fields.c
    query = select(of.path, of.valid_from, of.valid_to, of.added_by, of.reason)
    query = query.where(*_overlaps(ignored_fields, wanted.period)).order_by(of.path, of.valid_from)
    return (IgnoredField(*row) for row in connection.execute(query))


def _accepted(connection: Connection, wanted: ReportFilter) -> Iterator[Acceptance]:
    """The newest decisions of persons in the period."""
    of, period = sync_runs.c, wanted.period
    query = select(of.run_id, of.observed_at, of.accepted).where(
        of.accepted.is_not(None), of.observed_at >= period.since, of.observed_at < period.until
    )
    query = query.order_by(of.run_id.desc()).limit(_MOST_NOTES)
    rows = connection.execute(query)
    return (Acceptance(run_id, at, accepted_in(run_id, text) or {}) for run_id, at, text in rows)


def _overlaps(intervals: Table, period: Period) -> Iterable[ColumnElement[bool]]:
    """The intervals that have a moment in common with the period."""
    start, end = intervals.c.valid_from, intervals.c.valid_to
    return (start < period.until, end.is_(None) | (end > period.since))


def _of_models(wanted: ReportFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.mode is not None:
        yield models.c.mode == wanted.mode
    if wanted.provider is not None:
        yield models.c.provider == wanted.provider
