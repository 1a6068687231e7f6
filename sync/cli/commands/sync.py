"""The command ``sync``: one run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.catalog.ticks import last_multiple
from sync.cli import monitor_options, options, run_report
from sync.cli.checkpoint_files import append_checkpoint, require_appendable
from sync.cli.composition import acceptance, database, sync_dependencies
from sync.cli.notifications import file_if, send_after_run
from sync.cli.output import print_folded, print_folded_changes
from sync.cli.process.messages import error_line, print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.cli.run_monitor import RunMonitor
from sync.composition.masking import masker
from sync.composition.sync_parts import ApiSettings
from sync.errors import CatalogSyncError, Interrupted, Outcome, UsageError

if TYPE_CHECKING:
    from sync.catalog.guards import Accepted
    from sync.metrics.ping_url import PingUrl
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
@options.tick
@options.checkpoint_file
@monitor_options.metrics_file
@monitor_options.ping_url
@options.send_news
@options.notify_file
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
    tick: timedelta | None,
    checkpoint_file: Path | None,
    metrics_file: Path | None,
    ping_url: PingUrl | None,
    sends_news: bool,
    notify_file: Path | None,
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
    from sync.run.ticks import run_sync_of_tick

    stop, api_settings = threading.Event(), ApiSettings(**values)
    monitor = RunMonitor(
        # A dry run writes nothing, and leaves the catalog as old as it was.
        metrics_file=None if dry_run else metrics_file,
        ping_url=None if dry_run else ping_url,
        database_url=database_url,
        stop=stop,
        mask=masker(os.environ),
    )
    news_path = notify_file if sends_news and not dry_run else None
    # The ping of a failure goes out before the messages about it.
    with _news_of_failure(database_url, news_path, stop), monitor.failures():
        # Before the database is opened: with a wrong setting nothing is migrated or recorded.
        dependencies = sync_dependencies(
            api_settings,
            stop,
            mode=mode,
            accept_removals=accept_removals,
            accept_costs=accept_costs,
            acceptance=acceptance(base_url=accept_base_url, by=by, why=why),
            tick=last_multiple(options.now(), tick) if tick else None,
            on_begin=monitor.began,
        )
        if migrate_first and dry_run:
            raise UsageError(
                "--dry-run and --migrate exclude each other, since a dry run writes nothing; give one of them"
            )
        require_appendable(checkpoint_file)
        news_file = file_if(notify_file, wanted=sends_news and not dry_run)
        catalog = database(database_url, stop)

        def work() -> tuple[RunResult | None, str | None, str | None]:
            if migrate_first:
                catalog.upgrade(create=False)
            with catalog.opened(reads_only=dry_run) as engine:
                result = run_sync_of_tick(engine, dependencies, dry_run=dry_run)
            if result is None:
                return None, None, monitor.skipped()
            # Here, where a signal waits for it: the run is stored, and its checkpoint should not be lost.
            not_kept = append_checkpoint(checkpoint_file, result.checkpoint)
            text = run_report.ended_text(result, dependencies.mask, not_kept)
            return result, not_kept, monitor.ended(run_report.exit_code(result, not_kept), text, result.checkpoint)

        (result, not_kept, warning), received = run_until_stopped(work, stop)
    mask = dependencies.mask
    if result is None:
        return _tick_was_taken(warning, partial(_send_news, database_url, news_file, stop), as_json=as_json)
    if as_json:
        print_line(run_report.run_json(result, mask, dry_run=dry_run, not_kept=not_kept))
    elif not quiet:
        _print_result(mask(run_report.run_text(result, dry_run=dry_run)), dry_run=dry_run)
    error = _joined(result.message and mask(result.message), not_kept, warning)
    # The run had ended when the signal arrived: it is printed, but the signal decides the exit code.
    if received is not None:
        raise Interrupted(
            f"stopped by {received.name}; the run had ended{f': {error}' if error else ''}", outcome_of(received)
        )
    code = run_report.exit_code(result, not_kept)
    if line := _joined(error, _send_news(database_url, news_file, stop, code, error)):
        print_error(line)
    return code


def _joined(*errors: str | None) -> str:
    """One line, since a command prints one; empty without an error."""
    return "; also: ".join(filter(None, errors))


@contextmanager
def _news_of_failure(database_url: str, path: Path | None, stop: threading.Event) -> Iterator[None]:
    """Sends what is new if the command fails: that a run failed is news, and so is that none succeeds any more."""
    try:
        yield
    except Interrupted:
        raise
    except CatalogSyncError as error:
        if warning := _send_news(database_url, path, stop, error.outcome, str(error), ran=False):
            error.args = (_joined(str(error), warning),)
        raise


def _send_news(
    database_url: str, path: Path | None, stop: threading.Event, code: Outcome, error: str, *, ran: bool = True
) -> str | None:
    """Sends what is new once the run has ended; returns what failed. Whatever happens, the exit code stays.

    ``error`` is the line of the run, which is printed later: it is in the line of a process that must end meanwhile.
    """
    if path is None:
        return None
    try:
        catalog = database(database_url, stop)
    except UsageError:  # the command ends with it
        return None
    text = f"stopped while messages were sent; the run had ended{f': {error}' if error else ''}"
    line = error_line(masker(os.environ)(text))
    work = partial(send_after_run, catalog, path, stop, ran=ran)
    warning, _ = run_until_stopped(work, stop, outcome_if_abandoned=code, abandoned_line=lambda _: line)
    return warning


def _tick_was_taken(warning: str | None, send_news: Callable[[Outcome, str], str | None], *, as_json: bool) -> int:
    """Another run makes the sync of the tick. In a crontab, whatever is printed becomes a mail.

    Messages are sent, as a schedule does: what the host of an earlier tick could not send is tried from here too.
    """
    if as_json:
        print_line(run_report.skipped_json())
    if line := _joined(warning, send_news(Outcome.DONE, warning or "")):
        print_error(line)
    return Outcome.DONE


def _print_result(text: str, *, dry_run: bool) -> None:
    print_text = print_folded_changes if dry_run else print_folded
    print_text(text)
