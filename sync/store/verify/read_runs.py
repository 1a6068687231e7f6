"""What each run was to each mode, for the proof of history that names runs. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from models_db.tables import sync_run_modes, sync_runs
from sync.catalog.modes import MODES
from sync.catalog.verify.runs import RunInMode
from sync.store.read import chunks
from sync.store.verify.raw_rows import raw, time

# Models have most of their runs in common: what was read is kept, up to so many runs.
_KEPT = 50_000


@dataclass
class RunCache:
    """Reads runs as they are asked for."""

    connection: Connection
    _kept: dict[str, dict[int, RunInMode]] = field(default_factory=lambda: {mode: {} for mode in MODES})

    def of(self, run_ids: set[int]) -> Mapping[str, Mapping[int, RunInMode]]:
        """At least these runs by mode; one that is not on record is missing."""
        unread = run_ids - self._kept[MODES[0]].keys()
        if len(self._kept[MODES[0]]) + len(unread) > _KEPT:
            self._kept, unread = {mode: {} for mode in MODES}, run_ids
        for mode, looks in _read(self.connection, unread).items():
            self._kept.setdefault(mode, {}).update(looks)
        return self._kept


def _read(connection: Connection, run_ids: set[int]) -> dict[str, dict[int, RunInMode]]:
    asked = _previous_asked(connection, run_ids)
    looks: dict[str, dict[int, RunInMode]] = defaultdict(dict)
    columns = [sync_runs.c.run_id, sync_runs.c.status.label("run_status"), raw(sync_runs, "observed_at")]
    columns += [raw(sync_run_modes, name) for name in ("status", "asked_at", "previous_success_at", "mode")]
    for chunk in chunks(sorted(run_ids)):
        query = select(*columns).select_from(sync_runs.outerjoin(sync_run_modes)).where(sync_runs.c.run_id.in_(chunk))
        for row in connection.execute(query):
            if row.mode is not None:
                looks[row.mode][row.run_id] = RunInMode(
                    status=row.status,
                    run_status=row.run_status,
                    observed_at=time(row.observed_at),
                    asked_at=time(row.asked_at),
                    previous_success_at=time(row.previous_success_at),
                    previous_asked=frozenset(asked[row.run_id, row.mode]),
                )
            for mode in MODES:
                looks[mode].setdefault(row.run_id, RunInMode(None, row.run_status))
    return looks


def _previous_asked(connection: Connection, run_ids: set[int]) -> dict[tuple[int, str], set[datetime]]:
    """When the success that a run names as the one before it began asking, as far as it is on record.

    A later run may have observed at that moment too, by a clock that was set back; its number is higher.
    """
    earlier, success = sync_runs.alias(), sync_run_modes.alias()
    query = (
        select(sync_run_modes.c.run_id, sync_run_modes.c.mode, raw(success, "asked_at"))
        .join(earlier, earlier.c.observed_at == sync_run_modes.c.previous_success_at)
        .join(success, (success.c.run_id == earlier.c.run_id) & (success.c.mode == sync_run_modes.c.mode))
        .where(success.c.status == "success", success.c.run_id < sync_run_modes.c.run_id)
    )
    found: dict[tuple[int, str], set[datetime]] = defaultdict(set)
    for chunk in chunks(sorted(run_ids)):
        for run_id, mode, asked_at in connection.execute(query.where(sync_run_modes.c.run_id.in_(chunk))):
            began = time(asked_at)
            if isinstance(began, datetime):
                found[run_id, mode].add(began)
    return found
