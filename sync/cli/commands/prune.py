"""The command that forgets old runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.errors import Outcome

if TYPE_CHECKING:
    from sync.store.database import Engine

# Between two steps: on SQLite a run that waits for the lock looks for it only now and then.
_BREATH_SECONDS = 0.01


@dataclass(frozen=True)
class Pruned:
    """What became, or would become, of the runs that ended before a time."""

    forgotten: int
    needed: int


@click.command(
    short_help="Forget old runs that nothing refers to.", epilog="Example: catalog-sync prune --before 90d --dry-run"
)
@options.database_url
@options.moment("--before", "Forget only runs that ended before then.", required=True)
@click.option("--dry-run", is_flag=True, help="Only say how many runs would be forgotten.")
@options.quiet
@options.as_json
def prune(*, database_url: str, before: datetime, dry_run: bool, quiet: bool, as_json: bool) -> int:
    """Forget old runs, so that years of looking without a change do not fill the disk.

    Catalog, history and costs stay as they are. So do runs that any of them refers to, the last
    ones, those that failed, were partial, held or abandoned, and those of an import. May be run
    beside a sync.
    """
    stop = threading.Event()
    display = not quiet and not as_json and sys.stderr.isatty()
    ended = run_until_stopped(lambda: _prune(database_url, before, stop, dry_run=dry_run, display=display), stop)
    if as_json:
        print_line(_json(ended.value, before, dry_run=dry_run))
    elif not quiet and (ended.signal is None or ended.value.forgotten):
        print_line(_text(ended.value, before, dry_run=dry_run))
    if ended.signal is None:
        return Outcome.DONE
    print_error("told to stop; what was forgotten stays so, run it again to go on")
    return outcome_of(ended.signal)


def _prune(database_url: str, before: datetime, stop: threading.Event, *, dry_run: bool, display: bool) -> Pruned:
    from sync.store.database import reading
    from sync.store.prune import old_runs

    with database(database_url).opened() as engine:
        with reading(engine) as connection:
            found = old_runs(connection, before)
        if dry_run:
            return Pruned(found.deletable, found.needed)
        with _watched(found.deletable, display=display) as moved:
            return Pruned(_forget(engine, before, stop, moved), found.needed)


def _forget(engine: Engine, before: datetime, stop: threading.Event, moved: Callable[[int], None]) -> int:
    from sync.store.prune import delete_old_runs

    forgotten = 0
    for number in delete_old_runs(engine, before):
        forgotten += number
        moved(number)
        if stop.wait(_BREATH_SECONDS):
            break
    return forgotten


@contextmanager
def _watched(total: int, *, display: bool) -> Iterator[Callable[[int], None]]:
    """A function that is told of each step's number, and shows it where somebody watches."""
    if not display:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("runs forgotten"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)


def _text(pruned: Pruned, before: datetime, *, dry_run: bool) -> str:
    from sync.show.values import format_count

    ended = f"ended before {before:%Y-%m-%d %H:%M:%S} UTC"
    if pruned.forgotten:
        done = "dry run, nothing written: would forget" if dry_run else "forgot"
        return (
            f"{done} {format_count(pruned.forgotten, 'run')} that {ended}; {pruned.needed} others are needed and stay"
        )
    if pruned.needed:
        return f"nothing to forget: {format_count(pruned.needed, 'run')} {ended}, none of which can be spared"
    return f"nothing to forget: no run {ended}"


def _json(pruned: Pruned, before: datetime, *, dry_run: bool) -> str:
    from sync.show.formats import to_json

    return to_json({"before": before, "dry_run": dry_run, "deleted": pruned.forgotten, "needed": pruned.needed})
