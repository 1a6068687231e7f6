"""Which database a command read, and how old the catalog in it is: lines around the output for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click

from sync.cli import options
from sync.cli.output import print_folded

if TYPE_CHECKING:
    from sync.store.database import Connection, Database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WhichCatalog:
    """The catalog that a command read. JSON and CSV are for programs and have none of its lines."""

    url: str
    """Without its password."""
    last_successes: Mapping[str, datetime | None]
    now: datetime

    def print_before(self) -> None:
        """On a terminal, the database and the time of the last successful sync."""
        from sync.show.fold import text_width
        from sync.show.freshness import freshness_text
        from sync.show.table import terminal_width

        if sys.stdout.isatty():
            age = freshness_text(self.last_successes, self.now)
            # On two lines where one is too narrow, so that nothing stands beside the URL that would be copied with it.
            is_short = text_width(f"{self.url}, {age}") <= terminal_width()
            print_folded(f"{self.url}, {age}" if is_short else f"{self.url}\n{age}")

    def print_database(self) -> None:
        """On a terminal, the database alone: for a command that prints the ages itself."""
        if sys.stdout.isatty():
            print_folded(self.url)

    def print_after(self) -> None:
        """Elsewhere the time of the last successful sync, if it is more than a day ago."""
        from sync.show.freshness import freshness_text, is_stale

        if not sys.stdout.isatty() and is_stale(self.last_successes, self.now):
            click.echo(freshness_text(self.last_successes, self.now))


def read_catalog(
    catalog: Database, work: Callable[[Connection, WhichCatalog], T], mode: str | None = None
) -> tuple[WhichCatalog, T]:
    """Which catalog ``work`` read, and its result; it is called as by ``Database.read``."""

    def both(connection: Connection) -> tuple[WhichCatalog, T]:
        which = read_which(catalog, connection, mode)
        return which, work(connection, which)

    return catalog.read(both)


def read_which(catalog: Database, connection: Connection, mode: str | None = None) -> WhichCatalog:
    """The catalog of a connection; with ``mode`` only the age of that mode counts."""
    from sync.store.queries import last_successes

    last = {each.mode: each.good_observed_at for each in last_successes(connection) if mode in (None, each.mode)}
    return WhichCatalog(catalog.masked_url, last, options.now())
