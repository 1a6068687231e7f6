"""Reads the runs that history refers to, for ``verify``. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, select

from models_db.tables import sync_run_modes, sync_runs
from sync.catalog.modes import MODES
from sync.catalog.times import good_start, seen_from
from sync.catalog.verify.runs import RunInMode
from sync.store.batches import batches
from sync.store.verify.raw_rows import raw, time

# Models share most of their runs, so runs that were read are kept; the limit bounds the memory.
_MAX_KEPT_RUNS = 50_000


@dataclass
class RunCache:
    """Reads each run once, as far as memory allows."""

    connection: Connection
    _kept: dict[str, dict[int, RunInMode]] = field(default_factory=lambda: {mode: {} for mode in MODES})

    def load(self, run_ids: set[int]) -> Mapping[str, Mapping[int, RunInMode]]:
        """By mode and ``run_id``: at least these runs, but for those that are not stored."""
        unread = run_ids - self._kept[MODES[0]].keys()
        if len(self._kept[MODES[0]]) + len(unread) > _MAX_KEPT_RUNS:
            self._kept, unread = {mode: {} for mode in MODES}, run_ids
        for mode, runs in _read(self.connection, unread).items():
            self._kept.setdefault(mode, {}).update(runs)
        return self._kept


def _read(connection: Connection, run_ids: set[int]) -> dict[str, dict[int, RunInMode]]:
    previous = _previous_good_starts(connection, run_ids)
    runs: dict[str, dict[int, RunInMode]] = defaultdict(dict)
    for batch in batches(sorted(run_ids)):
        for row in connection.execute(_runs_query().where(sync_runs.c.run_id.in_(batch))):
            if row.mode is not None:
                runs[row.mode][row.run_id] = RunInMode(
                    status=row.status,
                    run_status=row.run_status,
                    observed_at=time(row.observed_at),
                    asked_at=time(row.asked_at),
                    response_age=row.response_age,
                    previous_success_at=time(row.previous_success_at),
                    previous_asked_at=frozenset(previous[row.run_id, row.mode]),
                    event_rules=row.event_rules,
                    base_url=row.base_url,
                    stamp=time(row.stamp),
                    is_good=row.is_good,
                    hold_reason=row.hold_reason,
                    models_listed=row.models_listed,
                )
            for mode in MODES:
                runs[mode].setdefault(row.run_id, RunInMode(None, row.run_status))
    return runs


@cache
def _runs_query() -> Select[Any]:
    columns: list[ColumnElement[Any]] = [sync_runs.c.run_id, sync_runs.c.status.label("run_status")]
    columns += [raw(sync_runs, name) for name in ("observed_at", "base_url", "event_rules")]
    names = ("status", "asked_at", "response_age", "previous_success_at", "mode", "stamp")
    columns += [raw(sync_run_modes, name) for name in (*names, "is_good", "hold_reason", "models_listed")]
    # Outer join: a run without an end has no rows by mode, and must not look like a run that is not stored.
    return select(*columns).select_from(sync_runs.outerjoin(sync_run_modes))


class _Success(Struct, frozen=True):
    """A good run of a mode."""

    run_id: int
    asked_at: datetime
    age: int | None
    is_first: bool


def _previous_good_starts(connection: Connection, run_ids: set[int]) -> dict[tuple[int, str], set[datetime]]:
    """By run and mode: the ``good_asked_at`` that the previous success left; nothing if that cannot be known.

    An older copy left that of a run before it, so these are read too: those whose request is later than what the
    copy shows. Earlier ones make no difference, whatever they left.
    """
    starts: dict[tuple[int, str], set[datetime]] = defaultdict(set)
    chains: list[tuple[tuple[int, str], tuple[_Success, ...]]]
    chains = [(key, (one,)) for key, found in _previous_successes(connection, run_ids).items() for one in found]
    while chains:
        unfinished = []
        for key, chain in chains:
            if chain[-1].is_first or chain[-1].asked_at <= seen_from(chain[0].asked_at, chain[0].age):
                starts[key].add(_last_good_start(chain))
            else:
                unfinished.append((key, chain))
        before = _previous_successes(connection, {chain[-1].run_id for _, chain in unfinished})
        chains = [(key, (*chain, one)) for key, chain in unfinished for one in before[chain[-1].run_id, key[1]]]
    return starts


def _last_good_start(newest_first: Sequence[_Success]) -> datetime:
    *later, first = newest_first
    start = good_start(first.asked_at, first.age, None)
    for one in reversed(later):
        start = good_start(one.asked_at, one.age, start)
    return start


@cache
def _successes_query() -> Select[Any]:
    earlier, success = sync_runs.alias(), sync_run_modes.alias()
    return (
        select(
            *(sync_run_modes.c.run_id, sync_run_modes.c.mode, success.c.run_id.label("success_id")),
            *(raw(success, name) for name in ("asked_at", "response_age", "previous_success_at")),
        )
        .join(earlier, earlier.c.observed_at == sync_run_modes.c.previous_success_at)
        .join(success, (success.c.run_id == earlier.c.run_id) & (success.c.mode == sync_run_modes.c.mode))
        .where(success.c.is_good == 1, success.c.run_id < sync_run_modes.c.run_id)
    )


def _previous_successes(connection: Connection, run_ids: set[int]) -> dict[tuple[int, str], list[_Success]]:
    """By run and mode: the previous success, where it is on record.

    After the clock was set back, a later run may have observed at the same moment as the previous
    success. Its ``run_id`` is higher, so it is left out.
    """
    query = _successes_query()
    found: dict[tuple[int, str], list[_Success]] = defaultdict(list)
    for batch in batches(sorted(run_ids)):
        for row in connection.execute(query.where(sync_run_modes.c.run_id.in_(batch))):
            asked_at, age = time(row.asked_at), row.response_age
            if isinstance(asked_at, datetime):
                age = age if isinstance(age, int) else None
                success_ = _Success(row.success_id, asked_at, age, is_first=row.previous_success_at is None)
                found[row.run_id, row.mode].append(success_)
    return found
