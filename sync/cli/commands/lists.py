"""The commands ``models`` and ``changes``: lists of rows."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.output import print_folded, print_rows
from sync.cli.param_types import FiniteFloat, Utf8Text, WholeNumber
from sync.cli.which_catalog import read_catalog

if TYPE_CHECKING:
    from sync.catalog.history.as_of import CatalogEntry
    from sync.cli.which_catalog import WhichCatalog
    from sync.store.database import Connection, Database
    from sync.store.queries import Filter

# The documented values of catalog_changes.entity and catalog_changes.change_kind, in the order of help.
ENTITIES = ("models", "credits", "params", "inputs", "input_rules", "capabilities", "raw_available_params")
TERMINAL_LIMIT = 100
"""The number of changes that a terminal gets without ``--limit``."""
KINDS = ("added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed")

_MODEL_HEADINGS = {
    "mode": "MODE",
    "model_id": "MODEL",
    "model_name": "NAME",
    "provider": "PROVIDER",
    "credit_cost": "COST",
    "credit_cost_since": "SINCE (UTC)",
}
_CHANGE_HEADINGS = {
    "changed_at": "SEEN (UTC)",
    "mode": "MODE",
    "model_id": "MODEL",
    "kind_shown": "CHANGE",
    "what": "FIELD",
    "old": "OLD",
    "new": "NEW",
    "delta_shown": "DELTA",
    "percent": "%",
    "not_before": "NOT BEFORE (UTC)",
    "run_id": "RUN",
}


@click.command(
    short_help="List the models with their costs.", epilog="Example: catalog-sync models --mode image --provider Google"
)
@options.mode
@options.provider
@options.moment("--as-of", "The catalog at this time.")
@options.as_json
@options.as_csv
@options.database_url
def models(
    *, mode: str | None, provider: str | None, as_of: datetime | None, as_json: bool, as_csv: bool, database_url: str
) -> None:
    """List the models with their costs, now or at a time in the past."""
    from sync.catalog.history.as_of import CatalogEntry, catalog_entry
    from sync.cli.empty_result import why_no_models
    from sync.store import queries

    def read(connection: Connection, which: WhichCatalog) -> tuple[list[CatalogEntry], str]:
        if as_of is None:
            rows = list(queries.current_models(connection, queries.Filter(mode=mode, provider=provider)))
        else:
            # Filtered here: the provider of a past version is in its JSON text alone.
            past = map(catalog_entry, queries.versions_at(connection, as_of, mode))
            rows = [entry for entry in past if provider in (None, entry.provider)]
        return rows, "" if rows else why_no_models(connection, which, mode, provider, as_of)

    which, (entries, reason) = read_catalog(database(database_url), read, mode)
    rows = [asdict(entry) for entry in entries]
    is_table = not as_json and not as_csv
    if is_table:
        which.print_before()
    print_rows(rows, CatalogEntry, _MODEL_HEADINGS, as_json=as_json, as_csv=as_csv, why_empty=reason)
    if is_table:
        which.print_after()


@click.command(epilog="Example: catalog-sync changes --since 7d --kind increase --min-pct 10")
@options.moment("--since", "Only changes observed at or after this time.")
@options.moment("--until", "Only changes observed before this time.")
@options.mode
@options.provider
@click.option(
    "--model",
    type=Utf8Text(),
    metavar="PATTERN",
    help="Only models with this id. * matches any text, ? one character, [ab] a or b, such as 'google/*'.",
)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind of change.")
@click.option("--entity", "entities", multiple=True, type=click.Choice(ENTITIES), help="Only this part of a model.")
@click.option(
    "--field",
    type=Utf8Text(),
    metavar="PATTERN",
    help="Only this field, with its entity before it, such as credits.default_cost, 'params.*.rank' or '*.rank'.",
)
@click.option(
    "--min-pct",
    "min_percent",
    type=FiniteFloat(min=0),
    metavar="NUMBER",
    help="Only costs that rose or fell by this percentage or more.",
)
@click.option(
    "--limit",
    type=WholeNumber(min=0),
    metavar="NUMBER",
    help="Only this number of newest changes; 0 for all. Default: 100 on a terminal, all in a pipe.",
)
@options.as_json
@options.as_csv
@options.database_url
def changes(*, limit: int | None, as_json: bool, as_csv: bool, database_url: str, **wanted: Any) -> None:
    """List the changes, newest first.

    A change happened between NOT BEFORE, when the previous successful sync began its request, and
    SEEN, when a sync observed the change.
    """
    from sync.store.queries import Filter

    # Only where a person reads it: a pipe gets all, and so do programs.
    says_total = limit is None and sys.stdout.isatty() and not (as_json or as_csv)
    limit = TERMINAL_LIMIT if says_total else limit or None
    _print_changes(
        database(database_url),
        Filter(**wanted),
        limit,
        as_json=as_json,
        as_csv=as_csv,
        says_total=says_total,
        says_which=not (as_json or as_csv),
    )


def print_changes(database_url: str) -> None:
    """Prints the whole change feed of a database that is not the user's own, such as that of the demo, as a table."""
    from sync.store.database import Database
    from sync.store.queries import Filter

    _print_changes(Database(database_url), Filter())


