"""Begins the one run of a tick: of any number of processes, on any hosts, one claims it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import asdict
from sqlalchemy import Connection, select

from models_db.dialects import insert_valid_if_absent
from models_db.tables import sync_runs
from sync.errors import TickTaken
from sync.store import read
from sync.store.runs import RunStart


def begin_run_of_tick(connection: Connection, start: RunStart, attempt: int) -> int:
    """Inserts a run with status ``running`` that claims ``start.tick``, and returns its ``run_id``.

    ``attempt`` is that of ``in_transaction``. Raises ``TickTaken`` if another run has claimed the tick, whatever
    became of that run.
    """
    run_id = _claimed(connection, start, attempt)
    if run_id is not None:
        return run_id
    # The index decides between processes that find no claim at the same moment. It waits for a transaction that has
    # inserted the tick and has not ended.
    values = {"status": "running", **asdict(start)}
    insert = insert_valid_if_absent(connection, sync_runs).execution_options(preserve_rowcount=True)
    is_own = connection.execute(insert, values).rowcount == 1
    run_id = _claimed(connection, start, attempt, is_own=is_own)
    if run_id is None:
        raise RuntimeError(f"the claim of the tick {start.tick} was not stored")
    return run_id


def is_missed(connection: Connection, modes: Sequence[str], time: datetime) -> bool:
    """Whether one of the modes had its last successful sync before a time, or none yet."""
    last = (state.last.good_stamp for state in read.mode_states(connection, modes).values())
    return any(stamp is None or stamp < time for stamp in last)


def _claimed(connection: Connection, start: RunStart, attempt: int, *, is_own: bool = False) -> int | None:
    """The number of this run if it has claimed the tick, None if nobody has.

    From the second attempt on the claim may be that of this run, from a COMMIT whose answer did not arrive. Before,
    it is another's, even with the same host and time: two processes of a host may start in the same microsecond.
    """
    columns = (sync_runs.c.run_id, sync_runs.c.host, sync_runs.c.started_at)
    row = connection.execute(select(*columns).where(sync_runs.c.tick == start.tick)).first()
    if row is None:
        return None
    if is_own or (attempt > 1 and (row.host, row.started_at) == (start.host, start.started_at)):
        return int(row.run_id)
    raise TickTaken(f"run {row.run_id} has claimed the tick {start.tick}")
