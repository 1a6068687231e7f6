"""The command that tells whether the catalog is being watched."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.param_types import Duration
from sync.errors import CheckFailed, Outcome

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
# Left out where a terminal is narrow, the first of them first.
_EXPENDABLE = ("removals_held", "models_rejected", "trigger_kind")
# As much may the clocks of two hosts differ; a look that lies further ahead says nothing of its age.
_CLOCKS_APART = timedelta(hours=1)


@click.command(
    short_help="Show the last runs and the age of the last look.", epilog="Example: catalog-sync status --max-age 1h"
)
@options.database_url
@options.mode
@click.option("--max-age", type=Duration(), metavar="SPAN", help="Exit 9 when the last good look is older, such as 1h.")
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="So many runs.")
@options.as_json
def status(*, database_url: str, mode: str | None, max_age: timedelta | None, limit: int, as_json: bool) -> int:
    """Show the last runs and how old the last good look at each mode is.

    With --max-age it is a dead man's switch: it fails when nobody looked, whatever the reason.
    """
    from sync.catalog.text import one_line
    from sync.show.formats import to_json
    from sync.show.table import print_table
    from sync.store import queries

    now = options.now()
    with database(database_url).reading() as connection:
        found = [dict(row._mapping) for row in queries.recent_runs(connection, limit)]  # noqa: SLF001  # documented name
        looks = [look for look in queries.last_successes(connection) if mode in (None, look.mode)]
    runs = [run for run in found if mode is None or run["mode"] in (None, mode)]
    ages = {look.mode: None if look.good_observed_at is None else now - look.good_observed_at for look in looks}
    if as_json:
        last = {look.mode: look.good_observed_at for look in looks}
        seconds = {mode: None if age is None else int(age.total_seconds()) for mode, age in ages.items()}
        click.echo(to_json({"last_success": last, "age_seconds": seconds, "runs": runs}))
    else:
        for name, age in ages.items():
            click.echo(f"{name}: {_age_text(age)}")
        print_table(_RUN_COLUMNS, runs, sys.stdout, expendable=_EXPENDABLE)
        for number, error in {run["run_id"]: run["error_message"] for run in runs if run["error_message"]}.items():
            click.echo(f"run {number}: {one_line(str(error), 500)}")
    _require_fresh(ages, max_age)
    return Outcome.DONE


def _age_text(age: timedelta | None) -> str:
    from sync.show.values import format_duration

    if age is None:
        return "no good look yet"
    if age < -_CLOCKS_APART:
        return f"last good look {format_duration(-age)} ahead of this host's clock"
    return f"last good look {format_duration(max(age, timedelta(0)))} ago"


def _require_fresh(ages: Mapping[str, timedelta | None], max_age: timedelta | None) -> None:
    for mode, age in ages.items():
        if max_age is None or (age is not None and -_CLOCKS_APART <= age <= max_age):
            continue
        raise CheckFailed(f"{_missing(mode, age, max_age)}; see catalog-sync status")


def _missing(mode: str, age: timedelta | None, max_age: timedelta) -> str:
    from sync.show.values import format_duration

    if age is not None and age < timedelta(0):
        return (
            f"the last good look at {mode} models is stamped {format_duration(-age)} ahead of this host's clock,"
            " so that its age cannot be told: set the clock right"
        )
    told = "there was none yet" if age is None else f"the last one is {format_duration(age)} old"
    return f"no good look at {mode} models within {format_duration(max_age)}: {told}"
