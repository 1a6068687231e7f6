"""The command ``schedule``: runs at set times until a signal arrives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.cli import options, run_report
from sync.cli.checkpoint_files import append_checkpoint, require_appendable
from sync.cli.composition import ApiSettings, database, sync_dependencies
from sync.cli.param_types import Duration
from sync.cli.process import gc_tuning
from sync.cli.process.messages import describe_error, print_error, print_line
from sync.cli.process.signals import run_until_stopped
from sync.errors import CatalogSyncError, Interrupted, Outcome

if TYPE_CHECKING:
    from sync.schedule import Timetable


def timed(text: str) -> str:
    """The text with the time before it: a schedule prints for months, and its lines must say when."""
    return f"{options.now():%Y-%m-%dT%H:%M:%SZ} {text}"


@contextmanager
def _timed_errors() -> Iterator[None]:
    """Puts the time before the message of an error that ends the command."""
    try:
        yield
    except Interrupted:
        raise
    except CatalogSyncError as error:
        error.args = (timed(str(error)),)
        raise


@click.command(short_help="Sync at set times.", epilog="Example: catalog-sync schedule --every 15m --migrate")
@click.option(
    "--every",
    type=Duration(),
    metavar="DURATION",
    help="One run at the start and then one in each DURATION, such as 15m.",
)
@click.option(
    "--cron",
    metavar="LINE",
    help='Runs at the times of a crontab line, such as "*/15 * * * *". Weekdays: 0 and 7 are Sunday.',
)
@click.option("--timezone", default="UTC", metavar="NAME", show_default=True, help="Time zone of --cron.")
@click.option(
    "--jitter",
    type=Duration(),
    default="0s",
    metavar="DURATION",
    show_default=True,
    help="Start each run later by a random time up to DURATION.",
)
@options.mode
@options.checkpoint_file
@options.migrate
@options.quiet
@options.database_url
@options.api_settings
def schedule(  # noqa: PLR0913  # each is an option
    *,
    every: timedelta | None,
    cron: str | None,
    timezone: str,
    jitter: timedelta,
    mode: str | None,
    checkpoint_file: Path | None,
    migrate_first: bool,
    quiet: bool,
    database_url: str,
    **values: Any,
) -> int:
    """Sync at set times until SIGTERM or SIGINT, then exit with code 0 within 10 seconds.

    Only one run is active at a time. Runs missed while the machine slept are made up for by one run.
    The error of a failed run is printed on stderr, and the next run starts at its time. Each line has a time.
    """
    from sync.schedule import make_timetable

    with _timed_errors():
        return _schedule(
            timetable=make_timetable(every, cron, timezone, jitter),
            mode=mode,
            checkpoint_file=checkpoint_file,
            migrate_first=migrate_first,
            quiet=quiet,
            database_url=database_url,
            api_settings=ApiSettings(**values),
        )


def _schedule(
    *,
    timetable: Timetable,
    mode: str | None,
    checkpoint_file: Path | None,
    migrate_first: bool,
    quiet: bool,
    database_url: str,
    api_settings: ApiSettings,
) -> int:
    from sync.run import run_sync
    from sync.schedule import run_forever

    stop = threading.Event()
    mask = sync_dependencies(api_settings, stop).mask  # reports wrong settings before the first run
    require_appendable(checkpoint_file)
    catalog = database(database_url, stop, silent=True)

    def run_once() -> None:
        # Made for each run, since the API key may have changed in its file.
        dependencies = sync_dependencies(api_settings, stop, mode=mode, trigger_kind="schedule")
        # Opened for each run, since servers and firewalls close connections that are idle for long.
        with catalog.opened() as engine:
            result = run_sync(engine, dependencies)
        not_kept = append_checkpoint(checkpoint_file, result.checkpoint)
        if not quiet:
            print_line(timed(dependencies.mask(run_report.run_text(result))))
        for error in filter(None, [result.message and dependencies.mask(result.message), not_kept]):
            print_error(timed(error))

    def print_failure(error: BaseException) -> None:
        print_error(timed(mask(describe_error(error)[1])))

    def work() -> None:
        if migrate_first:
            catalog.upgrade(create=False)
        catalog.require_head()
        gc_tuning.for_many_runs()
        run_forever(timetable, run_once, print_failure, stop)

    # A signal before the first run also ends the command with code 0.
    with suppress(Interrupted):
        run_until_stopped(work, stop, outcome_if_abandoned=Outcome.DONE, abandoned_line=timed)
    return Outcome.DONE
