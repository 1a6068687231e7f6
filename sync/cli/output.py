"""What the commands that only look have in common: opening the database, and printing rows."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

import click

from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.store.database import Connection

# For narrow terminals; the JSON and CSV forms always have everything.
_FOLDABLE = ("name", "what", "old", "new")
_EXPENDABLE = ("run_id", "not_before", "delta_cost", "provider", "mode", "percent", "cost_since", "name")


@contextmanager
def database(url: str) -> Iterator[Connection]:
    """A connection that sees one moment of a database at head."""
    from sync.store.database import open_database, reading

    engine = open_database(url)
    try:
        with reading(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def print_rows(
    rows: Sequence[Mapping[str, object]], kind: type, columns: Mapping[str, str], *, as_json: bool, as_csv: bool
) -> None:
    """The rows: whole for programs, under the fields of the dataclass ``kind``; these columns for people."""
    from sync.show.table import print_table, to_csv, to_json

    if as_json and as_csv:
        raise UsageError("give --json or --csv, not both")
    if as_json:
        click.echo(to_json(list(rows)))
    elif as_csv:
        click.echo(to_csv([field.name for field in fields(kind)], rows), nl=False)
    elif rows:
        print_table(columns, rows, sys.stdout, foldable=_FOLDABLE, expendable=_EXPENDABLE)
    else:
        click.echo("nothing found")
