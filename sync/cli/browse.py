"""The commands that only look: models, changes, status."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.moments import Span
from sync.errors import CheckFailed, ExitCode, UsageError

if TYPE_CHECKING:
    from sync.store.browse import Filter
    from sync.store.database import Connection

KINDS = ("added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed")

_MODEL_COLUMNS = {
    "mode": "MODE",
    "model_id": "MODEL",
    "name": "NAME",
    "provider": "PROVIDER",
    "cost": "COST",
    "cost_since": "SINCE (UTC)",
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
_RUN_COLUMNS = {
    "run_id": "RUN",
    "started_at": "STARTED (UTC)",
    "trigger_kind": "BY",
    "mode": "MODE",
    "mode_status": "STATUS",
    "models_received": "MODELS",
    "models_added": "ADDED",
    "models_changed": "CHANGED",
    "models_removed": "REMOVED",
    "models_rejected": "REJECTED",
    "removals_held": "HELD",
}
# Left out where a terminal is narrow, the first of them first; the JSON forms have everything.
_FOLDABLE = ("name", "what", "old", "new")
_EXPENDABLE = ("run_id", "not_before", "delta_cost", "provider", "mode", "percent", "cost_since", "name")
_EXPENDABLE_OF_RUNS = ("removals_held", "models_rejected", "trigger_kind")


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
    from sync.catalog.history import Entry, entry_of
    from sync.store import browse

    with _database(database_url) as connection:
        if as_of is None:
            found = browse.current_models(connection, browse.Filter(mode=mode, provider=provider))
            rows = [asdict(entry) for entry in found]
        else:
            past = map(entry_of, browse.versions_at(connection, as_of, mode))
            rows = [asdict(entry) for entry in past if provider in (None, entry.provider)]
    _print(rows, Entry, _MODEL_COLUMNS, as_json=as_json, as_csv=as_csv)


@click.command(epilog="Example: catalog-sync changes --since 7d --kind increase")
@options.database_url
@options.moment("--since", "Only what was seen from then on.")
@options.mode
@options.provider
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; may be given again.")
@click.option("--limit", type=click.IntRange(min=1), help="The newest so many only.")
@options.as_json
@options.as_csv
def changes(
    *,
    database_url: str,
    since: datetime | None,
    mode: str | None,
    provider: str | None,
    kinds: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List what changed, newest first.

    A change happened after NOT BEFORE, when the last good look before it began, and before SEEN.
    """
    from sync.store import browse

    _print_changes(
        database_url,
        browse.Filter(mode=mode, provider=provider, kinds=kinds, since=since),
        limit,
        as_json=as_json,
        as_csv=as_csv,
    )


def print_changes(database_url: str) -> None:
    """The whole change feed as a table."""
    from sync.store.browse import Filter

    _print_changes(database_url, Filter())


@click.command(
    short_help="Show the last runs and the age of the last look.", epilog="Example: catalog-sync status --max-age 1h"
)
@options.database_url
@options.mode
@click.option("--max-age", type=Span(), metavar="SPAN", help="Exit 9 when the last good look is older, such as 1h.")
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="So many runs.")
@options.as_json
def status(*, database_url: str, mode: str | None, max_age: timedelta | None, limit: int, as_json: bool) -> int:
    """Show the last runs and how old the last good look at each mode is.

    With --max-age it is a dead man's switch: it fails when nobody looked, whatever the reason.
    """
    from sync.catalog.refusal import one_line
    from sync.show.table import print_table, to_json
    from sync.show.text import duration
    from sync.store import browse

    now = options.now()
    with _database(database_url) as connection:
        found = [dict(row._mapping) for row in browse.recent_runs(connection, limit)]  # noqa: SLF001  # documented name
        looks = [look for look in browse.last_looks(connection) if mode in (None, look.mode)]
    runs = [run for run in found if mode is None or run["mode"] in (None, mode)]
    ages = {look.mode: None if look.good_observed_at is None else now - look.good_observed_at for look in looks}
    if as_json:
        last = {look.mode: look.good_observed_at for look in looks}
        seconds = {mode: None if age is None else int(age.total_seconds()) for mode, age in ages.items()}
        click.echo(to_json({"last_good_look": last, "age_seconds": seconds, "runs": runs}))
    else:
        for name, age in ages.items():
            click.echo(f"{name}: " + ("no good look yet" if age is None else f"last good look {duration(age)} ago"))
        print_table(_RUN_COLUMNS, runs, sys.stdout, expendable=_EXPENDABLE_OF_RUNS)
        for number, error in {run["run_id"]: run["error_message"] for run in runs if run["error_message"]}.items():
            click.echo(f"run {number}: {one_line(str(error), 500)}")
    _require_fresh(ages, max_age)
    return ExitCode.DONE


def _print_changes(
    database_url: str, wanted: Filter, limit: int | None = None, *, as_json: bool = False, as_csv: bool = False
) -> None:
    from sync.store import browse

    with _database(database_url) as connection:
        rows = [asdict(change) for change in browse.changes(connection, wanted, limit)]
    if not as_json and not as_csv:
        rows = [_readable(row) for row in rows]
    _print(rows, browse.Change, _CHANGE_COLUMNS, as_json=as_json, as_csv=as_csv)


def _require_fresh(ages: Mapping[str, timedelta | None], max_age: timedelta | None) -> None:
    from sync.show.text import duration

    for mode, age in ages.items():
        if max_age is not None and (age is None or age > max_age):
            told = "there was none yet" if age is None else f"the last one is {duration(age)} old"
            raise CheckFailed(
                f"no good look at {mode} models within {duration(max_age)}: {told}; see catalog-sync status"
            )


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


def _print(
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


@contextmanager
def _database(url: str) -> Iterator[Connection]:
    from sync.store.database import open_database, reading

    engine = open_database(url)
    try:
        with reading(engine) as connection:
            yield connection
    finally:
        engine.dispose()
