"""Prints rows as a table, as JSON or as CSV."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields

import click

from sync.errors import UsageError

# On a narrow terminal the first columns take several lines, and the second ones are left out, in this order.
_FOLDABLE = ("model_name", "what", "old", "new")
_EXPENDABLE = ("run_id", "not_before", "delta_cost", "provider", "mode", "percent", "credit_cost_since", "model_name")


def print_rows(
    rows: Sequence[Mapping[str, object]], kind: type, headings: Mapping[str, str], *, as_json: bool, as_csv: bool
) -> None:
    """Prints rows. JSON and CSV have every field of the dataclass ``kind``, a table the columns in ``headings``."""
    from sync.show.formats import to_csv, to_json
    from sync.show.table import print_table

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other; give one of them")
    if as_json:
        click.echo(to_json(list(rows)))
    elif as_csv:
        # From the dataclass, not from the first row: the header is printed without rows too.
        click.echo(to_csv([field.name for field in fields(kind)], rows), nl=False)
    elif rows:
        print_table(headings, rows, sys.stdout, foldable=_FOLDABLE, expendable=_EXPENDABLE)
    else:
        click.echo("nothing found")
