"""The command that does one run: sync."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sync.cli import options, run_report
from sync.cli.composition import ApiSettings, database, sync_dependencies, upgrade
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import WorkResult, outcome_of, run_until_stopped
from sync.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from sync.run import RunResult


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
    from sync.run import run_sync

    stop, given = threading.Event(), ApiSettings(**api)
    job = sync_dependencies(given, stop, mode=mode, accept_removals=accept_removals)
    if migrate_first and dry_run:
        raise UsageError("--dry-run writes nothing at all, --migrate does: give one of them")
    catalog = database(database_url, given.database_timeout, stop)

    def work() -> RunResult:
        if migrate_first:
            upgrade(catalog)
        with catalog.opened() as engine:
            return run_sync(engine, job, dry_run=dry_run)

    ended = run_until_stopped(work, stop)
    if as_json:
        print_line(run_report.run_json(ended.value, job.mask, dry_run=dry_run))
    elif not quiet:
        print_line(job.mask(run_report.run_text(ended.value, dry_run=dry_run)))
    return _exit(ended, job.mask)


def _exit(ended: WorkResult[RunResult], mask: Callable[[str], str]) -> int:
    if ended.signal is not None:
        went_wrong = f": {mask(ended.value.message)}" if ended.value.message else ""
        raise Interrupted(f"told to stop; the run had ended by then{went_wrong}", outcome_of(ended.signal))
    complain(ended.value, mask)
    return ended.value.exit_code


def complain(result: RunResult, mask: Callable[[str], str]) -> None:
    if result.message:
        print_error(mask(result.message))
