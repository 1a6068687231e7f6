"""The commands that write history: sync, schedule, import."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync import __version__
from sync.cli import options, run_report
from sync.cli.composition import ApiSettings, Target, guard, limits, sync_dependencies
from sync.cli.param_types import Duration
from sync.cli.process.gc_tuning import expect_long_work
from sync.cli.process.masking import masker
from sync.cli.process.messages import print_error, print_line, told
from sync.cli.process.signals import Outcome, exit_code, run_until_stopped
from sync.errors import ExitCode, Interrupted, UsageError

if TYPE_CHECKING:
    from sync.run import RunResult, SyncDependencies


@click.command(epilog="Example: CATALOG_SYNC_API_KEY_FILE=~/.genviral-key catalog-sync sync --migrate")
@options.database_url
@options.mode
@click.option("--dry-run", is_flag=True, help="Ask and decide, print what would change, write nothing at all.")
@options.accept_removals
@click.option("--migrate", "migrate_first", is_flag=True, help="Bring the database to head first.")
@options.quiet
@options.as_json
@options.api_settings
def sync(
    *,
    database_url: str,
    mode: str | None,
    dry_run: bool,
    accept_removals: int | str | None,
    migrate_first: bool,
    quiet: bool,
    as_json: bool,
    **api: Any,
) -> int:
    """Ask the API once and store what changed.

    The API key comes from CATALOG_SYNC_API_KEY, or from the file that CATALOG_SYNC_API_KEY_FILE
    names. Exits 0 when all is well, changed or not; the README lists the other codes.
    """
    stop, given = threading.Event(), ApiSettings(**api)
    job = sync_dependencies(given, stop, mode=mode, accept_removals=accept_removals)
    if migrate_first and dry_run:
        raise UsageError("--dry-run writes nothing at all, --migrate does: give one of them")
    target = Target(database_url, given.database_timeout, stop)

    def work() -> RunResult:
        if migrate_first:
            target.migrate()
        return _run(target, job, dry_run=dry_run)

    outcome = run_until_stopped(work, stop)
    if as_json:
        print_line(run_report.run_json(outcome.value, job.mask, dry_run=dry_run))
    elif not quiet:
        print_line(job.mask(run_report.run_text(outcome.value, dry_run=dry_run)))
    return _exit(outcome, job.mask)


@click.command(short_help="Stay, and sync at set times.", epilog="Example: catalog-sync schedule --every 15m --migrate")
@options.database_url
@options.mode
@click.option("--every", type=Duration(), metavar="SPAN", help="A run now and then one each SPAN, such as 15m.")
@click.option(
    "--cron", metavar="LINE", help='A run at the times of a crontab line, such as "*/15 * * * *"; 0 and 7 are Sunday.'
)
@click.option("--timezone", default="UTC", show_default=True, help="The zone that --cron means.")
@click.option(
    "--jitter", type=Duration(), default="0s", metavar="SPAN", help="Start each run up to so much later, by chance."
)
@click.option("--migrate", "migrate_first", is_flag=True, help="Bring the database to head first.")
@options.quiet
@options.api_settings
def schedule(
    *,
    database_url: str,
    mode: str | None,
    every: timedelta | None,
    cron: str | None,
    timezone: str,
    jitter: timedelta,
    migrate_first: bool,
    quiet: bool,
    **api: Any,
) -> int:
    """Stay and run at set times until SIGTERM or SIGINT, then exit 0 within 10 seconds.

    One run at a time; runs missed while the machine slept are made up for by one. A run that fails
    is told on stderr and the next one comes at its time.
    """
    from sync.schedule import make_timetable, run_forever

    stop, given = threading.Event(), ApiSettings(**api)
    timetable = make_timetable(every, cron, timezone, jitter)
    mask = sync_dependencies(given, stop).mask  # faults in the settings come before the first run
    target = Target(database_url, given.database_timeout, stop)

    def once() -> None:
        job = sync_dependencies(
            given, stop, mode=mode, trigger_kind="schedule"
        )  # with a key that was changed meanwhile
        result = _run(target, job)
        if not quiet:
            print_line(job.mask(run_report.run_text(result)))
        _complain(result, job.mask)

    def failed(error: BaseException) -> None:
        print_error(mask(told(error)[1]))

    def work() -> None:
        if migrate_first:
            target.migrate()
        target.open().dispose()  # and so do those of the database
        expect_long_work()
        run_forever(timetable, once, failed, stop)

    with suppress(Interrupted):  # told to stop before the first run
        run_until_stopped(work, stop, left_behind=ExitCode.DONE)
    return ExitCode.DONE


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
    from sync.cli.commands.importing import import_files
    from sync.run.import_ import ImportDependencies

    stop, mask = threading.Event(), masker(os.environ)
    target = Target(database_url, bounds["database_timeout"], stop)
    backfill = ImportDependencies(
        clock=options.now,
        app_version=__version__,
        guard=guard(bounds["max_removal_percent"], bounds["max_removal_count"], accept_removals),
        limits=limits(bounds["max_models"]),
        mask=mask,
        pause=target.pause,
    )
    quiet_bar = quiet or as_json
    outcome = run_until_stopped(lambda: import_files(files, at, target, backfill, quiet=quiet_bar), stop)
    if as_json:
        print_line(run_report.import_json(outcome.value, mask))
    elif not quiet and (outcome.value.imported or not outcome.value.problem):
        print_line(run_report.import_text(outcome.value))
    if outcome.value.problem:
        print_error(mask(outcome.value.problem))
    return exit_code(outcome.signal) if outcome.signal else outcome.value.exit_code


def _exit(outcome: Outcome[RunResult], mask: Callable[[str], str]) -> int:
    if outcome.signal is not None:
        went_wrong = f": {mask(outcome.value.message)}" if outcome.value.message else ""
        raise Interrupted(f"told to stop; the run had ended by then{went_wrong}", exit_code(outcome.signal))
    _complain(outcome.value, mask)
    return outcome.value.exit_code


def _run(target: Target, job: SyncDependencies, *, dry_run: bool = False) -> RunResult:
    """One run on a database that is opened for it: a scheduler's sleep is long for a connection."""
    from sync.run import run_sync

    engine = target.open()
    try:
        return run_sync(engine, job, dry_run=dry_run)
    finally:
        engine.dispose()


def _complain(result: RunResult, mask: Callable[[str], str]) -> None:
    if result.message:
        print_error(mask(result.message))
