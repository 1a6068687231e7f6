"""The commands ``show`` and ``costs``: one model."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sync.catalog.text import one_line
from sync.cli import options
from sync.cli.composition import database
from sync.cli.output import print_folded, print_rows
from sync.cli.param_types import Utf8Text
from sync.cli.which_catalog import read_catalog
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.catalog.history.cost_timeline import CostInterval
    from sync.catalog.history.evidence import Rejection
    from sync.cli.which_catalog import WhichCatalog
    from sync.store.database import Connection
    from sync.store.model_queries import KnownModel

_COST_HEADINGS = {
    "mode": "MODE",
    "valid_from": "FROM (UTC)",
    "valid_to": "TO (UTC)",
    "duration": "DURATION",
    "cost_shown": "COST",
    "kind_shown": "CHANGE",
    "percent": "%",
}


@click.command(
    short_help="Show the costs of a model over time.", epilog="Example: catalog-sync costs google/nano-banana"
)
@click.argument("model_id", type=Utf8Text(), metavar="MODEL_ID")
@options.mode
@options.as_json
@options.as_csv
@options.database_url
def costs(*, model_id: str, mode: str | None, as_json: bool, as_csv: bool, database_url: str) -> None:
    """Show the costs of a model over time, and for how long each cost was valid.

    There is a gap for the time during which the model was not listed. A model that is listed in both
    modes has a timeline for each.
    """
    from sync.catalog.history.cost_timeline import cost_spans
    from sync.show.cost_timeline import CostTimelineRow, display_rows, sparkline
    from sync.store import model_queries

    def by_mode(connection: Connection, which: WhichCatalog) -> dict[str, list[CostTimelineRow]]:
        return {
            model.mode: [
                CostTimelineRow(mode=model.mode, **asdict(span))
                for span in cost_spans(model_queries.cost_intervals(connection, model.model_pk), which.now)
            ]
            for model in find_models(connection, which, model_id, mode)
        }

    which, timelines = read_catalog(database(database_url), by_mode, mode)
    rows: Sequence[Mapping[str, Any]] = [asdict(row) for timeline in timelines.values() for row in timeline]
    is_table = not as_json and not as_csv
    encoding = sys.stdout.encoding
    if is_table:
        which.print_before()
    print_rows(
        list(display_rows(rows, encoding if sys.stdout.isatty() else None)) if is_table else rows,
        CostTimelineRow,
        _COST_HEADINGS,
        as_json=as_json,
        as_csv=as_csv,
    )
    if is_table:
        for name, timeline in timelines.items():
            if bars := sparkline([row.credit_cost for row in timeline], encoding):
                print_folded(f"{name}  {bars}")
        which.print_after()


@click.command(
    short_help="Show one model in full.", epilog="Example: catalog-sync show google/nano-banana --as-of 2026-03-01"
)
@click.argument("model_id", type=Utf8Text(), metavar="MODEL_ID")
@options.mode
@options.moment("--as-of", "The model at this time.")
@options.as_json
@options.as_csv
@options.database_url
def show(
    *, model_id: str, mode: str | None, as_of: datetime | None, as_json: bool, as_csv: bool, database_url: str
) -> None:
    """Show one model in full: cost, other prices, parameters and options, inputs, rules, capabilities, cost history.

    A removed model is shown as it was last listed. With --as-of the evidence follows: which runs observed the model
    like this, what they requested and the hashes of the responses. CSV has a row for each value of the JSON document.
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other; give one of them")
    from sync.show.formats import to_csv, to_json
    from sync.show.model_detail import CSV_COLUMNS, csv_rows, model_detail_lines
    from sync.show.table import terminal_width
    from sync.store.evidence import rejections_of

    def read(
        connection: Connection, which: WhichCatalog
    ) -> tuple[list[KnownModel], list[tuple[str, Rejection]], list[dict[str, Any] | None]]:
        models = find_models(connection, which, model_id, mode)
        rejected = list(rejections_of(connection, model_id, mode))
        return models, rejected, [_detail(connection, which, model, as_of) for model in models]

    which, (models, rejected, details) = read_catalog(database(database_url), read, mode)
    listed = [detail for detail in details if detail is not None]
    if not listed:
        raise UsageError(_not_yet_listed(models, rejected, as_of or which.now))
    if as_json:
        click.echo(to_json(listed))
        return
    if as_csv:
        click.echo(to_csv(CSV_COLUMNS, (row for detail in listed for row in csv_rows(detail))), nl=False)
        return
    which.print_before()
    width = terminal_width() if sys.stdout.isatty() else None
    texts = ("\n".join(model_detail_lines(detail, width, with_evidence=as_of is not None)) for detail in listed)
    click.echo("\n\n".join(texts))
    which.print_after()


