"""The command ``prune``: deletes the rows of old runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.errors import Outcome

if TYPE_CHECKING:
    from sync.store.database import Engine

# Between two steps: on SQLite a run that waits for the write lock polls it, and would not get it otherwise.
_PAUSE_SECONDS = 0.01


class PruneResult(NamedTuple):
    """Numbers of the runs that ended before a time. A dry run counts as deleted what it would delete."""

    deleted: int
    needed: int


@click.command(
    short_help="Delete old runs that changed nothing.", epilog="Example: catalog-sync prune --before 90d --dry-run"
)
@options.moment("--before", "Delete only runs that ended before this time.", required=True)
@click.option("--dry-run", is_flag=True, help="Only print how many runs would be deleted.")
@options.quiet
@options.as_json
@options.database_url
def prune(*, before: datetime, dry_run: bool, quiet: bool, as_json: bool, database_url: str) -> int:
    """Delete the rows of old runs that changed nothing.

    Catalog, history and costs stay. Runs that history refers to stay as well, and so do the last run
    of each mode, imports, and runs that failed, were partial, held back or abandoned. A sync may run
    at the same time.
    """
    stop = threading.Event()
    show_progress = not quiet and not as_json and sys.stderr.isatty()

    catalog = database(database_url, stop)

    def work() -> PruneResult:
        with catalog.opened(reads_only=dry_run) as engine:
            return _prune(engine, before, stop, dry_run=dry_run, show_progress=show_progress)

    result, received = run_until_stopped(work, stop)
    if as_json:
        print_line(_json(result, before, dry_run=dry_run))
    elif not quiet and (received is None or result.deleted):
        print_line(_text(result, before, dry_run=dry_run))
    if received is None:
        return Outcome.DONE
    print_error(f"stopped by {received.name}; what was deleted stays deleted, run it again to go on")
    return outcome_of(received)


def _prune(
    engine: Engine, before: datetime, stop: threading.Event, *, dry_run: bool, show_progress: bool
) -> PruneResult:
    from sync.cli.process.waiting import pause_until
    from sync.store.database import in_snapshot
    from sync.store.prune import delete_old_runs, old_runs

    # Counted once for the progress bar and the result; a sync at the same time may add more.
    pause = pause_until(stop)
    runs = in_snapshot(engine, lambda connection: old_runs(connection, before), pause=pause)
    if dry_run:
        return PruneResult(runs.deletable, runs.needed)
    deleted = 0
    with _progress(runs.deletable, show=show_progress) as advance:
        for number in delete_old_runs(engine, before, pause):
            deleted += number
            advance(number)
            if stop.wait(_PAUSE_SECONDS):
                break
    return PruneResult(deleted, runs.needed)


@contextmanager
def _progress(total: int, *, show: bool) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of runs of each step; it moves a progress bar on stderr if shown."""
    if not show:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("runs deleted"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)


def _text(result: PruneResult, before: datetime, *, dry_run: bool) -> str:
    from sync.show.values import format_count

    ended = f"ended before {before:%Y-%m-%d %H:%M:%S} UTC"
    if result.deleted:
        action = "dry run, nothing written: would delete" if dry_run else "deleted"
        return (
            f"{action} {format_count(result.deleted, 'run')} that {ended}; {result.needed} others are needed and stay"
        )
    if result.needed:
        return f"nothing to delete: {format_count(result.needed, 'run')} {ended}, and all of them are needed"
    return f"nothing to delete: no run {ended}"


def _json(result: PruneResult, before: datetime, *, dry_run: bool) -> str:
    from sync.show.formats import to_json

    return to_json({"before": before, "dry_run": dry_run, "deleted": result.deleted, "needed": result.needed})
