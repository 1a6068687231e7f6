"""The commands that set things up or show them off: migrate, demo, emulator."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import threading
from pathlib import Path

import click

from sync import settings
from sync.cli import options
from sync.cli.process.signals import run_until_stopped
from sync.errors import ExitCode, UsageError


@click.command(short_help="Make the database, or bring it to head.", epilog="Example: catalog-sync migrate")
@options.database_url
@click.option("--check", is_flag=True, help="Only say whether it is at head; exit 2 if not.")
def migrate(*, database_url: str, check: bool) -> None:
    """Bring the database to the schema of this version; make an SQLite file that is missing."""
    from sync.store import schema

    if check:
        schema.require_head(database_url)
        click.echo(f"{schema.masked_url(database_url)} is at revision {schema.HEAD}")
        return
    bring_to_head(database_url)
    click.echo(f"{schema.masked_url(database_url)} is now at revision {schema.HEAD}")
    if note := schema.storage_warning_for(database_url):
        click.echo(f"note: {note}")


def bring_to_head(database_url: str) -> None:
    """Migrates; makes the folder of the default database, and no other, when it is missing."""
    from sync.store import schema

    if database_url == settings.default_database_url():
        _make_folder(_default_file().parent)
    schema.upgrade(database_url)


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

    directory = directory or _default_file().parent
    _make_folder(directory)
    database = directory.resolve() / "demo.db"
    run_demo(database, options.now(), __version__, lambda day, run: click.echo(f"{day:%a %d %b}  {run_text(run)}"))
    click.echo("\nThe change feed, newest first:\n")
    print_changes(f"sqlite:///{database}")
    click.echo(f"\nIts database is {database}. Look around with:")
    click.echo(f"  {_program()} models --database-url {shlex.quote(f'sqlite:///{database}')}")


@click.command(
    short_help="Answer like the API, from a file.", epilog="Example: catalog-sync emulator catalog.json --port 8765"
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free one; it is printed.")
@click.option("--hold", is_flag=True, help="Stay on the first catalog of a series.")
@click.option("--quiet", is_flag=True, help="Do not print each request.")
def emulator(*, file: Path, port: int, hold: bool, quiet: bool) -> int:
    """Answer like the Partner API on loopback, from a file, until SIGTERM or SIGINT.

    FILE is a catalog (a list of models or an envelope), a list of catalogs, or the JSON Lines that
    import takes. In a series each answer for a mode moves that mode on to its next catalog.
    """
    from sync.source.emulator.server import Emulator, load_catalogs

    catalogs = load_catalogs(file)

    stop = threading.Event()

    def serve() -> None:
        log = None if quiet else lambda line: click.echo(line, err=True)
        with Emulator(catalogs, port=port, stepping="manual" if hold else "request", log=log) as api:
            click.echo(f"serving {api.base_url}; any key works; Ctrl-C ends it")
            stop.wait()

    try:
        run_until_stopped(serve, stop)
    except OSError as error:
        raise UsageError(f"port {port} cannot be used: {error.strerror}; leave --port out for a free one") from error
    return ExitCode.DONE


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be made: {error.strerror}; name another one") from error


def _program() -> str:
    """What to type for this program here: its name, or the file where it is not on the path."""
    if shutil.which("catalog-sync"):
        return "catalog-sync"
    return "python -m sync" if sys.argv[0].endswith("__main__.py") else shlex.quote(os.path.relpath(sys.argv[0]))


def _default_file() -> Path:
    return Path(settings.default_database_url().removeprefix("sqlite:///"))
