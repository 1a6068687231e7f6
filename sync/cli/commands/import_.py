"""The command ``import``: saved responses become history."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from sync.cli import monitor_options, options, run_report
from sync.cli.composition import acceptance, database, import_dependencies
from sync.cli.process import gc_tuning
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.cli.run_monitor import RunMonitor
from sync.cli.run_report import ImportTotals
from sync.composition.sync_parts import CatalogSettings
from sync.errors import CatalogSyncError, Outcome, UsageError

if TYPE_CHECKING:
    from sync.catalog.guards import Accepted
    from sync.run.import_ import ImportDependencies
    from sync.store.database import Engine

T = TypeVar("T")


@click.command("import", epilog="Example: catalog-sync import --accept-removals all responses.jsonl.gz")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@options.moment("--at", "Time of the response in FILE, if neither the file nor its name has one.")
@options.accept_removals
@options.accept_costs
@options.accepted_by
@options.why
@monitor_options.metrics_file
@options.quiet
@options.as_json
@options.database_url
@options.catalog_settings
def import_(  # noqa: PLR0913  # each is an option
    *,
    files: tuple[Path, ...],
    at: datetime | None,
    accept_removals: Accepted,
    accept_costs: Accepted,
    by: str | None,
    why: str | None,
    metrics_file: Path | None,
    quiet: bool,
    as_json: bool,
    database_url: str,
    **values: Any,
) -> int:
    """Store saved responses as history, each at its time.

    FILE is JSON Lines, plain or gzip: {"at": TIME, "image": ENVELOPE, "video": ENVELOPE}, with one
    mode or both, or with "all" for one envelope of both modes. FILE may also be one response as the
    API sent it, or a folder of such files. Their names contain the time, such as
    image-2026-03-01T12-00-00Z.json. Or FILE is what catalog-sync export wrote: then nothing is judged again.

    Each line is one run, and so are the single responses of one time. Lines that are recorded already
    are skipped, so an import that was stopped can be run again. The import stops before the first
    response that is broken, out of order or held back.
    """
    stop, catalog_settings = threading.Event(), CatalogSettings(**values)
    catalog = database(database_url, stop)
    dependencies = import_dependencies(
        catalog_settings,
        stop,
        accept_removals=accept_removals,
        accept_costs=accept_costs,
        acceptance=acceptance(by=by, why=why),
    )

    monitor = RunMonitor(
        metrics_file=metrics_file, ping_url=None, database_url=database_url, stop=stop, mask=dependencies.mask
    )

    def work() -> tuple[ImportTotals, str | None]:
        with catalog.opened() as engine:
            totals = _import_files(engine, files, at, dependencies, stop, show_progress=not (quiet or as_json))
        return totals, monitor.ended(totals.exit_code, dependencies.mask(run_report.problem_text(totals) or ""))

    with monitor.failures():
        (totals, warning), received = run_until_stopped(work, stop)
    if received is not None and totals.exit_code is Outcome.DONE:
        totals.stopped = f"stopped by {received.name}; the lines so far are stored, run it again to go on"
    if as_json:
        print_line(run_report.import_json(totals, dependencies.mask))
    problem = run_report.problem_text(totals)
    if not as_json and not quiet and (totals.imported or not problem):
        print_line(run_report.import_text(totals))
    if problem or warning:
        print_error("; also: ".join(filter(None, [dependencies.mask(problem or ""), warning])))
    return outcome_of(received) if received else totals.exit_code


def _import_files(
    engine: Engine,
    files: Sequence[Path],
    at: datetime | None,
    dependencies: ImportDependencies,
    stop: threading.Event,
    *,
    show_progress: bool,
) -> ImportTotals:
    """The totals of all files. Stops at the first error, which the totals contain, and soon after ``stop`` is set."""
    from sync.source.files.exported import is_export

    totals = ImportTotals()
    gc_tuning.for_many_runs()
    try:
        for file in files:
            import_file = _import_export if is_export(file) else _import_responses
            with _progress(file, show=show_progress) as count_line:
                import_file(engine, _Input(file, at, count_line, stop), dependencies, totals)
    except CatalogSyncError as error:
        totals.stopped_by(error)
    return totals


class _Input(NamedTuple):
    """A file to import."""

    file: Path
    at: datetime | None
    count_line: Callable[[], None]
    stop: threading.Event

    def until_stopped(self, lines: Iterator[T]) -> Iterator[T]:
        for line in lines:
            # Only between two lines: each line is a separate transaction.
            if self.stop.is_set():
                return
            self.count_line()
            yield line


def _import_responses(engine: Engine, given: _Input, dependencies: ImportDependencies, totals: ImportTotals) -> None:
    from sync.run.import_ import import_responses
    from sync.source.files.saved import read_saved

    for result in import_responses(engine, given.until_stopped(read_saved(given.file, given.at)), dependencies):
        totals.add(result)


def _import_export(engine: Engine, given: _Input, dependencies: ImportDependencies, totals: ImportTotals) -> None:
    from sync.run.replay import import_export
    from sync.source.files.exported import check_export, read_export

    if given.at is not None:
        raise UsageError(f"--at cannot be used: each run in {given.file} has its own time; leave --at out")
    check_export(given.file)
    for run in import_export(engine, given.until_stopped(read_export(given.file)), dependencies):
        totals.add_replayed(None if run is None else run.changes)


@contextmanager
def _progress(file: Path, *, show: bool) -> Iterator[Callable[[], None]]:
    """A function to call for each line; on a terminal it moves a progress bar on stderr."""
    if not show or not sys.stderr.isatty():
        yield lambda: None
        return
    from functools import partial

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        # Without a total: the number of lines is known only after the file has been read.
        yield partial(bar.advance, bar.add_task(file.name, total=None))
