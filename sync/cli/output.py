"""Printing rows as a table, as JSON or as CSV."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields

import click

from sync.errors import UsageError

# For narrow terminals; the JSON and CSV forms always have everything.
_FOLDABLE = ("model_name", "what", "old", "new")
_EXPENDABLE = ("run_id", "not_before", "delta_cost", "provider", "mode", "percent", "credit_cost_since", "model_name")


def print_rows(
    rows: Sequence[Mapping[str, object]], kind: type, columns: Mapping[str, str], *, as_json: bool, as_csv: bool
) -> None:
    """The rows: whole for programs, under the fields of the dataclass ``kind``; these columns for people."""
    from sync.show.formats import to_csv, to_json
    from sync.show.table import print_table

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
