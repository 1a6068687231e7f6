"""The command that shows the whole job at work: demo."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from sync.cli import options
from sync.cli.composition import default_file, make_folder


@click.command(short_help="See the whole job at work on a made-up catalog.", epilog="Example: catalog-sync demo")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to keep its database. Default: your data directory.",
)
def demo(*, directory: Path | None) -> None:
    """Run the whole job on this machine, with a made-up catalog that changes for a week."""
    from sync import __version__
    from sync.cli.commands.lists import print_changes
    from sync.cli.run_report import run_text
    from sync.demo import run_demo

    directory = directory or default_file().parent
    make_folder(directory)
    database = directory.resolve() / "demo.db"
    run_demo(database, options.now(), __version__, lambda day, run: click.echo(f"{day:%a %d %b}  {run_text(run)}"))
    click.echo("\nThe change feed, newest first:\n")
    print_changes(f"sqlite:///{database}")
    click.echo(f"\nIts database is {database}. Look around with:")
    click.echo(f"  {_program()} models --database-url {shlex.quote(f'sqlite:///{database}')}")


def _program() -> str:
    """What to type for this program here: its name, or the file where it is not on the path."""
    if shutil.which("catalog-sync"):
        return "catalog-sync"
    return "python -m sync" if sys.argv[0].endswith("__main__.py") else shlex.quote(os.path.relpath(sys.argv[0]))
