"""The commands. Their modules import sqlalchemy, requests and the like only inside functions.

So ``--help`` and ``--version`` stay fast, and a command loads only what it needs: a cron job starts
the program every few minutes.
"""

from __future__ import annotations

import click

from sync import __version__
from sync.cli.commands import (
    ask,
    checkpoint,
    completion,
    demo,
    emulator,
    export,
    ignore,
    import_,
    lists,
    migrate,
    model,
    notify,
    prove,
    prune,
    report,
    schedule,
    status,
    sync,
    verify,
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: catalog-sync demo",
)
@click.version_option(__version__, prog_name="catalog-sync", help="Print the version.")
@click.option(
    "--debug",
    is_flag=True,
    help="Print tracebacks, requests, and SQL statements without their values; secrets are masked.",
)
def cli(*, debug: bool) -> None:
    """Keep a model catalog in a SQL database and record every change of a cost."""


for command in (
    demo.demo,
    migrate.migrate,
    sync.sync,
    schedule.schedule,
    import_.import_,
    export.export,
    lists.models,
    lists.changes,
    model.show,
    model.costs,
    ask.ask,
    report.report,
    status.status,
    verify.verify,
    checkpoint.checkpoint,
    prove.prove,
    ignore.ignore,
    notify.notify,
    prune.prune,
    emulator.emulator,
    completion.completion,
):
    cli.add_command(command)
