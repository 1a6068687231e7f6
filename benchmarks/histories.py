"""The rows of a made-up history, table by table, as the job would have written them run by run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias

from benchmarks.catalogs import MODES
from benchmarks.lives import ASKING, Duration, Life, Shape, made_lives, made_spans
from sync.catalog.changes.diff import EVENT_COLUMNS, Event, events_between
from sync.catalog.model.costs import OPEN_GAP_END, CostChange, for_arithmetic
from sync.catalog.model.entities import MODELS, TABLES
from sync.catalog.model.records import Record

Row: TypeAlias = tuple[object, ...]
Rows: TypeAlias = tuple[str, tuple[str, ...], Iterable[Row]]
"""A table, the names of the columns, and the rows."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Encoding:
    """How a database wants the values that drivers differ in."""

    time: Callable[[datetime], object]
    number: Callable[[Decimal], object]

    def value(self, value: object) -> object:
        if isinstance(value, datetime):
            return self.time(value)
        return self.number(value) if isinstance(value, Decimal) else value


@dataclass
class History:
    """A whole made-up history; what it gives is in the order in which it has to be inserted."""

    shape: Shape
    encoding: Encoding
    lives: list[Life] = field(init=False)
    spans: list[Duration] = field(init=False)
    _events: dict[tuple[int, int, int | None, str], tuple[Row, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lives = made_lives(self.shape)
        self.spans = made_spans(self.shape, self.lives)

    def tables(self) -> Iterator[Rows]:
        """Every table that a history has; ``sync_state`` is in ``states``."""
        yield "sync_runs", ("run_id", *_RUN_COLUMNS), self._runs()
        yield "sync_run_modes", ("run_id", "mode", *_RUN_MODE_COLUMNS), self._run_modes()
        yield "calendar_days", ("day", "day_start_at", "day_end_at"), self._days()
        yield "models", _MODEL_COLUMNS, self._models()
        for shape in TABLES:
            yield shape.table, ("model_pk", *shape.key, *shape.values), self._current(shape.table)
        yield "model_versions", (*_INTERVAL_COLUMNS, "raw"), self._versions()
        yield "credit_history", (*_INTERVAL_COLUMNS, *_COST_COLUMNS), self._costs()
        yield "catalog_changes", ("run_id", "model_pk", *_CHANGE_COLUMNS), self._changes()

    def states(self) -> Rows:
        """What ``sync_state`` says after the last run, the mode at the end."""
        last = self.shape.observed_at(self.shape.runs - 1)
        times = (self.encoding.time(last), self.encoding.time(last - ASKING), self.encoding.time(last))
        columns = ("version", "observed_at", "good_asked_at", "good_observed_at", "run_id", "mode")
        return "sync_state", columns, [(self.shape.runs, *times, self.shape.runs, mode) for mode in MODES]

    def _at(self, run: int | None, off: timedelta = timedelta(0)) -> object:
        return None if run is None or run < 0 else self.encoding.time(self.shape.observed_at(run) + off)

    def _runs(self) -> Iterator[Row]:
        begun, ended = -ASKING - timedelta(milliseconds=80), timedelta(milliseconds=150)
        for run in range(self.shape.runs):
            times = (self._at(run, begun), self._at(run), self._at(run, ended))
            yield (run + 1, *times, "success", "cli", "http://127.0.0.1/api/partner/v1", "0")

    def _run_modes(self) -> Iterator[Row]:
        counts = self._counts()
        listed = Counter[str]()
        for run in range(self.shape.runs):
            for mode in MODES:
                added, changed, removed = (counts[run, mode, what] for what in ("added", "changed", "removed"))
                listed[mode] += added - removed
                found = (listed[mode], listed[mode], 0, added, changed, removed, 0)
                payload = hashlib.sha256(f"{mode} {run if added + changed + removed else 0}".encode()).hexdigest()
                looked = ("success", 200, 1, self._at(run, -ASKING), self._at(run - 1))
                yield (run + 1, mode, *looked, *found, listed[mode] * 2000, payload)

    def _counts(self) -> Counter[tuple[int, str, str]]:
        counts = Counter[tuple[int, str, str]]()
        for span in self.spans:
            mode = self.lives[span.life].mode
            counts[span.opened, mode, "changed" if span.before is not None and not span.relisted else "added"] += 1
            if span.ends_in_gap and span.closed is not None:
                counts[span.closed, mode, "removed"] += 1
        return counts

    def _days(self) -> Iterator[Row]:
        first = datetime.combine(self.shape.observed_at(0).date(), time(), UTC)
        for number in range((self.shape.end - first).days + 1):
            start = first + number * _DAY
            yield start.date().isoformat(), self.encoding.time(start), self.encoding.time(start + _DAY)

    def _models(self) -> Iterator[Row]:
        first: dict[int, Duration] = {}
        last: dict[int, Duration] = {}
        for span in self.spans:
            first.setdefault(span.life, span)
            last[span.life] = span
        for place, life in enumerate(self.lives):
            end, record = last[place], life.variants[last[place].variant]
            seen = max(end.opened, end.closed - 1) if end.closed is not None else None
            identity = (place + 1, life.mode, record.model_id, *record.rows[MODELS.table][0])
            times = (self._at(first[place].opened), self._at(end.closed), self._at(seen))
            yield (*identity, *times, record.fingerprint if life.is_listed else None)

    def _current(self, table: str) -> Iterator[Row]:
        for place, life in enumerate(self.lives):
            if life.is_listed:
                rows = life.variants[-1].rows[table]
                yield from ((place + 1, *map(self.encoding.value, row)) for row in rows)

    def _interval(self, span: Duration) -> Row:
        closed_by = None if span.closed is None else span.closed + 1
        return span.life + 1, self._at(span.opened), self._at(span.closed), span.opened + 1, closed_by

    def _versions(self) -> Iterator[Row]:
        for span in self.spans:
            yield (*self._interval(span), self.lives[span.life].variants[span.variant].raw)

    def _costs(self) -> Iterator[Row]:
        for span in self.spans:
            cost = self.lives[span.life].variants[span.variant].cost
            yield (*self._interval(span), self.encoding.value(for_arithmetic(cost)), cost, self._gap_to(span))

    def _gap_to(self, span: Duration) -> object:
        if span.ends_in_gap and span.back is None:
            return self.encoding.time(OPEN_GAP_END)
        return self._at(span.back)

    def _changes(self) -> Iterator[Row]:
        for run, place, old, new in sorted(self._moves(), key=lambda move: move[:2]):
            for row in self._event_rows(place, old, new):
                yield (run + 1, place + 1, self._at(run - 1, -ASKING), self._at(run), *row)

    def _moves(self) -> Iterator[tuple[int, int, int | None, str]]:
        """Run, life, the variant before, and the one after or what happened."""
        for span in self.spans:
            kind = "relisted" if span.relisted else "added" if span.before is None else "changed"
            yield span.opened, span.life, span.before, f"{kind} {span.variant}"
            if span.ends_in_gap and span.closed is not None:
                yield span.closed, span.life, span.variant, f"removed {span.variant}"

    def _event_rows(self, place: int, old: int | None, what: str) -> tuple[Row, ...]:
        """What is the same of such an event whenever it happens."""
        kind, _, variant = what.partition(" ")
        key = (place, int(variant), old, kind)
        if key not in self._events:
            variants = self.lives[place].variants
            new = variants[int(variant)]
            events = _events_of(kind, None if old is None else variants[old], new)
            named = (new.text("name"), new.text("provider"))
            self._events[key] = tuple((*named, *map(self.encoding.value, event.values())) for event in events)
        return self._events[key]


def _events_of(kind: str, old: Record | None, new: Record) -> Sequence[Event]:
    if kind == "changed" and old is not None:
        return tuple(events_between(old.tree, new.tree))
    before = old.cost if old else None
    return (Event("models", None, kind, cost=CostChange(before, None if kind == "removed" else new.cost)),)


_RUN_COLUMNS = (
    *("started_at", "observed_at", "finished_at"),
    *("status", "trigger_kind", "base_url", "app_version"),
)
_RUN_MODE_COLUMNS = (
    *("status", "http_status", "attempts", "asked_at", "previous_success_at"),
    *("models_reported", "models_received", "models_rejected"),
    *("models_added", "models_changed", "models_removed", "removals_held"),
    *("payload_bytes", "payload_sha256"),
)
_MODEL_COLUMNS = (
    *("model_pk", "mode", "model_id"),
    *MODELS.values,
    *("first_seen_at", "removed_at", "last_seen_at", "fingerprint"),
)
_INTERVAL_COLUMNS = ("model_pk", "valid_from", "valid_to", "opened_run_id", "closed_run_id")
_COST_COLUMNS = ("default_cost", "default_cost_exact", "gap_to")
_CHANGE_COLUMNS = ("not_before", "changed_at", "model_name", "provider", *EVENT_COLUMNS)
