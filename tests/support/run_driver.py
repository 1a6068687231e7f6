"""Whole runs without a network: the responses are made up, and the test sets the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from msgspec.structs import replace
from sqlalchemy import Engine, select

from models_db.tables.metadata import metadata
from sync.catalog.guards import GuardSettings
from sync.errors import CatalogSyncError
from sync.run import RunResult, SyncDependencies, run_sync
from sync.run.source_check import Acceptance
from sync.source.http.results import Fetched, FetchFailed
from tests.support.made_responses import body

Sent: TypeAlias = Sequence[object] | bytes | CatalogSyncError
"""What the API sends for a mode: models, the bytes of a response, or an error."""

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
START = datetime(2026, 3, 1, 10, tzinfo=UTC)
Rows = dict[str, list[tuple[Any, ...]]]


def nothing() -> None:
    """The default of ``Host.meanwhile``."""


@dataclass
class Host:
    """A machine that syncs once an hour. A fetch takes two seconds, and the response carries the API's date."""

    engine: Engine
    now: datetime = START
    server_is_behind: timedelta = timedelta(0)
    age: int | None = None
    """The Age of each response, which has been in a cache for that number of seconds."""
    base_url: str = "https://example.org"
    meanwhile: Callable[[], object] = nothing
    """Called between the request and the response."""
    fetched: list[str] = field(default_factory=list)
    """Every mode that was fetched, in order."""

    def sync(
        self,
        image: Sent = (),
        video: Sent = (),
        *,
        modes: Sequence[str] = ("image", "video"),
        accept: Any = None,
        accept_costs: Any = None,
        acceptance: Acceptance = Acceptance(),  # noqa: B008  # a frozen value
        dry_run: bool = False,
    ) -> RunResult:
        deps = self.dependencies(
            {"image": image, "video": video}, modes, GuardSettings(accept_removals=accept, accept_costs=accept_costs)
        )
        deps = replace(deps, acceptance=acceptance)
        try:
            return run_sync(self.engine, deps, dry_run=dry_run)
        finally:
            self.now += HOUR - 2 * SECOND

    def dependencies(self, sent: Mapping[str, Sent], modes: Sequence[str], guards: GuardSettings) -> SyncDependencies:
        def fetch(modes: Sequence[str]) -> dict[str, Fetched | FetchFailed]:
            asked_at = self.now
            self.fetched += modes
            self.meanwhile()
            self.now += 2 * SECOND
            return {mode: self._outcome(mode, sent[mode], asked_at) for mode in modes}

        return SyncDependencies(
            fetch=fetch,
            clock=lambda: self.now,
            app_version="0",
            base_url=self.base_url,
            modes=modes,
            guards=guards,
        )

    def _outcome(self, mode: str, sent: Sent, asked_at: datetime) -> Fetched | FetchFailed:
        date = self.now - self.server_is_behind - SECOND * (self.age or 0)
        if isinstance(sent, CatalogSyncError):
            return FetchFailed(mode, sent, 503, 4, asked_at, date)
        content = sent if isinstance(sent, bytes) else body(mode, sent)
        return Fetched(mode, content, 200, 1, asked_at, date, self.now, self.age)


def dump(engine: Engine) -> Rows:
    """All rows of each table."""
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def added_rows(before: Rows, after: Rows) -> dict[str, int]:
    """The number of new rows by table; fails if another row changed or disappeared.

    A run changes its mode's row of sync_state, its day's of watch_days, and the tree in catalog_identity.
    """
    for table in before.keys() - {"sync_state", "watch_days", "catalog_identity"}:
        assert set(before[table]) - set(after[table]) == set(), table
    return {name: len(after[name]) - len(rows) for name, rows in before.items() if len(after[name]) != len(rows)}


def column(engine: Engine, name: str, *names: str, where: Mapping[str, object] | None = None) -> list[Any]:
    """Columns of one table in the order of its key, ``name`` as ``table.column``: values of one column, or tuples."""
    table_name, _, first = name.partition(".")
    table = metadata.tables[table_name]
    query = select(*(table.c[one] for one in (first, *names))).order_by(*table.primary_key.columns)
    for key, value in (where or {}).items():
        query = query.where(table.c[key] == value)
    with engine.connect() as connection:
        rows: Iterable[Any] = connection.execute(query)
        return [tuple(row) if names else row[0] for row in rows]
