"""Reads the seals and their runs for ``verify``. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, func, select

from models_db.tables import catalog_identity, seals, sync_run_modes, sync_runs, sync_state
from sync.catalog.seal import GENESIS, SEALED_STATUSES
from sync.catalog.verify.findings import Finding, StoredRow, Unreadable
from sync.catalog.verify.listed_roots import ListedRoots, RepeatedRoots
from sync.catalog.verify.sealed_facts import SealedFacts
from sync.catalog.verify.seals import (
    SealCheck,
    SealedRun,
    StoredSeal,
    state_root_findings,
    unsealed_findings,
)
from sync.store.verify.raw_rows import every_column, raw, read_rows, tolerate_bad_utf8

_SEALS_PER_BATCH = 500
# Columns that are no part of an entry, and may be long.
_LEFT_OUT = frozenset(("error_type", "error_message", "note", "held_ids"))


def seal_findings(
    connection: Connection, facts: SealedFacts, ignored: Sequence[StoredRow], *, thorough: bool
) -> Iterator[Finding]:
    """What is wrong with the seals and the listed roots; ``thorough`` recomputes those of every run."""
    identities = list(read_rows(connection, catalog_identity, every_column(catalog_identity)))
    catalog_id = str(identities[0]["catalog_id"]) if identities else ""
    sealed = _sealed_runs(connection)
    check = SealCheck(catalog_id, facts, sealed, ignored, ListedRoots() if thorough else RepeatedRoots())
    yield from check.findings(_stored_seals(connection))
    for identity in identities:
        yield from check.identity_findings(identity)
    yield from unsealed_findings(_applied_runs(connection), sealed)
    states = list(read_rows(connection, sync_state, every_column(sync_state)))
    yield from state_root_findings(states, facts, sealed, _roots_of(connection, states))


def _sealed_runs(connection: Connection) -> set[int]:
    with tolerate_bad_utf8(connection):
        rows = connection.execute(select(raw(seals, "run_id")).where(seals.c.kind != GENESIS)).all()
    return {row[0] for row in rows if isinstance(row[0], int)}


def _applied_runs(connection: Connection) -> dict[int, bool]:
    """The runs that were applied, and whether a mode of theirs has a root."""
    modes = sync_run_modes.c
    query = select(modes.run_id, func.count(modes.listed_root)).join(sync_runs, sync_runs.c.run_id == modes.run_id)
    applied = query.where(modes.status.in_(SEALED_STATUSES), sync_runs.c.status.in_(SEALED_STATUSES))
    return {run_id: roots > 0 for run_id, roots in connection.execute(applied.group_by(modes.run_id))}


def _roots_of(connection: Connection, states: Sequence[StoredRow]) -> Mapping[tuple[object, object], object]:
    run_ids = [row["run_id"] for row in states if isinstance(row["run_id"], int)]
    query = every_column(sync_run_modes, but=_LEFT_OUT).where(sync_run_modes.c.run_id.in_(run_ids))
    rows = read_rows(connection, sync_run_modes, query, but=_LEFT_OUT)
    return {(row["run_id"], row["mode"]): row["listed_root"] for row in rows}


def _stored_seals(connection: Connection) -> Iterator[StoredSeal]:
    """All seals in the order of their numbers, a batch at a time."""
    last = None
    while True:
        query = every_column(seals).order_by(seals.c.seal_no).limit(_SEALS_PER_BATCH)
        rows = list(read_rows(connection, seals, query if last is None else query.where(seals.c.seal_no > last)))
        if not rows:
            return
        runs = _runs(connection, [row["run_id"] for row in rows if row["kind"] != GENESIS])
        yield from (StoredSeal(row, runs.get(row["run_id"]) if row["kind"] != GENESIS else None) for row in rows)
        last = rows[-1]["seal_no"]
        last = last.value if isinstance(last, Unreadable) else last


def _runs(connection: Connection, numbers: Sequence[object]) -> Mapping[object, SealedRun]:
    run_ids = [run_id for run_id in numbers if isinstance(run_id, int)]
    query = every_column(sync_run_modes, but=_LEFT_OUT).where(sync_run_modes.c.run_id.in_(run_ids))
    modes: dict[object, list[StoredRow]] = defaultdict(list)
    for row in read_rows(connection, sync_run_modes, query, but=_LEFT_OUT):
        modes[row["run_id"]].append(row)
    of_runs = every_column(sync_runs, but=_LEFT_OUT).where(sync_runs.c.run_id.in_(run_ids))
    rows = read_rows(connection, sync_runs, of_runs, but=_LEFT_OUT)
    return {row["run_id"]: SealedRun(row, modes[row["run_id"]]) for row in rows}
