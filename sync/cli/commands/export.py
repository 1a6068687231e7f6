"""The command ``export``: the recorded history as a file that ``import`` takes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync import __version__
from sync.cli import options
from sync.cli.composition import database
from sync.cli.param_types import WholeNumber
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.errors import CatalogSyncError, Interrupted, Outcome, UsageError

if TYPE_CHECKING:
    from sync.store.database import Connection, Database


@click.command(
    short_help="Write the recorded history to a file.", epilog="Example: catalog-sync export history.jsonl.gz"
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--without-run",
    "left_out",
    type=WholeNumber(min=1),
    multiple=True,
    metavar="N",
    help="Leave this run out, as if it had not been.",
)
@options.quiet
@options.archive("Name the file in this folder, in which syncs kept their responses, with each response of a run.")
@options.database_url
def export(*, file: Path, left_out: tuple[int, ...], quiet: bool, archive: Path | None, database_url: str) -> int:
    """Write the whole recorded history to FILE, for catalog-sync import.

    FILE is JSON Lines, compressed if its name ends in .gz; - is stdout. It is written whole or not at all,
    in place of an earlier export with this name. Imported into a new database, of whatever kind, every view has
    the same rows but for the numbers of runs.

    A sync may run at the same time.
    """
    stop = threading.Event()
    is_stdout = str(file) == "-"
    catalog = database(database_url, stop)

    def work() -> int:
        return _export(catalog, file, left_out, stop, archive, show_progress=not quiet and sys.stderr.isatty())

    runs, received = run_until_stopped(work, stop)
    if not quiet and not is_stdout:
        print_line(_text(runs, len(set(left_out)), file))
    if received is None:
        return Outcome.DONE
    print_error(f"stopped by {received.name} after the last line; {file} was written whole")
    return outcome_of(received)


def _export(
    catalog: Database,
    file: Path,
    left_out: tuple[int, ...],
    stop: threading.Event,
    archive: Path | None,
    *,
    show_progress: bool,
) -> int:
    """The number of runs in the file."""
    from sync.cli.process.whole_file import whole_file
    from sync.cli.process.written_once import WrittenOnce
    from sync.run.export import export_lines
    from sync.store.export import number_of_runs

    _require_replaceable(file)
    archived = None if archive is None else _archived(archive)

    def work(connection: Connection, write: Callable[[bytes], object]) -> int:
        total = number_of_runs(connection)
        with _progress(total, show=show_progress) as advance:
            for line in export_lines(connection, __version__, left_out, advance, archived):
                if stop.is_set():
                    raise Interrupted(f"stopped; {file} was not written, run it again")
                write(line)
        return total - len(set(left_out))

    def to_file(connection: Connection) -> int:
        with whole_file(file) as write:
            return work(connection, write)

    if str(file) != "-":
        return catalog.read(to_file)
    with whole_file(file) as write:
        output = WrittenOnce(write)
        return catalog.read(lambda connection: work(connection, output.begin()))


def _archived(folder: Path) -> dict[tuple[str, str], str]:
    from sync.source.archive.reader import body_names

    return body_names(folder)


def _require_replaceable(file: Path) -> None:
    """Raises ``UsageError`` for a file that is no export, such as the database itself."""
    from sync.source.files.exported import is_export

    try:
        if str(file) == "-" or not file.is_file() or not file.stat().st_size or is_export(file):
            return
    except OSError:
        return  # opening it for writing reports it
    except CatalogSyncError:
        pass  # not a text with lines, or damaged
    raise UsageError(f"{file} was not written: there is another file that is no export; give another name")


@contextmanager
def _progress(total: int, *, show: bool) -> Iterator[Callable[[], None]]:
    """A function to call for each run; it moves a progress bar on stderr if shown."""
    if not show:
        yield lambda: None
        return
    from functools import partial

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("runs exported"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield partial(bar.advance, bar.add_task("", total=total))


def _text(runs: int, left_out: int, file: Path) -> str:
    from sync.catalog.text import one_line
    from sync.show.values import format_count

    without = f", {left_out} left out" if left_out else ""
    return f"exported {format_count(runs, 'run')} to {one_line(str(file))}{without}"
