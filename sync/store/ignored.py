"""The table of ignored fields: what is ignored when, and what a person adds and removes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from models_db.tables import catalog_changes, ignored_fields, models, sync_run_modes
from sync.catalog.changes.ignored import IgnoredFields, ignored_field
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.changes.plan import monotonic_timestamp
from sync.catalog.modes import MODES
from sync.errors import UsageError
from sync.store import read

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class IgnoredRow:
    """A row of ``ignored_fields``. Times in UTC; ``valid_to`` is None while the field is ignored."""

    path: str
    valid_from: datetime
    valid_to: datetime | None
    reason: str
    added_by: str


def read_ignored_fields(connection: Connection) -> IgnoredFields:
    """Every field that was ever ignored. A run reads them after it has its locks, so that none changes in between."""
    columns = ignored_fields.c
    query = select(columns.path, columns.valid_from, columns.valid_to)
    fields = (ignored_field(path, valid_from, valid_to) for path, valid_from, valid_to in connection.execute(query))
    return IgnoredFields(filter(None, fields))


def ignored_rows(connection: Connection, *, only_open: bool = False) -> list[IgnoredRow]:
    """The rows in the order of paths and times; with ``only_open`` those of fields that are ignored now."""
    columns = ignored_fields.c
    query = select(columns.path, columns.valid_from, columns.valid_to, columns.reason, columns.added_by)
    if only_open:
        query = query.where(columns.valid_to.is_(None))
    rows = connection.execute(query.order_by(columns.path, columns.valid_from))
    return [IgnoredRow(*row) for row in rows]


def add_ignored(
    connection: Connection, paths: Iterable[str], now: datetime, reason: str, by: str, attempt: int = 1
) -> datetime:
    """Ignores fields from the returned moment on, which is later than anything that is stored.

    Raises ``UsageError`` for a path that is ignored already. From the second ``attempt`` of a transaction on,
    an earlier one may have stored the same.
    """
    start = _lock(connection, now)
    rows = ignored_rows(connection)
    wanted = dict.fromkeys(paths)
    already = [row for row in rows if row.path in wanted and row.valid_to is None]
    if (
        attempt > 1
        and len(already) == len(wanted)
        and all((row.reason, row.added_by) == (reason, by) for row in already)
    ):
        return already[0].valid_from
    if already:
        raise UsageError(
            f"{already[0].path} was not added: it is ignored already; run catalog-sync ignore list to see since when"
            " and why"
        )
    # Where the clock was set back, an interval of the same path may have ended later than now.
    start = max([start, *(row.valid_to for row in rows if row.path in wanted and row.valid_to is not None)])
    added = [{"path": path, "valid_from": start, "reason": reason, "added_by": by} for path in wanted]
    connection.execute(insert(ignored_fields), added)
    return start


def end_ignored(connection: Connection, path: str, now: datetime, remark: str, attempt: int = 1) -> datetime:
    """Ends the ignoring of a field at the returned moment; the remark is appended to the reason.

    Raises ``UsageError`` for a path that is not ignored. ``attempt`` is as for ``add_ignored``.
    """
    end = _lock(connection, now)
    rows = [row for row in ignored_rows(connection) if row.path == path]
    last = max(rows, key=lambda row: row.valid_from, default=None)
    if last is not None and last.valid_to is not None and attempt > 1 and last.reason.endswith(f" ({remark})"):
        return last.valid_to
    if last is None or last.valid_to is not None:
        raise UsageError(
            f"{path} was not removed: it is not ignored; run catalog-sync ignore list to see the paths that are"
        )
    end = max(end, last.valid_from + _MICROSECOND)
    is_row = (ignored_fields.c.path == path) & (ignored_fields.c.valid_from == last.valid_from)
    connection.execute(update(ignored_fields).where(is_row).values(valid_to=end, reason=f"{last.reason} ({remark})"))
    return end


def changes_in_last_runs(
    connection: Connection, mode: str, number: int, entities: Collection[str]
) -> Sequence[tuple[int, Sequence[tuple[int, str, str | None]]]]:
    """Of each of the last runs of a mode that were applied: the number of models, and what changed in which model.

    Of the changes those of these entities, and not those of the cost. Empty if there are fewer runs.
    """
    runs, log = sync_run_modes.c, catalog_changes.c
    query = (
        select(runs.run_id, func.coalesce(runs.models_listed, runs.models_received))
        .where(runs.mode == mode, runs.status.in_(APPLIED_STATUSES))
        .order_by(runs.run_id.desc())
        .limit(number)
    )
    last = {run_id: number_of_models or 0 for run_id, number_of_models in connection.execute(query)}
    if len(last) < number:
        return []
    changed: dict[int, list[tuple[int, str, str | None]]] = {run_id: [] for run_id in last}
    changes = (
        select(log.run_id, log.model_pk, log.entity, log.field)
        .join(models, models.c.model_pk == log.model_pk)
        .where(log.run_id.in_(last), models.c.mode == mode, log.change_kind == "changed", log.entity.in_(entities))
    )
    for run_id, *change in connection.execute(changes):
        changed[run_id].append(tuple(change))
    return [(number_of_models, changed[run_id]) for run_id, number_of_models in last.items()]


def _lock(connection: Connection, now: datetime) -> datetime:
    """Waits for the runs that are being stored, and returns a moment after all of them."""
    states = read.lock_mode_states(connection, MODES)
    return max(monotonic_timestamp(now, state.last) for state in states.values())
