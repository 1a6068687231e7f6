"""Fills a migrated database with a long history of costs, without the texts of models: for the views alone.

An import of so many changes takes hours. Here the rows are inserted as they are, in a minute for a million.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Table

from models_db import tables
from models_db.dialects import insert_rows
from models_db.engine import migration_engine, write_transaction
from sync.catalog.model.costs import OPEN_GAP_END
from sync.catalog.modes import MODES, series_name
from sync.catalog.times import is_month_end, month_of, unsure_hours

_COSTS = tuple(map(Decimal, ("0", "0.5", "1", "1.25", "2", "2.4", "3", "5", "8", "12.5", "33.333")))
_PROVIDERS = ("Acme", "Boreal", "Cinder", "Dune", "Ember", "Fathom", "Gale", "Harbor", "Iris", "Juniper")
_DAY = timedelta(days=1)
_BATCH = 20_000

Row = tuple[Any, ...]


class History(Struct, frozen=True):
    """What is made: each model has the same number of intervals, begun by runs that are evenly spread."""

    models: int
    intervals: int
    """Of each model."""
    days: int
    runs_per_day: int

    @property
    def runs(self) -> int:
        return self.days * self.runs_per_day


def seed_intervals(url: str, history: History, last_day: date) -> None:
    """Insert the history, which ends on a day."""
    begin = datetime.combine(last_day, datetime.min.time(), UTC) - (history.days - 1) * _DAY
    stamps = [begin + number * _DAY / history.runs_per_day for number in range(history.runs)]
    with write_transaction(migration_engine(url)) as connection:
        _insert(connection, tables.calendar_days, _CALENDAR, _calendar(begin, history.days))
        _insert(connection, tables.sync_runs, _RUNS, _runs(stamps))
        _insert(connection, tables.sync_run_modes, _RUN_MODES, _run_modes(stamps))
        _insert(connection, tables.watch_days, _WATCH, _watch_days(stamps, history.runs_per_day))
        _insert(connection, tables.models, _MODELS, (_model(pk, stamps) for pk in range(1, history.models + 1)))
        _insert(connection, tables.params, _PARAMS, _params(history.models))
        _insert(connection, tables.param_options, _OPTIONS, _options(history.models))
        lives = [_Life(pk, history, stamps) for pk in range(1, history.models + 1)]
        _insert(connection, tables.credits, _CREDITS, (life.credits() for life in lives if life.is_listed))
        # In the order of time, as runs write them: it decides how far apart the rows of a query are.
        _insert(connection, tables.credit_history, _INTERVALS, merge(*(life.rows() for life in lives), key=_VALID_FROM))
        _insert(connection, tables.catalog_changes, _CHANGES, merge(*(one.changes() for one in lives), key=_CHANGED_AT))
        state = {"version": history.runs, "observed_at": stamps[-1], "good_observed_at": stamps[-1]}
        connection.execute(tables.sync_state.update().values(good_asked_at=stamps[-1], run_id=history.runs, **state))


_CALENDAR = ("day", "day_start_at", "day_end_at", "month", "is_month_end")
_RUNS = ("run_id", "started_at", "observed_at", "finished_at", "status", "trigger_kind", "app_version", "event_rules")
_RUN_MODES = (
    *("run_id", "mode", "status", "attempts", "asked_at", "previous_success_at", "stamp", "is_good"),
    *("models_received", "models_reported"),
)
_WATCH = ("mode", "day", "successful_syncs", "first_success_at", "last_success_at", "longest_gap_seconds")
_MODELS = ("model_pk", "mode", "model_id", "series", "name", "provider", "first_seen_at", "removed_at", "last_seen_at")
_PARAMS = ("model_pk", "param_name", "definition")
_OPTIONS = ("model_pk", "param_name", "position", "option_value")
_CREDITS = ("model_pk", "default_cost", "default_cost_exact")
_INTERVALS = (
    *("model_pk", "valid_from", "valid_to", "default_cost", "default_cost_exact", "opened_run_id", "closed_run_id"),
    *("gap_to", "possible_from"),
)
_CHANGES = (
    *("model_pk", "run_id", "model_name", "provider", "not_before", "changed_at", "entity", "field", "change_kind"),
    *("is_cost_event", "old_cost", "new_cost", "old_cost_exact", "new_cost_exact", "delta_cost", "pct_change"),
    "unsure_hours",
)
_VALID_FROM, _CHANGED_AT = itemgetter(_INTERVALS.index("valid_from")), itemgetter(_CHANGES.index("changed_at"))


def _insert(connection: Connection, table: Table, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        insert_rows(connection, table, columns, batch)


def _calendar(begin: datetime, days: int) -> Iterator[Row]:
    for start in (begin + number * _DAY for number in range(days)):
        day = start.date()
        yield day, start, start + _DAY, month_of(day), int(is_month_end(day))


def _runs(stamps: list[datetime]) -> Iterator[Row]:
    for run_id, stamp in enumerate(stamps, 1):
        yield run_id, stamp, stamp, stamp, "success", "schedule", "bench", 2


def _run_modes(stamps: list[datetime]) -> Iterator[Row]:
    for run_id, stamp in enumerate(stamps, 1):
        before = stamps[run_id - 2] if run_id > 1 else None
        yield from ((run_id, mode, "success", 1, stamp, before, stamp, 1, 500, 500) for mode in MODES)


def _watch_days(stamps: list[datetime], runs_per_day: int) -> Iterator[Row]:
    gap = 86_400 // runs_per_day
    for number in range(0, len(stamps), runs_per_day):
        first, last = stamps[number], stamps[number + runs_per_day - 1]
        yield from ((mode, first.date(), runs_per_day, first, last, gap) for mode in MODES)


def _names(pk: int) -> tuple[str, str, str, str]:
    provider, mode = _PROVIDERS[pk % len(_PROVIDERS)], MODES[pk % 2]
    return mode, f"{provider.lower()}/model-{pk}", f"Model {pk}", provider


def _is_removed(pk: int) -> bool:
    return pk % 20 == 0


def _model(pk: int, stamps: list[datetime]) -> Row:
    mode, model_id, name, provider = _names(pk)
    seen = (stamps[-1], stamps[-2]) if _is_removed(pk) else (None, None)
    return pk, mode, model_id, series_name(mode, model_id), name, provider, stamps[0], *seen


def _params(models: int) -> Iterator[Row]:
    yield from ((pk, name, "{}") for pk in range(1, models + 1) for name in ("aspect_ratio", "duration"))


def _options(models: int) -> Iterator[Row]:
    options = (("aspect_ratio", "16:9"), ("aspect_ratio", "9:16"), ("duration", "5"), ("duration", "10"))
    for pk in range(1, models + 1):
        yield from ((pk, name, position % 2, value) for position, (name, value) in enumerate(options))


class _Life:
    """The costs of a model, the same for the same arguments."""

    def __init__(self, pk: int, history: History, stamps: list[datetime]) -> None:
        self._pk, self._stamps = pk, stamps
        self._chance = f"{pk} {history.intervals}"
        shift = pk * 0.618 % 1
        step = (history.runs - 2) / history.intervals
        self._starts = [int((number + shift) * step) if number else 0 for number in range(history.intervals)]
        self.is_listed = not _is_removed(pk)

    def _intervals(self) -> Iterator[tuple[int, int | None, Decimal, int | None]]:
        """Begin, end, cost and the end of the gap after it, as numbers of runs."""
        chance, cost, runs = random.Random(self._chance), Decimal(-1), len(self._stamps)
        for place, start in enumerate(self._starts):
            cost = chance.choice([other for other in _COSTS if other != cost])
            if place == len(self._starts) - 1:
                yield start, None if self.is_listed else runs - 1, cost, None if self.is_listed else -1
                return
            following = self._starts[place + 1]
            has_gap = place % 40 == 39 and following - start > 1
            yield start, (start + following) // 2 if has_gap else following, cost, following if has_gap else None

    def credits(self) -> Row:
        *_, (_, _, cost, _) = self._intervals()
        return self._pk, cost, str(cost)

    def rows(self) -> Iterator[Row]:
        at = self._stamps
        for start, end, cost, gap_to in self._intervals():
            gap = None if gap_to is None else OPEN_GAP_END if gap_to < 0 else at[gap_to]
            closed = (None, None) if end is None else (at[end], end + 1)
            before = at[start - 1] if start else None
            yield self._pk, at[start], closed[0], cost, str(cost), start + 1, closed[1], gap, before

    def changes(self) -> Iterator[Row]:
        before: Decimal | None = None
        is_listed = False
        for start, end, cost, gap_to in self._intervals():
            kind = "relisted" if before is not None and not is_listed else "increase"
            kind = "added" if before is None else "decrease" if is_listed and cost < before else kind
            yield self._change(start, kind, before, cost)
            before, is_listed = cost, gap_to is None
            if gap_to is not None and end is not None:
                yield self._change(end, "removed", cost, None)

    def _change(self, run: int, kind: str, old: Decimal | None, new: Decimal | None) -> Row:
        _, _, name, provider = _names(self._pk)
        at = self._stamps
        delta = None if old is None or new is None else new - old
        percent = round(delta / old * 100, 6) if delta is not None and old else None
        entity, field = ("credits", "default_cost") if kind in {"increase", "decrease"} else ("models", None)
        start = at[run - 1] if run else None
        hours = unsure_hours(start, at[run])
        return (
            *(self._pk, run + 1, name, provider, start, at[run], entity, field, kind, 1),
            *(old, new, None if old is None else str(old), None if new is None else str(new), delta, percent, hours),
        )
