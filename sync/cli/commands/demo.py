"""The command ``demo``: three months of runs with a made-up catalog, and a report of them."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync import settings
from sync.cli import options
from sync.cli.composition import make_folder
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.run import RunResult

_FIRST_YEAR, _LAST_YEAR = 2001, 9000  # a run refuses a clock before the year 2000, and datetime ends in 9999


@click.command(short_help="Show the program at work on a made-up catalog.", epilog="Example: catalog-sync demo")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the database, demo.db, and the report, demo.html. Default: your data directory.",
)
@options.moment("--until", "The history ends within the day before this time. Default: now.")
def demo(*, directory: Path | None, until: datetime | None) -> None:
    """Sync a made-up catalog that changes for three months, on this machine: no API key, no server.

    The runs use the emulator of the API and a new SQLite file, which replaces that of the last demo. At the end
    there is a report of them, to be opened in a browser.
    """
    from sync import __version__
    from sync.cli.commands.lists import print_changes
    from sync.cli.run_report import run_text
    from sync.demo import run_demo

    until = until or options.now()
    if not _FIRST_YEAR <= until.year <= _LAST_YEAR:
        raise UsageError(f"--until {until.year} refused: give a time from {_FIRST_YEAR} to {_LAST_YEAR}")
    directory = directory or settings.data_folder("--directory")
    make_folder(directory)
    file = directory.resolve() / "demo.db"  # absolute, so that the printed command works in any folder

    def print_run(day: datetime, run: RunResult) -> None:
        # The roots of a demo are those of no other, and nobody keeps them.
        click.echo(f"{day:%a %d %b}  {run_text(run, shows_seal=False)}")

    run_demo(file, until, __version__, print_run)
    click.echo("\nThe change feed, newest first:\n")
    print_changes(f"sqlite:///{file}")
    click.echo(f"\nThe database is {file}. To query it:")
    click.echo(f"  {_program()} models --database-url {shlex.quote(f'sqlite:///{file}')}")
    click.echo(f"  {_program()} ask cost-changes --database-url {shlex.quote(f'sqlite:///{file}')}")
    click.echo(f"\nThe report, to be opened in a browser: {_write_report(file, until)}")


def _write_report(database: Path, until: datetime) -> str:
    """Writes the report beside the database, and returns its URL."""
    from sync import __version__
    from sync.cli.commands.report import report_period, write_report
    from sync.show.report.page import ReportHead
    from sync.store.database import Database
    from sync.store.report import ReportFilter

    file = database.with_suffix(".html")
    wanted = ReportFilter(report_period(None, until, until))
    write_report(
        Database(f"sqlite:///{database}"), wanted, ReportHead("Demo of catalog-sync", until, __version__), file
    )
    return file.as_uri()


def _program() -> str:
    """How to call this program in the user's shell: by name, or by path where the name is not found."""
    if shutil.which("catalog-sync"):
        return "catalog-sync"
    return "python -m sync" if sys.argv[0].endswith("__main__.py") else shlex.quote(os.path.relpath(sys.argv[0]))
