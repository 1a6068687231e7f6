"""Reads every run and its modes for ``verify``. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, func, select

from models_db.tables import sync_run_modes, sync_runs, watch_days
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_value
from sync.catalog.verify.ledger import Ledger
from sync.catalog.verify.mode_rows import held_ids_of
from sync.store.verify.raw_rows import every_column, read_rows

_RUNS_AT_ONCE = 1000
# Long texts that no rule is about.
_UNUSED = frozenset(("note",))


def held_ids(connection: Connection) -> dict[str, Collection[str]]:
    """By mode, every id that a run held back."""
    columns = sync_run_modes.c
    found: dict[str, set[str]] = defaultdict(set)
    for mode, text in connection.execute(select(columns.mode, columns.held_ids).where(columns.held_ids.is_not(None))):
        found[mode].update(held_ids_of(text) or ())
    return dict(found)


def ledger_findings(connection: Connection, ledger: Ledger, states: Sequence[StoredRow]) -> Iterator[Finding]:
    """What is wrong with the runs, and with the state that they left."""
    last: object = None
    while runs := _runs_after(connection, last):
        modes = _modes_by_run(connection, last, runs[-1]["run_id"])
        for run in runs:
            yield from ledger.run_findings(run, modes.pop(run["run_id"], ()))
        yield from _without_run(modes)
        last = runs[-1]["run_id"]
    yield from _without_run(_modes_by_run(connection, last, None))
    yield from ledger.state_findings(states, _watched(connection))


def _runs_after(connection: Connection, last: object) -> list[StoredRow]:
    query = every_column(sync_runs, but=_UNUSED).order_by(sync_runs.c.run_id).limit(_RUNS_AT_ONCE)
    query = query if last is None else query.where(sync_runs.c.run_id > last)
    return list(read_rows(connection, sync_runs, query, but=_UNUSED))


def _modes_by_run(connection: Connection, after: object, last: object) -> dict[object, list[StoredRow]]:
    run_id = sync_run_modes.c.run_id
    query = every_column(sync_run_modes).order_by(run_id, sync_run_modes.c.mode)
    query = query if after is None else query.where(run_id > after)
    query = query if last is None else query.where(run_id <= last)
    rows: dict[object, list[StoredRow]] = defaultdict(list)
    for row in read_rows(connection, sync_run_modes, query):
        rows[row["run_id"]].append(row)
    return rows


def _without_run(modes: dict[object, list[StoredRow]]) -> Iterator[Finding]:
    """SQLite enforces foreign keys only for programs that switch them on."""
    for run_id, rows in modes.items():
        for row in rows:
            scope = RowScope("sync_run_modes", str(row["mode"]))
            yield scope.finding(f"run_id is {format_value(run_id)}, but there is no such run")


def _watched(connection: Connection) -> dict[str, int]:
    columns = watch_days.c
    query = select(columns.mode, func.sum(columns.successful_syncs)).group_by(columns.mode)
    return {mode: int(number) for mode, number in connection.execute(query) if number is not None}
