"""Compares a database with the truth of the history that was imported into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from sync.catalog.guards import GuardSettings
from sync.catalog.history.as_of import catalog_entry
from sync.run.import_ import ImportDependencies, import_responses
from sync.run.result import RunResult
from sync.source.files.jsonl import read_saved_responses
from sync.store.queries import versions_at
from sync.store.verify.read_models import Verification
from tests.replays.daily_truth import daily_findings, provider_findings
from tests.replays.truth import Truth, cost_of
from tests.replays.view_contents import (
    Figures,
    catalog,
    catalog_at,
    cost_events,
    differences,
    field_events,
    figures_of,
    fraction,
    intervals,
    moment,
    price_details,
    price_figures,
    rounded,
    rows,
    value_of,
)
from tests.support.history_checker import meaning

_ENTRY = ("mode", "model_id", "model_name", "provider", "credit_cost", "credit_notes")
_SINCE = ("credit_cost_since", "first_seen_at")
_NOW = datetime(2100, 1, 1, tzinfo=UTC)
_EVENT = "changed_at, not_before, mode, model_id"


def import_file(engine: Engine, path: Path) -> list[RunResult | None]:
    """Imports a file and accepts all removals."""
    deps = ImportDependencies(lambda: _NOW, "0", GuardSettings(accept_removals="all"))
    return list(import_responses(engine, read_saved_responses(path), deps))


def view_findings(connection: Connection, truth: Truth) -> Iterator[str]:
    """Every difference between the views and the truth."""
    figures = Figures(is_exact=connection.dialect.name != "sqlite")
    yield from _cost_change_findings(connection, truth, figures)
    yield from _catalog_change_findings(connection, truth)
    yield from _current_findings(connection, truth, figures)
    yield from _history_findings(connection, truth, figures)
    yield from daily_findings(connection, truth, figures)
    yield from provider_findings(connection, truth, figures)


def verify_findings(connection: Connection) -> list[str]:
    """The findings of ``verify``."""
    return [str(fault) for fault in Verification(connection).findings()]


def as_of_findings(connection: Connection, truth: Truth, when: datetime) -> Iterator[str]:
    """Differences in the catalog as of a moment: its entries, and the whole text of each model."""
    versions = list(versions_at(connection, when, None))
    entries = map(catalog_entry, versions)
    found = [
        (
            one.mode,
            one.model_id,
            one.model_name,
            one.provider,
            one.credit_cost,
            one.credit_notes,
            one.credit_cost_since,
            one.first_seen_at,
        )
        for one in entries
    ]
    yield from differences(f"as of {when}", found, catalog_at(truth, when))
    for one in versions:
        sent = truth.value_at((one.mode, one.model_id), when)
        if meaning(json.loads(one.raw, parse_float=Decimal, parse_int=Decimal)) != meaning(sent):
            yield f"as of {when}: {one.mode} {one.model_id!r} was sent as {sent}, not as {one.raw}"


def printed_findings(printed: str, truth: Truth, when: datetime) -> Iterator[str]:
    """Differences in the output of ``models --as-of --json``."""
    entries = json.loads(printed)
    plain_rows = ((*map(entry.get, _ENTRY), *(moment(entry[name]) for name in _SINCE)) for entry in entries)
    yield from differences(f"printed as of {when}", plain_rows, catalog_at(truth, when))


def moments(truth: Truth, number: int) -> list[datetime]:
    """This number of observations, the moment just before each, and half-way to the next."""
    step = max(1, len(truth.observed) // number)
    chosen = range(0, len(truth.observed) - 1, step)
    pairs = [(truth.observed[one], truth.observed[one + 1]) for one in chosen]
    return [time for at, later in pairs for time in (at - timedelta(microseconds=1), at, at + (later - at) / 2)]


def _cost_change_findings(connection: Connection, truth: Truth, figures: Figures) -> Iterator[str]:
    columns = f"{_EVENT}, model_name, provider, change_kind, old_cost_exact, new_cost_exact"
    numbers = "old_cost, new_cost, delta_cost, pct_change"
    found = list(rows(connection, f"{columns}, {numbers}", "v_credit_cost_changes"))
    width = columns.count(",") + 1
    yield from differences("cost change", (row[:width] for row in found), cost_events(truth))
    right = {(event.at, *event.key): figures_of(event) for event in truth.costs}
    for row in found:
        expected = right.get((row[0], *row[2:4]), (None,) * 4)
        if not all(figures.agree(stored, one) for stored, one in zip(row[width:], expected, strict=True)):
            yield f"cost change: the figures of {row} should be {[str(one) for one in expected]}"


def _catalog_change_findings(connection: Connection, truth: Truth) -> Iterator[str]:
    found = list(rows(connection, f"{_EVENT}, entity, field, change_kind, old_value, new_value", "v_catalog_changes"))
    changed = [(*row[:6], value_of(row[7]), value_of(row[8])) for row in found if row[6] == "changed"]
    yield from differences("change", changed, field_events(truth))
    yield from _price_findings(connection, truth)
    kinds = [(*row[:4], row[6]) for row in found if row[6] != "changed"]
    yield from differences("change", kinds, ((one.at, one.not_before, *one.key, one.kind) for one in truth.costs))


def _price_findings(connection: Connection, truth: Truth) -> Iterator[str]:
    """Differences in prices beside the cost: the figures of their changes, and the current rows."""
    figures = Figures(is_exact=connection.dialect.name != "sqlite")
    columns = "changed_at, mode, model_id, field, delta_cost, pct_change, entity"
    changed = "catalog_changes JOIN models ON models.model_pk = catalog_changes.model_pk WHERE change_kind = 'changed'"
    right = price_figures(truth)
    for row in rows(connection, columns, changed):
        expected = right.pop(row[:4], (None, None)) if row[6] == "credits" else (None, None)
        if not all(figures.agree(stored, one) for stored, one in zip(row[4:6], expected, strict=True)):
            yield f"price: the figures of {row} should be {[str(one) for one in expected]}"
    yield from (f"price: the change {key} is missing" for key in right)
    found = rows(connection, "mode, model_id, path, value", "v_model_credit_details")
    yield from differences("price", found, price_details(truth))


def _current_findings(connection: Connection, truth: Truth, figures: Figures) -> Iterator[str]:
    columns = "mode, model_id, model_name, provider, description, credit_cost_exact, credit_notes, credit_cost_since"
    found = list(rows(connection, f"{columns}, first_seen_at, last_seen_at, credit_cost", "v_current_catalog"))
    yield from differences("current catalog", (row[:-1] for row in found), catalog(truth))
    for row in found:
        right = rounded(fraction(cost_of(truth.stories[row[0], row[1]][-1].value)))
        if not figures.agree(row[-1], right):
            yield f"current catalog: {row} should cost {right}"


def _history_findings(connection: Connection, truth: Truth, figures: Figures) -> Iterator[str]:
    columns = "mode, model_id, model_name, provider, credit_cost_exact, valid_from, valid_to, is_current, credit_cost"
    found = list(rows(connection, columns, "v_credit_cost_history"))
    yield from differences("history", (row[:-1] for row in found), intervals(truth))
    right: dict[Any, Any] = {(*one.key, one.start): rounded(fraction(one.cost)) for one in truth.intervals()}
    for row in found:
        if not figures.agree(row[-1], right.get((*row[:2], row[5]))):
            yield f"history: the number of {row} is not that of {row[4]}"
