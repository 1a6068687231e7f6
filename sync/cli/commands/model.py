"""The commands about one model: show, costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.output import print_rows
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.catalog.history.cost_timeline import CostInterval
    from sync.store.database import Connection
    from sync.store.model_queries import KnownModel

_SUGGESTIONS = 3
_COST_COLUMNS = {
    "mode": "MODE",
    "valid_from": "FROM (UTC)",
    "valid_to": "TO (UTC)",
    "held": "HELD",
    "cost_shown": "COST",
    "percent": "%",
}


@click.command(epilog="Example: catalog-sync costs google/nano-banana")
@click.argument("model_id", type=options.Text(), metavar="MODEL_ID")
@options.database_url
@options.mode
@options.as_json
@options.as_csv
def costs(*, model_id: str, database_url: str, mode: str | None, as_json: bool, as_csv: bool) -> None:
    """Show what a model has cost, from when to when, and how long each cost held.

    While it was not listed there is a gap. A model listed in both modes is shown in both.
    """
    from sync.catalog.history.cost_timeline import cost_spans
    from sync.show.cost_timeline import CostTimelineRow, display_row, sparkline
    from sync.store import model_queries

    with database(database_url).reading() as connection:
        known = _known(connection, model_id, mode)
        now = options.now()
        rows = {
            model.mode: [
                CostTimelineRow(mode=model.mode, **asdict(span))
                for span in cost_spans(model_queries.cost_intervals(connection, model.model_pk), now)
            ]
            for model in known
        }
    everything: Sequence[Mapping[str, Any]] = [asdict(span) for found in rows.values() for span in found]
    for_people = not as_json and not as_csv
    print_rows(
        [display_row(row) for row in everything] if for_people else everything,
        CostTimelineRow,
        _COST_COLUMNS,
        as_json=as_json,
        as_csv=as_csv,
    )
    if for_people:
        for name, found in rows.items():
            click.echo(f"{name}  {sparkline([span.credit_cost for span in found])}")


@click.command(epilog="Example: catalog-sync show google/nano-banana --as-of 2026-03-01")
@click.argument("model_id", type=options.Text(), metavar="MODEL_ID")
@options.database_url
@options.mode
@options.moment("--as-of", "The model as it was then.")
@options.as_json
def show(*, model_id: str, database_url: str, mode: str | None, as_of: datetime | None, as_json: bool) -> None:
    """Show one model in full: cost, parameters and options, inputs, rules, capabilities, cost history.

    A removed model is shown as it last was.
    """
    from sync.show.formats import to_json
    from sync.show.model_detail import model_detail_lines

    with database(database_url).reading() as connection:
        found = [_described(connection, model, as_of) for model in _known(connection, model_id, mode)]
    described = [model for model in found if model is not None]
    if not described:
        raise UsageError(f"{model_id!r} was not listed yet at {as_of:%Y-%m-%d %H:%M} UTC: see catalog-sync costs")
    if as_json:
        click.echo(to_json(described))
        return
    click.echo("\n\n".join("\n".join(model_detail_lines(model)) for model in described))


def _described(connection: Connection, model: KnownModel, as_of: datetime | None) -> dict[str, Any] | None:
    """The model as it was at the moment, or last was; None when it was not listed yet then."""
    from sync.catalog.history.model_detail import model_detail
    from sync.store import model_queries

    version = model_queries.version_at(connection, model.model_pk, as_of)
    if version is None:
        return None
    moment = as_of or options.now()
    history = (_as_then(span, moment) for span in model_queries.cost_intervals(connection, model.model_pk))
    return {
        "mode": model.mode,
        "model_id": model.model_id,
        "is_listed": version.valid_to is None or version.valid_to > moment,
        "first_seen_at": model.first_seen_at,
        **_removal(model, moment),
        "unchanged_since": version.valid_from,
        **asdict(model_detail(version.raw)),
        "cost_history": [asdict(interval) for interval in history if interval],
        "raw": version.raw,
    }


def _removal(model: KnownModel, moment: datetime) -> dict[str, datetime | None]:
    """When it was removed and last seen; nothing of it when that was still to come."""
    is_past = model.removed_at is not None and model.removed_at <= moment
    return {
        "removed_at": model.removed_at if is_past else None,
        "last_seen_at": model.last_seen_at if is_past else None,
    }


def _as_then(interval: CostInterval, moment: datetime) -> CostInterval | None:
    """The interval as it stood at the moment: still open if its end was still to come."""
    if interval.valid_from > moment:
        return None
    return replace(interval, valid_to=None) if interval.valid_to and interval.valid_to > moment else interval


def _known(connection: Connection, model_id: str, mode: str | None) -> list[KnownModel]:
    from sync.store import model_queries

    known = model_queries.find(connection, model_id, mode)
    if known:
        return known
    where = f" in mode {mode}" if mode else ""
    raise UsageError(f"no model {model_id!r} was ever listed{where}{_suggestion(connection, model_id)}")


def _suggestion(connection: Connection, model_id: str) -> str:
    import difflib

    from sync.store import model_queries

    ids = model_queries.all_ids(connection)
    folded = {known.lower(): known for known in reversed(ids)}
    near = [folded[match] for match in difflib.get_close_matches(model_id.lower(), folded, _SUGGESTIONS)]
    near += [known for known in ids if model_id.lower() in known.lower() and known not in near]
    if not near:
        return ": see catalog-sync models"
    return f"; did you mean {' or '.join(map(repr, near[:_SUGGESTIONS]))}?"
