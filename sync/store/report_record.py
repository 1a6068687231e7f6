"""The record behind a report: the runs of its period, what they requested, and the seals. Reads only."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from models_db.tables import sync_runs
from sync.catalog.history.report_data import Period, PeriodRecord
from sync.store.identity import read_identity
from sync.store.seal_facts import sealed_tree

_MOST_NAMES = 20  # of base URLs, and of keys


def read_record(connection: Connection, period: Period) -> PeriodRecord:
    """The record of a period, of all modes."""
    of, in_period = sync_runs.c, _in_period(period)
    counts = connection.execute(
        select(of.status, func.count(), func.min(of.run_id), func.max(of.run_id)).where(in_period).group_by(of.status)
    ).all()
    imported = select(func.count()).select_from(sync_runs).where(in_period, of.trigger_kind == "import")
    identity, tree = read_identity(connection), sealed_tree(connection)
    return PeriodRecord(
        catalog_id=None if identity is None else identity.catalog_id,
        tree=tree,
        run_counts={status: number for status, number, _, _ in sorted(counts, key=lambda row: (-row[1], row[0]))},
        first_run_id=min((row[2] for row in counts), default=None),
        last_run_id=max((row[3] for row in counts), default=None),
        imported=connection.execute(imported).scalar() or 0,
        base_urls=_names(connection, of.base_url, in_period),
        keys=_names(connection, of.key_fingerprint, in_period),
    )


def _in_period(period: Period) -> ColumnElement[bool]:
    """Of the runs without a response the start counts."""
    observed, started = sync_runs.c.observed_at, sync_runs.c.started_at
    return or_(
        and_(observed >= period.since, observed < period.until),
        and_(observed.is_(None), started >= period.since, started < period.until),
    )


def _names(connection: Connection, column: ColumnElement[str], in_period: ColumnElement[bool]) -> list[str]:
    query = select(column).where(in_period, column.is_not(None)).distinct().limit(_MOST_NAMES)
    return sorted(connection.scalars(query))
