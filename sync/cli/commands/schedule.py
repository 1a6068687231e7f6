"""The command ``schedule``: runs at set times until a signal arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.cli import monitor_options, options, run_report
from sync.cli.checkpoint_files import append_checkpoint, require_appendable
from sync.cli.composition import database, sync_dependencies
from sync.cli.notifications import BackgroundSender, file_if, send_in_process
from sync.cli.param_types import Duration
from sync.cli.process import gc_tuning
from sync.cli.process.messages import describe_error
from sync.cli.process.signals import run_until_stopped
from sync.cli.run_monitor import RunMonitor, served_metrics
from sync.cli.schedule_log import JsonLog, ScheduleLog, TextLog
from sync.composition.sync_parts import ApiSettings
from sync.errors import Interrupted, Outcome, ScheduleNotice

if TYPE_CHECKING:
    from sync.cli.monitor_options import Address
    from sync.metrics.ping_url import PingUrl
    from sync.run import RunResult
    from sync.schedule import Tick, Timetable


@click.command(short_help="Sync at set times.", epilog="Example: catalog-sync schedule --every 15m --migrate")
@click.option(
    "--every",
    type=Duration(),
    metavar="DURATION",
    help="Runs at the multiples of DURATION since 1970, such as 15m, at most 1d: the same times on every host.",
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
    metavar="DURATION",
    help="Start each run later by a random time up to DURATION, and before the next time. Default: a tenth of the"
    " time between two, at most 30s.",
)
@options.mode
@options.checkpoint_file
@monitor_options.metrics_file
@monitor_options.listen
@monitor_options.ping_url
@monitor_options.log_format
@options.send_news
@options.notify_file
@options.migrate
@options.quiet
@options.database_url
@options.api_settings
def schedule(  # noqa: PLR0913  # each is an option
    *,
    every: timedelta | None,
    cron: str | None,
    timezone: str,
    jitter: timedelta | None,
    mode: str | None,
    checkpoint_file: Path | None,
    metrics_file: Path | None,
    listen: Address | None,
    ping_url: PingUrl | None,
    log_format: str,
    sends_news: bool,
    notify_file: Path | None,
    migrate_first: bool,
    quiet: bool,
    database_url: str,
    **values: Any,
) -> int:
    """Sync at set times until SIGTERM or SIGINT, then exit with code 0 within 10 seconds.

    Of any number of schedules, on any hosts, with the same times and modes, one makes the run of each time; the
    others skip it without a word. A time that passed before the start is made up for if there was no successful
    sync since, and so is the last one that was missed while the machine slept. Only one run is active at a time.
    The error of a failed run is printed on stderr, and the next run starts at its time. Each line has a time.
    """
    from sync.schedule import make_timetable

    log = JsonLog(quiet=quiet) if log_format == "json" else TextLog(quiet=quiet)
    stop = threading.Event()
    with log.ending():
        timetable = make_timetable(every, cron, timezone, jitter)
        news_file = file_if(notify_file, wanted=sends_news)
        job = _ScheduledSync(
            mode=mode,
            checkpoint_file=checkpoint_file,
            database_url=database_url,
            api_settings=ApiSettings(**values),
            monitor=RunMonitor(
                metrics_file=metrics_file, ping_url=ping_url, database_url=database_url, stop=stop, mask=log.mask
            ),
            log=log,
            stop=stop,
        )
        with served_metrics(listen, job.catalog, log.mask):
            send = None if news_file is None else partial(send_in_process, database_url, news_file, stop)
            sender = BackgroundSender(send, lambda warning: log.notice(log.mask(warning)), stop)
            _run_until_stopped(job, timetable, sender, migrate_first=migrate_first)
    return Outcome.DONE


class _ScheduledSync:
    """The job that a schedule runs, again and again."""

    def __init__(
        self,
        *,
        mode: str | None,
        checkpoint_file: Path | None,
        database_url: str,
        api_settings: ApiSettings,
        monitor: RunMonitor,
        log: ScheduleLog,
        stop: threading.Event,
    ) -> None:
        """Raises ``UsageError`` for wrong settings, before the first run."""
        self._mode, self._checkpoint_file, self._api_settings = mode, checkpoint_file, api_settings
        self._monitor, self.log, self.stop = monitor, log, stop
        sync_dependencies(api_settings, stop)
        require_appendable(checkpoint_file)
        self.catalog = database(database_url, stop, silent=True)

    def run_once(self, tick: Tick) -> None:
        from sync.run.ticks import run_sync_of_tick

        self.log.tick = None
        # A stop is no failure of the job: the schedule that starts next makes up for the run.
        with self._monitor.failures(with_stops=False):
            # Made for each run, since the API key may have changed in its file.
            dependencies = sync_dependencies(
                self._api_settings,
                self.stop,
                mode=self._mode,
                trigger_kind="schedule",
                tick=tick.time,
                on_begin=self._monitor.began,
            )
            self.log.tick = dependencies.tick
            # Opened for each run, since servers and firewalls close connections that are idle for long.
            with self.catalog.opened() as engine:
                result = run_sync_of_tick(engine, dependencies, missed_at=tick.time if tick.at_start else None)
            warning = self._monitor.skipped() if result is None else self._report(result, dependencies.mask)
        if warning:
            self.log.notice(warning)

    def _report(self, result: RunResult, mask: Callable[[str], str]) -> str | None:
        """Reports a run that ended; returns what could not be reported."""
        not_kept = append_checkpoint(self._checkpoint_file, result.checkpoint)
        self.log.ended(result, mask, not_kept)
        text = run_report.ended_text(result, mask, not_kept)
        return self._monitor.ended(run_report.exit_code(result, not_kept), text, result.checkpoint)

    def print_failure(self, error: BaseException) -> None:
        """Prints an error of ``run_once``, or what ``run_forever`` reports."""
        outcome, text = describe_error(error)
        if isinstance(error, ScheduleNotice):
            self.log.notice(self.log.mask(text))
        else:
            self.log.failed(outcome, self.log.mask(text), self._monitor.run_id)


def _run_until_stopped(
    job: _ScheduledSync, timetable: Timetable, sender: BackgroundSender, *, migrate_first: bool
) -> None:
    from sync.schedule import run_forever

    def run_and_send(tick: Tick) -> None:
        try:
            job.run_once(tick)
        finally:  # that a run failed is news too
            sender.wake()

    def work() -> None:
        if migrate_first:
            job.catalog.upgrade(create=False)
        job.catalog.require_head()
        gc_tuning.for_many_runs()
        run_forever(timetable, run_and_send, job.print_failure, job.stop)

    # A signal before the first run also ends the command with code 0.
    with suppress(Interrupted):
        run_until_stopped(work, job.stop, outcome_if_abandoned=Outcome.DONE, abandoned_line=job.log.last)
    sender.end()
