"""The rules of ``rejected_models``: texts, intervals, runs, and the ``not_before`` of rows and of events."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sync.catalog.model.normalise import TOO_LONG, readable_id, text_hash
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_value, unreadable_findings
from sync.catalog.verify.history import interval_findings
from sync.catalog.verify.runs import RunInMode, history_run_findings, start_problem

TABLE = "rejected_models"

EventStarts: TypeAlias = Mapping[tuple[object, object], object]
"""By run and time, the ``not_before`` of the events with which that run ended the rejection of a model."""


def event_starts(rows: Iterable[StoredRow]) -> EventStarts:
    """The starts of the events of one model, from its rows. Of several copies the earliest counts, NULL before all."""
    starts: dict[tuple[object, object], object] = {}
    for row in rows:
        key = row["closed_run_id"], row["valid_to"]
        starts[key] = _earlier(starts[key], row["not_before"]) if key in starts else row["not_before"]
    return starts


def rejected_findings(mode: str, rows: Sequence[StoredRow], runs: Mapping[int, RunInMode]) -> Iterator[Finding]:
    """What is wrong with the rows of a mode, which are in the order of ``valid_from`` and need no ``raw``."""
    by_text: dict[object, list[StoredRow]] = defaultdict(list)
    by_model: dict[object, list[StoredRow]] = defaultdict(list)
    for row in rows:
        unreadable = list(unreadable_findings(scope_of(row), [row]))
        yield from unreadable
        if not unreadable:
            by_text[row["raw_sha256"]].append(row)
            by_model[row["model_id"]].append(row)
    for of_text in by_text.values():
        yield from interval_findings(scope_of(of_text[0]), of_text)
    for model_id, of_model in by_model.items():
        scope = RowScope(TABLE, mode, model_id if isinstance(model_id, str) else None)
        yield from history_run_findings(scope, of_model, runs)
        yield from _start_findings(scope, of_model, runs)


def text_problem(row: StoredRow) -> str | None:
    """What is wrong with a row and its ``raw``; None for a row without one."""
    raw, reason = row["raw"], row["reason"]
    if raw is None and isinstance(reason, str) and TOO_LONG not in reason:
        return f"raw is NULL, but reason is {format_value(reason)}"
    if not isinstance(raw, str):
        return None
    if hashlib.sha256(raw.encode()).hexdigest() != row["raw_sha256"]:
        return "raw is not the text of raw_sha256"
    model_id = readable_id(raw)
    if model_id != row["model_id"]:
        return f"raw is the text of {'a model without an id' if model_id is None else format_value(model_id)}"
    return None


def listed_findings(scope: RowScope, fingerprint: object, rows: Iterable[StoredRow]) -> Iterator[Finding]:
    """Open rows whose text is the listed one of the model, which has this fingerprint."""
    for row in rows:
        is_listed_text = isinstance(fingerprint, str) and text_hash(fingerprint) == row["raw_sha256"]
        if row["valid_to"] is None and is_listed_text:
            yield scope.finding("the model is rejected and listed with the same text", row["valid_from"])


def scope_of(row: StoredRow) -> RowScope:
    mode, model_id = row["mode"], row["model_id"]
    return RowScope(TABLE, mode if isinstance(mode, str) else None, model_id if isinstance(model_id, str) else None)


def _start_findings(scope: RowScope, rows: Sequence[StoredRow], runs: Mapping[int, RunInMode]) -> Iterator[Finding]:
    """Rows of a model that have another ``not_before`` than follows from the row before, or else from the runs."""
    before: list[StoredRow] = []
    for row in rows:
        start, run_id = row["valid_from"], row["opened_run_id"]
        run = runs.get(run_id) if isinstance(run_id, int) else None
        # Rows that were open until this one, or still are: what is unknown since then stays so.
        before = [each for each in before if _reaches(each["valid_to"], start)]
        carried = [each["not_before"] for each in before if each["valid_from"] != start and row["model_id"] is not None]
        problem = None
        if not carried:
            problem = run and start_problem(run, row["not_before"], start)
        elif row["not_before"] != _earliest(carried):
            problem = f"but the row before has {format_value(_earliest(carried))}"
        if problem:
            yield scope.finding(f"not_before is {format_value(row['not_before'])}, {problem}", start)
        before.append(row)


def _reaches(end: object, start: object) -> bool:
    return not isinstance(end, datetime) or not isinstance(start, datetime) or end >= start


def _earliest(times: Sequence[object]) -> object:
    first, *others = times
    for time in others:
        first = _earlier(first, time)
    return first


def _earlier(one: object, other: object) -> object:
    return min(one, other) if isinstance(one, datetime) and isinstance(other, datetime) else None
