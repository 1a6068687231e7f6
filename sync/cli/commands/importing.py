"""Importing files one after the other, with a progress bar where somebody watches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sync.cli.process.gc_tuning import expect_long_work
from sync.cli.run_report import ImportTotals
from sync.errors import CatalogSyncError, ExitCode

if TYPE_CHECKING:
    from sync.cli.composition import Target
    from sync.run.import_ import ImportDependencies
    from sync.source.files.jsonl import SavedResponse

Moved: TypeAlias = Callable[[], None]


def import_files(
    files: Sequence[Path],
    at: datetime | None,
    target: Target,
    backfill: ImportDependencies,
    *,
    quiet: bool,
) -> ImportTotals:
    """What came of all the files; stops at the first error, and soon after the target's ``stop`` is set.

    Raises what has to do with the database's setting; an error in the lines is in the totals.
    """
    from sync.run.import_ import import_responses
    from sync.source.files.saved import read_saved

    engine, stop = target.open(), target.stop
    totals = ImportTotals()
    expect_long_work()
    try:
        for file in files:
            with _watched(file, quiet=quiet) as moved:
                lines = _until(stop, moved, read_saved(file, at))
                for result in import_responses(engine, lines, backfill):
                    totals.add(result)
    except CatalogSyncError as error:
        totals.stopped_by(error)
    finally:
        engine.dispose()
    if stop.is_set() and totals.exit_code is ExitCode.DONE:
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
