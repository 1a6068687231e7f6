"""A sync of a tick, which one of any number of processes makes."""

from __future__ import annotations

from datetime import datetime

from sync.errors import TickTaken
from sync.run.result import RunResult
from sync.run.sync import SyncDependencies, run_sync
from sync.store.database import Connection, Engine, in_snapshot
from sync.store.ticks import is_missed


def run_sync_of_tick(
    engine: Engine, deps: SyncDependencies, *, dry_run: bool = False, missed_at: datetime | None = None
) -> RunResult | None:
    """Runs one sync, and raises what ``run_sync`` raises; None if another run has claimed ``deps.tick``.

    With ``missed_at``, the time of the tick, it is also None if each mode had a successful sync since then.
    """

    def is_due(connection: Connection) -> bool:
        return missed_at is None or is_missed(connection, deps.modes, missed_at)

    try:
        if missed_at is None or in_snapshot(engine, is_due, pause=deps.pause):
            return run_sync(engine, deps, dry_run=dry_run)
    except TickTaken:
        pass
    return None
