"""The commands that list: models, changes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.output import print_rows

if TYPE_CHECKING:
    from sync.store.queries import Filter

ENTITIES = ("models", "credits", "params", "inputs", "input_rules", "capabilities", "raw_available_params")
KINDS = ("added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed")

_MODEL_COLUMNS = {
    "mode": "MODE",
    "model_id": "MODEL",
    "model_name": "NAME",
    "provider": "PROVIDER",
    "credit_cost": "COST",
    "credit_cost_since": "SINCE (UTC)",
}
_CHANGE_COLUMNS = {
    "changed_at": "SEEN (UTC)",
    "mode": "MODE",
    "model_id": "MODEL",
    "change_kind": "CHANGE",
    "what": "FIELD",
    "old": "OLD",
    "new": "NEW",
    "delta_cost": "DELTA",
    "percent": "%",
    "not_before": "NOT BEFORE (UTC)",
    "run_id": "RUN",
}


@click.command(epilog="Example: catalog-sync models --mode image --provider Google")
@options.database_url
@options.mode
@options.provider
@options.moment("--as-of", "The catalog as it was then.")
@options.as_json
@options.as_csv
def models(
    *, database_url: str, mode: str | None, provider: str | None, as_of: datetime | None, as_json: bool, as_csv: bool
) -> None:
    """List the models and what each costs, now or at a moment."""
    from sync.catalog.history.as_of import CatalogEntry, catalog_entry
    from sync.store import queries

    with database(database_url).reading() as connection:
        if as_of is None:
            found = queries.current_models(connection, queries.Filter(mode=mode, provider=provider))
            rows = [asdict(entry) for entry in found]
        else:
            past = map(catalog_entry, queries.versions_at(connection, as_of, mode))
            rows = [asdict(entry) for entry in past if provider in (None, entry.provider)]
    print_rows(rows, CatalogEntry, _MODEL_COLUMNS, as_json=as_json, as_csv=as_csv)


@click.command(epilog="Example: catalog-sync changes --since 7d --kind increase --min-pct 10")
@options.database_url
@options.moment("--since", "Only what was seen from then on.")
@options.moment("--until", "Only what was seen before then.")
@options.mode
@options.provider
@click.option(
    "--model", type=options.Text(), metavar="GLOB", help="Only models whose id is like this, such as 'google/*'."
)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; may be given again.")
@click.option("--entity", "entities", multiple=True, type=click.Choice(ENTITIES), help="Only this part of a model.")
@click.option(
    "--min-pct",
    "min_percent",
    type=options.Finite(min=0),
    metavar="NUMBER",
    help="Only costs that moved by so many percent, up or down.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="The newest so many only.")
@options.as_json
@options.as_csv
def changes(*, database_url: str, limit: int | None, as_json: bool, as_csv: bool, **wanted: Any) -> None:
    """List what changed, newest first.

    A change happened after NOT BEFORE, when the last good look before it began, and before SEEN.
    """
    from sync.store.queries import Filter

    _print_changes(database_url, Filter(**wanted), limit, as_json=as_json, as_csv=as_csv)


def print_changes(database_url: str) -> None:
    """The whole change feed as a table."""
    from sync.store.queries import Filter

    _print_changes(database_url, Filter())


def _print_changes(
    database_url: str,
    wanted: Filter,
    limit: int | None = None,
    *,
    as_json: bool = False,
    as_csv: bool = False,
) -> None:
    from sync.store import queries

    with database(database_url).reading() as connection:
        rows = [asdict(change) for change in queries.changes(connection, wanted, limit)]
    if not as_json and not as_csv:
        rows = [_readable(row) for row in rows]
    print_rows(rows, queries.Change, _CHANGE_COLUMNS, as_json=as_json, as_csv=as_csv)


def _readable(row: dict[str, object]) -> dict[str, object]:
    """A change as a person reads it: its cost, or else the value of the field that changed."""
    is_cost = row["change_kind"] != "changed"
    path = ".".join(str(part) for part in (row["entity"], row["field"]) if part)
    return {
        **row,
        "what": "cost" if is_cost else path,
        "old": row["old_cost"] if is_cost else row["old_value"],
        "new": row["new_cost"] if is_cost else row["new_value"],
        "percent": None if row["pct_change"] is None else f"{row['pct_change']:+.2f}",
    }
