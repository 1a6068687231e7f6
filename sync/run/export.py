"""Exports the recorded history as the lines of a file that ``import`` takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping

from msgspec.structs import replace

from sync.catalog.export.lines import (
    FORMAT,
    End,
    ExportedMode,
    ExportedRun,
    Header,
    IgnoredField,
    Line,
    WatchedDay,
    encode,
)
from sync.catalog.export.without_runs import RunsLeftOut
from sync.errors import CheckFailed, UsageError
from sync.store import export, identity
from sync.store.database import HEAD, Connection
from sync.store.watch_days import read_watch_days


def export_lines(
    connection: Connection,
    app_version: str,
    left_out: Collection[int] = (),
    count_run: Callable[[], object] = int,
    archived: Mapping[tuple[str, str], str] | None = None,
) -> Iterator[bytes]:
    """The lines of the whole history but for the runs that are left out, of which it is consistent without.

    ``connection`` sees one moment of the database. ``count_run`` is called for each run. ``archived`` has the name of
    the file with a response by mode and SHA-256. Raises ``UsageError``
    for a run to leave out that is not on record.
    """
    _require_known(connection, left_out)
    digest = hashlib.sha256()
    without = RunsLeftOut(left_out)
    runs = 0
    for line in _lines(connection, app_version, without, count_run):
        if archived and isinstance(line, ExportedRun):
            line = replace(line, modes=tuple(_with_file(mode, archived) for mode in line.modes))  # noqa: PLW2901
        text = encode(line)
        digest.update(text)
        runs += isinstance(line, ExportedRun)
        yield text
    states = {
        mode: kept
        for mode, state in export.exported_states(connection).items()
        if (kept := without.state(mode, state)) is not None
    }
    first_day = without.first_day(export.first_calendar_day(connection))
    yield encode(End(runs, digest.hexdigest(), first_day, states))


def _with_file(mode: ExportedMode, archived: Mapping[tuple[str, str], str]) -> ExportedMode:
    file = archived.get((mode.mode, str(mode.row.get("payload_sha256"))))
    return mode if file is None else replace(mode, archived=file)


def _lines(
    connection: Connection, app_version: str, without: RunsLeftOut, count_run: Callable[[], object]
) -> Iterator[Line]:
    own = identity.read_identity(connection)
    if own is None:
        raise CheckFailed("the export failed: the catalog has no identity; restore a backup that verifies")
    yield Header(FORMAT, own.catalog_id, app_version, HEAD)
    yield from map(IgnoredField, export.exported_ignored_fields(connection))
    for run in export.exported_runs(connection):
        count_run()
        kept = without.kept(run)
        if kept is not None:
            yield kept
    yield from map(WatchedDay.of, without.watch_days(read_watch_days(connection)))


def _require_known(connection: Connection, run_ids: Collection[int]) -> None:
    if unknown := export.unknown_runs(connection, run_ids):
        raise UsageError(
            f"the export failed: run {unknown[0]} is not on record; catalog-sync status and v_sync_runs show the runs"
        )