def _print_changes(
    catalog: Database,
    wanted: Filter,
    limit: int | None = None,
    *,
    as_json: bool = False,
    as_csv: bool = False,
    says_total: bool = False,
    says_which: bool = False,
) -> None:
    """Prints the newest changes.

    With ``says_total`` also how many there are, where these are not all; with ``says_which`` also which
    database was read, and how old it is.
    """
    from sync.cli.empty_result import why_no_changes
    from sync.store import change_feed

    def read(connection: Connection, which: WhichCatalog) -> tuple[list[dict[str, Any]], int, str]:
        rows = [asdict(change) for change in change_feed.changes(connection, wanted, limit)]
        is_cut = says_total and len(rows) == limit
        total = change_feed.count_changes(connection, wanted) if is_cut else len(rows)
        return rows, total, "" if rows else why_no_changes(connection, which, wanted)

    which, (rows, total, reason) = read_catalog(catalog, read, wanted.mode)
    if as_json or as_csv:
        print_rows(rows, change_feed.Change, _CHANGE_HEADINGS, as_json=as_json, as_csv=as_csv)
        return
    if says_which:
        which.print_before()
    _print_table(rows, reason, total)
    if says_which:
        which.print_after()


def _print_table(rows: list[dict[str, object]], reason: str, total: int) -> None:
    """Prints changes for people, and what the table leaves out."""
    from sync.show.values import format_count
    from sync.store.change_feed import Change

    shown = _without_repeats(rows)
    readable = [_readable(row) for row in shown]
    print_rows(readable, Change, _CHANGE_HEADINGS, as_json=False, as_csv=False, why_empty=reason)
    if repeats := len(rows) - len(shown):
        counted = format_count(repeats, "change")
        print_folded(f"left out: {counted} of raw_available_params, the same as in params; --json and --csv have all")
    if total > len(rows):
        print_folded(
            f"the newest {len(rows)} of {total:,} changes; --limit 0 prints all, --since, --model or --field chooses"
        )


def _without_repeats(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The changes without those of ``raw_available_params`` that a change of ``params`` in the same run repeats."""
    keys = ("run_id", "mode", "model_id", "field", "old_value", "new_value")
    of_params = {tuple(row[key] for key in keys) for row in rows if row["entity"] == "params"}
    return [
        row
        for row in rows
        if row["entity"] != "raw_available_params" or tuple(row[key] for key in keys) not in of_params
    ]


def _readable(row: dict[str, Any]) -> dict[str, object]:
    """The cells of a change in a table: OLD and NEW are costs, or values of the field that changed."""
    from sync.show.direction import kind_text
    from sync.show.values import format_percent, format_signed

    # Every other kind is about the cost, or about the whole model, which has its cost in these columns.
    is_cost = row["change_kind"] != "changed"
    path = ".".join(str(part) for part in (row["entity"], row["field"]) if part)
    return {
        **row,
        # In a pipe the signs of DELTA and % are enough, and the kind is what --kind takes.
        "kind_shown": kind_text(row, sys.stdout.encoding) if sys.stdout.isatty() else row["change_kind"],
        "what": "cost" if is_cost else path,
        "old": row["old_cost"] if is_cost else row["old_value"],
        "new": row["new_cost"] if is_cost else row["new_value"],
        "delta_shown": format_signed(row["delta_cost"]),
        "percent": format_percent(row["pct_change"]),
    }
