"""The command that stays and does runs at set times: schedule."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import click

from sync.cli import options, run_report
from sync.cli.commands.sync import complain
from sync.cli.composition import ApiSettings, database, sync_dependencies, upgrade
from sync.cli.param_types import Duration
from sync.cli.process.gc_tuning import for_many_runs
from sync.cli.process.messages import describe_error, print_error, print_line
from sync.cli.process.signals import run_until_stopped
from sync.errors import Interrupted, Outcome


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
    from sync.run import run_sync
    from sync.schedule import make_timetable, run_forever

    stop, given = threading.Event(), ApiSettings(**api)
    timetable = make_timetable(every, cron, timezone, jitter)
    mask = sync_dependencies(given, stop).mask  # faults in the settings come before the first run
    catalog = database(database_url, given.database_timeout, stop)

    def once() -> None:
        job = sync_dependencies(
            given, stop, mode=mode, trigger_kind="schedule"
        )  # with a key that was changed meanwhile
        with catalog.opened() as engine:  # for this run alone: a connection would not outlast the sleep
            result = run_sync(engine, job)
        if not quiet:
            print_line(job.mask(run_report.run_text(result)))
        complain(result, job.mask)

    def failed(error: BaseException) -> None:
        print_error(mask(describe_error(error)[1]))

    def work() -> None:
        if migrate_first:
            upgrade(catalog)
        catalog.require_head()
        for_many_runs()
        run_forever(timetable, once, failed, stop)

    with suppress(Interrupted):  # told to stop before the first run
        run_until_stopped(work, stop, outcome_if_abandoned=Outcome.DONE)
    return Outcome.DONE
