"""The command ``sync``: one run."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.cli import options, run_report
from sync.cli.checkpoint_files import append_checkpoint, require_appendable
from sync.cli.composition import ApiSettings, acceptance, database, sync_dependencies
from sync.cli.output import print_folded, print_folded_changes
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from sync.catalog.guards import Accepted
    from sync.run import RunResult


@click.command(epilog="Example: CATALOG_SYNC_API_KEY_FILE=~/.genviral-key catalog-sync sync --migrate")
@options.mode
@click.option(
    "--dry-run", is_flag=True, help="Fetch and compare, print each change that would be stored, and write nothing."
)
@options.accept_removals
@options.accept_costs
@options.accept_base_url
@options.accepted_by
@options.why
@options.checkpoint_file
@options.migrate
@options.quiet
@options.as_json
@options.database_url
@options.api_settings
def sync(  # noqa: PLR0913  # each is an option
    *,
    mode: str | None,
    dry_run: bool,
    accept_removals: Accepted,
    accept_costs: Accepted,
    accept_base_url: bool,
    by: str | None,
    why: str | None,
    checkpoint_file: Path | None,
    migrate_first: bool,
    quiet: bool,
    as_json: bool,
    database_url: str,
    **values: Any,
) -> int:
    """Fetch the catalog once and store what changed.

    The API key comes from CATALOG_SYNC_API_KEY, or from the file named by CATALOG_SYNC_API_KEY_FILE.
    The exit code is 0 whether or not anything changed; README.md lists the other codes.
    """
    from sync.run import run_sync

    stop, api_settings = threading.Event(), ApiSettings(**values)
    # Before the database is opened: with a wrong setting nothing is migrated or recorded.
    dependencies = sync_dependencies(
        api_settings,
        stop,
        mode=mode,
        accept_removals=accept_removals,
        accept_costs=accept_costs,
        acceptance=acceptance(base_url=accept_base_url, by=by, why=why),
    )
    if migrate_first and dry_run:
        raise UsageError("--dry-run and --migrate exclude each other, since a dry run writes nothing; give one of them")
    require_appendable(checkpoint_file)
    catalog = database(database_url, stop)

    def work() -> tuple[RunResult, str | None]:
        if migrate_first:
            catalog.upgrade(create=False)
        with catalog.opened(reads_only=dry_run) as engine:
            result = run_sync(engine, dependencies, dry_run=dry_run)
        # Here, where a signal waits for it: the run is stored, and its checkpoint should not be lost.
        return result, append_checkpoint(checkpoint_file, result.checkpoint)

    (result, not_kept), received = run_until_stopped(work, stop)
    mask = dependencies.mask
    if as_json:
        print_line(run_report.run_json(result, mask, dry_run=dry_run, not_kept=not_kept))
    elif not quiet:
        print_text = print_folded_changes if dry_run else print_folded
        print_text(mask(run_report.run_text(result, dry_run=dry_run)))
    errors = [*filter(None, [result.message and mask(result.message), not_kept])]
    error = "; also: ".join(errors)
    # The run had ended when the signal arrived: it is printed, but the signal decides the exit code.
    if received is not None:
        raise Interrupted(
            f"stopped by {received.name}; the run had ended{f': {error}' if error else ''}", outcome_of(received)
        )
    if error:
        print_error(error)
    return run_report.exit_code(result, not_kept)
