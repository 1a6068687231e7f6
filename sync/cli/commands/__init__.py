"""The list of commands. Their modules import nothing heavy: help and version must be quick."""

from __future__ import annotations

import click

from sync import __version__
from sync.cli.commands import demo, emulator, import_, lists, migrate, model, prune, schedule, status, sync, verify


@click.group(
    no_args_is_help=False,  # help is not an error line; without a command there is one that names --help
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: catalog-sync demo",
)
@click.version_option(__version__, prog_name="catalog-sync")
@click.option(
    "--debug", is_flag=True, help="Show tracebacks, requests and SQL statements without values; secrets stay hidden."
)
def cli(*, debug: bool) -> None:
    """Keep a model catalog in a SQL database, with every change of a cost on record."""


for command in (
    demo.demo,
    migrate.migrate,
    sync.sync,
    schedule.schedule,
    import_.import_,
    lists.models,
    lists.changes,
    model.show,
    model.costs,
    status.status,
    verify.verify,
    prune.prune,
    emulator.emulator,
):
    cli.add_command(command)
