"""The command that stores saved responses as history: import."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from sync import __version__
from sync.cli import options, run_report
from sync.cli.composition import database, guard, limits, pause_until
from sync.cli.process.gc_tuning import for_many_runs
from sync.cli.process.masking import masker
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.cli.run_report import ImportTotals
from sync.errors import CatalogSyncError, Outcome

if TYPE_CHECKING:
    from sync.run.import_ import ImportDependencies
    from sync.source.files.jsonl import SavedResponse
    from sync.store.database import Database

Moved: TypeAlias = Callable[[], None]


@click.command("import", epilog="Example: catalog-sync import --accept-removals all answers.jsonl.gz")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@options.database_url
@options.moment("--at", "When the answer in FILE was given, where neither the file nor its name says.")
@options.accept_removals
@options.quiet
@options.as_json
@options.catalog_settings
def import_(
    *,
    files: tuple[Path, ...],
    at: datetime | None,
    database_url: str,
    accept_removals: int | str | None,
    quiet: bool,
    as_json: bool,
    **bounds: Any,
) -> int:
    """Store saved answers as history, at the times they carry.

    A FILE is JSON Lines, also with gzip: {"at": TIME, "image": ENVELOPE, "video": ENVELOPE}, either
    mode alone, or "all" with both. Or it is one answer as the API sent it, or a folder of such
    files, whose names carry the time, such as image-2026-03-01T12-00-00Z.json.

    One line is one run, and so are the answers of one time. What is recorded already is passed
    over, so an import that stopped can be run again. It stops before the first answer that is
    broken, out of order or held.
    """
    from sync.run.import_ import ImportDependencies

    stop, mask = threading.Event(), masker(os.environ)
    catalog = database(database_url, bounds["database_timeout"], stop)
    backfill = ImportDependencies(
        clock=options.now,
        app_version=__version__,
        guard=guard(bounds["max_removal_percent"], bounds["max_removal_count"], accept_removals),
        limits=limits(bounds["max_models"]),
        mask=mask,
        pause=pause_until(stop),
    )
    quiet_bar = quiet or as_json
    ended = run_until_stopped(lambda: import_files(files, at, catalog, backfill, stop, quiet=quiet_bar), stop)
    if as_json:
        print_line(run_report.import_json(ended.value, mask))
    elif not quiet and (ended.value.imported or not ended.value.problem):
        print_line(run_report.import_text(ended.value))
    if ended.value.problem:
        print_error(mask(ended.value.problem))
    return outcome_of(ended.signal) if ended.signal else ended.value.exit_code


def import_files(
    files: Sequence[Path],
    at: datetime | None,
    catalog: Database,
    backfill: ImportDependencies,
    stop: threading.Event,
    *,
    quiet: bool,
) -> ImportTotals:
    """What came of all the files; stops at the first error, and soon after ``stop`` is set.

    Raises what has to do with the database's setting; an error in the lines is in the totals.
    """
    from sync.run.import_ import import_responses
    from sync.source.files.saved import read_saved

    totals = ImportTotals()
    with catalog.opened() as engine:
        for_many_runs()
        try:
            for file in files:
                with _watched(file, quiet=quiet) as moved:
                    lines = _until(stop, moved, read_saved(file, at))
                    for result in import_responses(engine, lines, backfill):
                        totals.add(result)
        except CatalogSyncError as error:
            totals.stopped_by(error)
    if stop.is_set() and totals.exit_code is Outcome.DONE:
        totals.problem = "told to stop; the lines before are stored, run it again to go on"
    return totals


def _until(stop: threading.Event, moved: Moved, lines: Iterator[SavedResponse]) -> Iterator[SavedResponse]:
    for line in lines:
        if stop.is_set():
            return
        moved()
        yield line


@contextmanager
def _watched(file: Path, *, quiet: bool) -> Iterator[Moved]:
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from functools import partial

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield partial(bar.advance, bar.add_task(file.name, total=None))
