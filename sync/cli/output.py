"""Prints rows as a table, as JSON or as CSV."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields

import click

from sync.cli.process.messages import print_line
from sync.errors import UsageError

# Those of all commands but ask.
_FOLDABLE = ("model_id", "model_name", "provider", "kind_shown", "what", "old", "new", "reason", "path", "added_by")
_EXPENDABLE = (
    *("run_id", "not_before", "delta_shown", "provider", "model_name", "percent", "credit_cost_since"),
    *("added_by", "duration", "valid_to", "mode"),
)
# Columns whose numbers go to the right, although they have other texts too.
_COSTS = ("credit_cost", "cost_shown", "old", "new", "delta_shown", "percent")
_COLOURED = ("kind_shown", "new", "delta_shown", "percent", "cost_shown")


def print_rows(
    rows: Sequence[Mapping[str, object]],
    kind: type,
    headings: Mapping[str, str],
    *,
    as_json: bool,
    as_csv: bool,
    why_empty: str = "nothing found",
    foldable: Sequence[str] = _FOLDABLE,
    expendable: Sequence[str] = _EXPENDABLE,
) -> None:
    """Prints rows. JSON and CSV have every field of the dataclass ``kind``, a table the columns in ``headings``.

    Without rows a person gets the reason ``why_empty``. On a narrow terminal the ``foldable`` columns take several
    lines, and the ``expendable`` ones are left out, in this order.
    """
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
        print_table(headings, rows, sys.stdout, foldable=foldable, expendable=expendable, costs=_COSTS, style=_colour)
    else:
        print_folded(why_empty)


def print_folded(text: str) -> None:
    """Prints lines for people: on a terminal folded to its width, elsewhere as they are."""
    from sync.show.fold import fold
    from sync.show.table import terminal_width

    if sys.stdout.isatty():
        width = terminal_width()
        text = "\n".join(part for line in text.split("\n") for part in fold(line, width))
    print_line(text)


def print_folded_changes(text: str) -> None:
    """Prints lines for people as ``print_folded`` does; on a terminal those of increases and decreases in colour."""
    from sync.show.direction import colour_of_line
    from sync.show.table import print_coloured

    if not sys.stdout.isatty():
        print_line(text)
        return
    print_coloured(((line, colour_of_line(line)) for line in text.split("\n")), sys.stdout)


def _colour(column: str, row: Mapping[str, object]) -> str:
    from sync.show.direction import direction_of

    direction = direction_of(row) if column in _COLOURED else None
    return direction.colour if direction else ""
