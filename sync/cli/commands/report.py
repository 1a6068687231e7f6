"""The command ``report``: what moved in a period, as one HTML file."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync import __version__
from sync.cli import options
from sync.cli.composition import database
from sync.cli.param_types import Utf8Text
from sync.cli.process.messages import print_line
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.catalog.history.report_data import Period
    from sync.show.report.page import ReportHead
    from sync.store.database import Database
    from sync.store.report import ReportFilter

DEFAULT_PERIOD = timedelta(days=90)
_FIRST_BYTES = 4096  # of a report: more than its head before the style


@click.command(
    short_help="Write a report with charts as one HTML file.",
    epilog="Example: catalog-sync report costs.html --since 30d",
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@options.moment("--since", "The period begins at this time. Default: 90 days before its end.")
@options.moment("--until", "The period ends at this time. Default: now.")
@options.mode
@options.provider
@click.option(
    "--title", type=Utf8Text(), metavar="TEXT", help="Title of the report.", default="Model costs", show_default=True
)
@options.quiet
@options.database_url
def report(
    *,
    file: Path,
    since: datetime | None,
    until: datetime | None,
    mode: str | None,
    provider: str | None,
    title: str,
    quiet: bool,
    database_url: str,
) -> None:
    """Write a report of a period to FILE: summary, net movers, a chart for each model, providers, change feed.

    FILE is one HTML page that loads nothing; - is stdout. It is written whole or not at all, in place of an
    earlier report with this name. A sync may run at the same time.
    """
    from sync.show.report.page import ReportHead
    from sync.store.report import ReportFilter

    now = options.now()
    period = report_period(since, until, now)
    head = ReportHead(title, now, __version__, mode, provider)
    show_progress = not quiet and sys.stderr.isatty()
    size = write_report(
        database(database_url), ReportFilter(period, mode, provider), head, file, show_progress=show_progress
    )
    if not quiet and str(file) != "-":
        print_line(_text(size, file))


def report_period(since: datetime | None, until: datetime | None, now: datetime) -> Period:
    """The period of a report, which does not reach into the future. Raises ``UsageError`` for an empty one."""
    from sync.catalog.history.report_data import Period

    end = min(until or now, now)
    try:
        start = since or end - DEFAULT_PERIOD
    except OverflowError:
        start = datetime.min.replace(tzinfo=end.tzinfo)
    if start >= end:
        raise UsageError(
            f"the period is empty: it begins at {start:%Y-%m-%d %H:%M} UTC and ends at {end:%Y-%m-%d %H:%M} UTC;"
            " give a --since before --until and before now"
        )
    return Period(start, end)


def write_report(
    catalog: Database, wanted: ReportFilter, head: ReportHead, file: Path, *, show_progress: bool = False
) -> int:
    """Writes the report and returns its size in bytes. The database is read at one moment."""
    from sync.cli.process.whole_file import whole_file
    from sync.show.report.page import report_page
    from sync.store.report import read_report

    _require_replaceable(file)
    with _progress(show=show_progress):
        data = catalog.read(lambda connection: read_report(connection, wanted))
        page = report_page(data, head).encode()
        with whole_file(file) as write:
            write(page)
    return len(page)


def _require_replaceable(file: Path) -> None:
    """Raises ``UsageError`` for a file that is no report, such as the database itself."""
    from sync.show.report.page import GENERATOR

    try:
        target = Path(os.path.realpath(file))  # what is replaced, also of a path through a folder that is not there
        if str(file) == "-" or not target.is_file() or not target.stat().st_size:
            return
        with gzip.open(target) if file.name.lower().endswith(".gz") else target.open("rb") as opened:
            is_report = GENERATOR.encode() in opened.read(_FIRST_BYTES)
    except (gzip.BadGzipFile, EOFError):
        is_report = False  # not compressed, in spite of its name
    except OSError:
        return  # such as a name too long; opening it for writing reports it
    if not is_report:
        raise UsageError(f"{file} was not written: there is another file that is no report; give another name")


@contextmanager
def _progress(*, show: bool) -> Iterator[None]:
    """A line on stderr while the report is made, if shown."""
    if not show:
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status("making the report"):
        yield


def _text(size: int, file: Path) -> str:
    from sync.catalog.text import one_line

    return f"wrote the report to {one_line(str(file))} ({max(size // 1000, 1):,} kB)"
