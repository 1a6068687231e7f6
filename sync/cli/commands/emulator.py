"""The command ``emulator``: the Partner API on this machine."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from sync.cli.param_types import WholeNumber
from sync.cli.process.signals import run_until_stopped
from sync.errors import Outcome, UsageError


@click.command(
    short_help="Serve the API from a file, or the catalogs of the demo.",
    epilog="Example: catalog-sync emulator catalog.json --port 8765",
)
@click.argument("file", type=click.Path(path_type=Path), metavar="[FILE]", required=False)
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    default=0,
    metavar="NUMBER",
    help="Default: any free port, which is printed.",
)
@click.option("--hold", is_flag=True, help="Stay on the first catalog of a series.")
@click.option("--quiet", is_flag=True, help="Do not print each request.")
def emulator(*, file: Path | None, port: int, hold: bool, quiet: bool) -> int:
    """Serve the Partner API on loopback until SIGTERM or SIGINT.

    Without FILE it serves the last week of the demo, a made-up catalog that changes. FILE is a catalog
    (a list of models or an envelope), a list of catalogs, or the JSON Lines that import reads. In a
    series each response for a mode moves that mode to its next catalog. A request without a mode, or
    for all, gets both.
    """
    from sync.demo.catalogs import daily_catalogs
    from sync.source.emulator.server import Emulator, load_catalogs

    catalogs = tuple(daily_catalogs()) if file is None else load_catalogs(file)
    stop = threading.Event()

    def serve() -> None:
        log = None if quiet else lambda line: click.echo(line, err=True)
        with Emulator(catalogs, port=port, stepping="manual" if hold else "request", log=log) as api:
            click.echo(f"serving {api.base_url}; any key is accepted; Ctrl-C ends it")
            stop.wait()

    # Binding the port is part of the work, so its error arrives here.
    try:
        run_until_stopped(serve, stop)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used: {error.strerror}; give another --port, or leave it out for a free one"
        ) from error
    return Outcome.DONE