def _not_yet_listed(models: Sequence[KnownModel], rejected: Sequence[tuple[str, Rejection]], moment: datetime) -> str:
    """That a model was listed later than the moment only, and whether it had been rejected by then."""
    from sync.show.values import format_instant

    first = min(models, key=lambda model: model.first_seen_at)
    sent = next((each for _, each in rejected if each.contains(moment)), None)
    why = f"; it was sent, and rejected: {one_line(sent.reason)}" if sent else ""
    return (
        f"{first.model_id!r} was not listed yet at {format_instant(moment)}{why}; it was first observed at"
        f" {format_instant(first.first_seen_at)} in mode {first.mode}; catalog-sync costs shows its history"
    )


def _detail(
    connection: Connection, which: WhichCatalog, model: KnownModel, as_of: datetime | None
) -> dict[str, Any] | None:
    """The JSON document of a model at a time, by default the newest; None when it was not listed yet."""
    from sync.catalog.history.model_detail import model_detail
    from sync.store import model_queries

    version = model_queries.version_at(connection, model.model_pk, as_of)
    if version is None:
        return None
    moment = as_of or which.now
    intervals = (_interval_at(each, moment) for each in model_queries.cost_intervals(connection, model.model_pk))
    return {
        "mode": model.mode,
        "model_id": model.model_id,
        "is_listed": version.valid_to is None or version.valid_to > moment,
        "first_seen_at": model.first_seen_at,
        **_removal_at(model, moment),
        "unchanged_since": version.valid_from,
        **asdict(model_detail(version.raw)),
        "cost_history": [asdict(interval) for interval in intervals if interval],
        "raw": version.raw,
        "evidence": _evidence(connection, which, model, max(moment, version.valid_from)),
    }


def _evidence(
    connection: Connection, which: WhichCatalog, model: KnownModel, moment: datetime
) -> dict[str, Any] | None:
    from sync.show.evidence import evidence_document
    from sync.store.evidence import read_evidence
    from sync.store.identity import read_identity

    evidence, identity = read_evidence(connection, model, moment), read_identity(connection)
    if evidence is None:
        return None
    return evidence_document(evidence, which.url, None if identity is None else identity.catalog_id)


def _removal_at(model: KnownModel, moment: datetime) -> dict[str, datetime | None]:
    """The times of the removal; None while it was still in the future."""
    is_past = model.removed_at is not None and model.removed_at <= moment
    return {
        "removed_at": model.removed_at if is_past else None,
        "last_seen_at": model.last_seen_at if is_past else None,
    }


def _interval_at(interval: CostInterval, moment: datetime) -> CostInterval | None:
    """The interval as it was stored at a time: None before it began, open before it ended."""
    if interval.valid_from > moment:
        return None
    return replace(interval, valid_to=None) if interval.valid_to and interval.valid_to > moment else interval


def find_models(connection: Connection, which: WhichCatalog, model_id: str, mode: str | None) -> list[KnownModel]:
    """The model in each mode that ever listed it. Raises ``UsageError``, with similar ids, if none did."""
    from sync.cli.empty_result import never_synced_text
    from sync.show.values import format_instant
    from sync.store import model_queries
    from sync.store.evidence import rejections_of

    models = model_queries.find(connection, model_id, mode)
    if models:
        return models
    others = model_queries.find(connection, model_id, None) if mode else []
    if others:
        raise UsageError(
            f"{model_id!r} is a model of mode {others[0].mode} and was never listed in mode {mode}: use --mode"
            f" {others[0].mode}, or leave --mode out"
        )
    sent = [each for _, each in rejections_of(connection, model_id, mode)]
    if sent:
        raise UsageError(
            f"{model_id!r} was never listed: it was rejected first at {format_instant(sent[0].valid_from)}:"
            f" {one_line(sent[-1].reason)}; catalog-sync status prints what is rejected now"
        )
    if not any(which.last_successes.values()):
        raise UsageError(f"no model {model_id!r} was ever listed: {never_synced_text(mode)}")
    in_mode = f" in mode {mode}" if mode else ""
    raise UsageError(f"no model {model_id!r} was ever listed{in_mode}; {_suggestion(connection, model_id)}")


def _suggestion(connection: Connection, model_id: str) -> str:
    from sync.catalog.similar import did_you_mean, similar
    from sync.store import model_queries

    found = similar(model_id, model_queries.all_ids(connection))
    return did_you_mean(found) if found else "catalog-sync models lists them"
