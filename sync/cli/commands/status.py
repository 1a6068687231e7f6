"""The command ``status``: the last runs, and the age of the last successful sync."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from sync.catalog.modes import MODES
from sync.cli import options
from sync.cli.composition import database
from sync.cli.output import print_folded
from sync.cli.param_types import Duration, WholeNumber
from sync.cli.which_catalog import read_catalog
from sync.errors import CheckFailed, Outcome

if TYPE_CHECKING:
    from sync.catalog.changes.rejections import OpenRejection
    from sync.cli.which_catalog import WhichCatalog
    from sync.store.database import Connection
    from sync.store.held import HeldMode
    from sync.store.identity import CatalogIdentity
    from sync.store.ignored import IgnoredRow
    from sync.store.read import LastKey

_RUN_HEADINGS = {
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
# Left out on a narrow terminal, in this order.
_EXPENDABLE = (
    "trigger_kind",
    "removals_held",
    "models_rejected",
    "models_received",
    "models_removed",
    "models_added",
    "models_changed",
)
_ERROR_LIMIT = 500  # characters
_NAMED_IDS = 5
_MAX_REJECTED = 20  # lines; --json has all


@click.command(
    short_help="Show the last runs and the age of the last successful sync.",
    epilog="Example: catalog-sync status --max-age 1h",
)
@click.option(
    "--max-age",
    type=Duration(),
    metavar="DURATION",
    help="Exit with code 9 when the last successful sync of a mode is older, such as 1h.",
)
@options.mode
@click.option(
    "--limit", type=WholeNumber(min=1), metavar="NUMBER", default=5, show_default=True, help="Number of runs."
)
@options.as_json
@options.database_url
def status(*, max_age: timedelta | None, mode: str | None, limit: int, as_json: bool, database_url: str) -> int:
    """Show the last runs, the age of the last successful sync of each mode, and what is held back.

    With --max-age the command is a dead man's switch: whatever prevents a sync, it fails.
    """
    from sync.show.formats import to_json
    from sync.show.freshness import dated_age_text
    from sync.store import held, identity, ignored, queries, read, rejections

    def read_all(connection: Connection, _: WhichCatalog) -> tuple[Any, ...]:
        return (
            identity.read_identity(connection),
            read.last_key(connection),
            [each for each in held.held_modes(connection) if mode in (None, each.mode)],
            ignored.ignored_rows(connection, only_open=True),
            queries.acceptances(connection, limit),
            [dict(row._mapping) for row in queries.recent_runs(connection, limit)],  # noqa: SLF001  # documented name
            rejections.open_rejections(connection, MODES if mode is None else [mode]),
            [each for each in queries.last_successes(connection) if mode in (None, each.mode)],
        )

    which, read_values = read_catalog(database(database_url), read_all, mode)
    catalog, key, held_modes, ignored_now, accepted, rows, open_rows, successes = read_values
    # A run that failed before it fetched has no mode, and concerns both.
    runs = [run for run in rows if mode is None or run["mode"] in (None, mode)]
    last, now = which.last_successes, which.now
    ages = {name: None if at is None else now - at for name, at in last.items()}
    rejected = [(of_mode, row) for of_mode in sorted(open_rows) for row in open_rows[of_mode]]
    base_urls = {each.mode: each.base_url for each in successes}
    if as_json:
        document = {
            "catalog_id": catalog.catalog_id if catalog else None,
            "base_urls": base_urls,
            "key_fingerprint": key.fingerprint if key else None,
            "last_success": last,
            "age_seconds": _seconds(ages),
            "held": [asdict(each) for each in held_modes],
            "rejected": [
                {"mode": of_mode, "model_id": row.model_id, "since": row.since, "reason": row.reason}
                for of_mode, row in rejected
            ],
            "accepted": [{"run_id": run_id, **of_run} for run_id, of_run in accepted.items()],
            "ignored": [_ignored_json(row) for row in ignored_now],
            "runs": [{**run, "accepted": accepted.get(run["run_id"])} for run in runs],
        }
        click.echo(to_json(document))
    else:
        which.print_database()
        for name, at in last.items():
            print_folded(f"{name}: {dated_age_text(at, now)}")
        _print_runs(runs)
        for each in held_modes:
            print_folded(_held_text(each))
        for line in _rejected_lines(rejected):
            print_folded(line)
        for run_id, of_run in accepted.items():
            print_folded(f"run {run_id}: {_accepted_text(of_run)}")
        for line in (*map(_ignored_text, ignored_now), *_source_lines(base_urls, key, catalog)):
            print_folded(line)
    _require_fresh(ages, max_age)
    return Outcome.DONE


def _accepted_text(accepted: dict[str, Any]) -> str:
    """What a person accepted, who and why, in one line."""
    from sync.catalog.text import one_line
    from sync.show.values import format_count

    parts = []
    if base_url := accepted.get("base_url"):
        parts.append(
            f"the base URL {base_url['to']} in place of {' and '.join(dict.fromkeys(base_url['from'].values()))}"
        )
    for flag, noun in (("removals", "removal"), ("costs", "moved cost")):
        parts += [f"{format_count(number, noun)} of {mode}" for mode, number in accepted.get(flag, {}).items()]
    reason = accepted.get("why") or "no reason given"
    return one_line(f"{accepted.get('by') or 'somebody'} accepted {' and '.join(parts)} ({reason})", _ERROR_LIMIT)


def _held_text(held: HeldMode) -> str:
    """What waits for a person in a mode, in one line."""
    from sync.catalog.text import one_line

    what = {"other_catalog": "another catalog", "costs": "costs", "removals": "removals"}.get(
        held.hold_reason, held.hold_reason
    )
    # A run of an older version recorded their number alone.
    ids = ", ".join(held.held_ids[:_NAMED_IDS]) or f"{held.removals_held} models"
    more = f" and {len(held.held_ids) - _NAMED_IDS} more" if len(held.held_ids) > _NAMED_IDS else ""
    return one_line(f"{held.mode}: {what} held back by run {held.run_id}: {ids}{more}", _ERROR_LIMIT)


def _rejected_lines(rejected: Sequence[tuple[str, OpenRejection]]) -> Iterator[str]:
    """Each model that is rejected now, since when and why; of very many the first ones and their number."""
    from sync.catalog.text import one_line
    from sync.show.values import format_value

    for mode, row in rejected[:_MAX_REJECTED]:
        model = "a model without a readable id" if row.model_id is None else repr(row.model_id)
        yield one_line(f"{mode} {model} is rejected since {format_value(row.since)} UTC: {row.reason}", _ERROR_LIMIT)
    if len(rejected) > _MAX_REJECTED:
        yield f"{len(rejected) - _MAX_REJECTED} more models are rejected: see v_rejected_models"


def _ignored_json(row: IgnoredRow) -> dict[str, object]:
    return {"path": row.path, "valid_from": row.valid_from, "reason": row.reason, "added_by": row.added_by}


def _ignored_text(row: IgnoredRow) -> str:
    """An ignored field, since when, who added it and why, in one line."""
    from sync.catalog.text import one_line

    since = f"{row.valid_from:%Y-%m-%d %H:%M} UTC"
    return one_line(f"ignored: {row.path} since {since}, by {row.added_by} ({row.reason})", _ERROR_LIMIT)


def _source_lines(
    base_urls: Mapping[str, str | None], key: LastKey | None, catalog: CatalogIdentity | None
) -> Iterator[str]:
    """Where the syncs fetch from, with which key, and into which catalog."""
    modes_by_url: dict[str, list[str]] = {}
    for mode, base_url in base_urls.items():
        if base_url is not None:
            modes_by_url.setdefault(base_url, []).append(mode)
    for base_url, modes in modes_by_url.items():
        yield f"base URL of {' and '.join(modes)}: {base_url}"
    if key is not None:
        yield f"API key: fingerprint {key.fingerprint}, used last by run {key.run_id}"
    if catalog is not None:
        yield f"catalog: {catalog.catalog_id}"


def _seconds(ages: Mapping[str, timedelta | None]) -> dict[str, int | None]:
    return {mode: None if age is None else int(age.total_seconds()) for mode, age in ages.items()}


def _print_runs(runs: list[dict[str, object]]) -> None:
    """The last runs as a table, then their errors."""
    from sync.catalog.text import one_line
    from sync.show.table import print_table

    if not runs:
        print_folded("no runs yet; run catalog-sync sync")
        return
    print_table(_RUN_HEADINGS, runs, sys.stdout, expendable=_EXPENDABLE)

    messages = {run["run_id"]: run["error_message"] for run in runs if run["error_message"]}
    for run_id, message in messages.items():
        print_folded(f"run {run_id}: {one_line(str(message), _ERROR_LIMIT)}")


def _require_fresh(ages: Mapping[str, timedelta | None], max_age: timedelta | None) -> None:
    """Raises ``CheckFailed`` for the first mode whose last successful sync is older than ``max_age``."""
    from sync.show.freshness import CLOCK_TOLERANCE

    for mode, age in ages.items():
        if max_age is None or (age is not None and -CLOCK_TOLERANCE <= age <= max_age):
            continue
        raise CheckFailed(_too_old(mode, age, max_age))


def _too_old(mode: str, age: timedelta | None, max_age: timedelta) -> str:
    from sync.show.values import format_duration

    if age is not None and age < timedelta(0):
        return (
            f"the age of the last successful sync of mode {mode} is unknown: its time is {format_duration(-age)} ahead"
            " of this host's clock; set the clock right"
        )
    reason = "there was none yet" if age is None else f"the last one is {format_duration(age)} old"
    return (
        f"no successful sync of mode {mode} within {format_duration(max_age)}: {reason}; run catalog-sync status to"
        " see the last errors"
    )
