"""Checks that the stored tables are consistent, without the program's code.

The truth is ``model_versions``: each model's JSON and the interval in which it was sent. Everything
else is derived from it again here, with plain SQL and the standard library.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Engine

from tests.support import sent_shapes
from tests.support.derived_checker import derived_findings, watch_findings
from tests.support.history_checker import (
    Row,
    changed_findings,
    cost_history_findings,
    cost_of,
    event_findings,
    exact,
    interval_findings,
    meaning,
    plain_json,
)
from tests.support.ignored_checker import earliest_time, ignored_findings
from tests.support.rejection_checker import rejection_findings

CATALOG_TABLES = ("credits", "credit_details", "params", "param_options", "inputs", "input_rules", "capabilities")
_TIMES = ("_at", "valid_from", "valid_to", "not_before", "possible_from", "stamp")


def assert_consistent(engine: Engine) -> None:
    """Fails with all findings in the stored data."""
    assert findings(engine) == []


def findings(engine: Engine) -> list[str]:
    """All findings in the stored data."""
    with engine.connect() as connection:
        return findings_on(connection)


def findings_on(connection: Connection) -> list[str]:
    return list(_findings(connection))


def _findings(connection: Connection) -> Iterator[str]:
    versions = _by_model(_read(connection, "model_versions"))
    costs = _by_model(_read(connection, "credit_history"))
    events = _by_model(_read(connection, "catalog_changes"))
    current = {table: _by_model(_read(connection, table)) for table in CATALOG_TABLES}
    rules = {run["run_id"]: run["event_rules"] for run in _read(connection, "sync_runs")}
    ignored = _read(connection, "ignored_fields")
    for model in _read(connection, "models"):
        pk = model["model_pk"]
        messages = [
            *ignored_findings(versions[pk], events[pk], ignored),
            *interval_findings("model_versions", versions[pk]),
            *interval_findings("credit_history", costs[pk]),
            *cost_history_findings(versions[pk], costs[pk]),
            *event_findings(versions[pk], events[pk]),
            *changed_findings(events[pk], rules),
            *derived_findings(model, costs[pk], events[pk]),
            *_current_findings(model, versions[pk], {table: rows[pk] for table, rows in current.items()}),
        ]
        yield from (f"{model['mode']} {model['model_id']!r}: {message}" for message in messages)
    yield from _run_findings(connection, versions, ignored)
    runs = {run["run_id"]: run for run in _read(connection, "sync_runs")}
    yield from watch_findings(_read(connection, "watch_days"), _read(connection, "sync_run_modes"), runs)
    yield from rejection_findings(
        _read(connection, "rejected_models"), {(r["run_id"], r["mode"]): r for r in _read(connection, "sync_run_modes")}
    )


def _read(connection: Connection, table: str) -> list[Row]:
    rows = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()
    return [{name: _plain(name, value) for name, value in row.items()} for row in rows]


def _plain(name: str, value: Any) -> Any:
    """A time without a zone, in UTC, from whatever type the driver returned."""
    if value is None or not name.endswith(_TIMES):
        return value
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time.replace(tzinfo=None)  # every session is in UTC


def _by_model(rows: Iterable[Row]) -> dict[int, list[Row]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["model_pk"]].append(row)
    for of_model in grouped.values():
        of_model.sort(key=lambda row: row.get("valid_from") or row.get("change_id") or 0)
    return grouped


def _current_findings(model: Row, versions: list[Row], rows: dict[str, list[Row]]) -> Iterator[str]:
    open_versions = [version for version in versions if version["valid_to"] is None]
    if model["removed_at"] is not None:
        yield from ("is removed and has an open version" for _ in open_versions)
        yield from (f"is removed and has rows in {table}" for table, current in rows.items() if current)
        if versions and model["removed_at"] != versions[-1]["valid_to"]:
            yield "was removed at another time than the end of its last version"
        return
    if len(open_versions) != 1:
        yield f"is listed with {len(open_versions)} open versions"
        return
    yield from _listed_findings(model, open_versions[0], plain_json(open_versions[0]["raw"]), rows)
    if model["first_seen_at"] != versions[0]["valid_from"] or model["last_seen_at"] is not None:
        yield "was first or last seen at another time"


def _listed_findings(model: Row, version: Row, sent: Row, rows: dict[str, list[Row]]) -> Iterator[str]:
    if (sent["id"], sent.get("mode") or model["mode"]) != (model["model_id"], model["mode"]):
        yield "is stored under another id or mode than it was sent"
    if not str(model["fingerprint"]).endswith(f":{hashlib.sha256(version['raw'].encode()).hexdigest()}"):
        yield "has the fingerprint of another text"
    for name in ("name", "provider", "description"):
        if model[name] != sent_shapes.text_of(sent.get(name)):
            yield f"has another {name} than was sent"
    if [exact(row["default_cost_exact"]) for row in rows["credits"]] != [cost_of(version)]:
        yield f"costs {rows['credits']}, and {cost_of(version)} was sent"
    if [row["notes"] for row in rows["credits"]] != [sent_shapes.text_of((sent.get("credits") or {}).get("notes"))]:
        yield "has another note on the cost than was sent"
    yield from sent_shapes.detail_findings(sent.get("credits"), rows["credit_details"])
    params = {name: meaning(entry) for name, entry in sent_shapes.params_of(sent.get("params")).items()}
    if {row["param_name"]: meaning(plain_json(row["definition"])) for row in rows["params"]} != params:
        yield "has other params than were sent"
    if {row["capability"] for row in rows["capabilities"]} != sent_shapes.capabilities_of(sent.get("capabilities")):
        yield "has other capabilities than were sent"


def _run_findings(connection: Connection, versions: dict[int, list[Row]], ignored: list[Row]) -> Iterator[str]:
    runs = {run["run_id"]: run for run in _read(connection, "sync_runs")}
    for run in runs.values():
        if (run["status"] == "running") != (run["finished_at"] is None):
            yield f"run {run['run_id']} is {run['status']} and finished at {run['finished_at']}"
    mode_of = {model["model_pk"]: model["mode"] for model in _read(connection, "models")}
    state = {row["mode"]: row for row in _read(connection, "sync_state")}
    stamps = {
        (pk, stamp, run)
        for pk, rows in versions.items()
        for row in rows
        for stamp, run in ((row["valid_from"], row["opened_run_id"]), (row["valid_to"], row["closed_run_id"]))
        if stamp is not None
    }
    for pk, stamp, run in stamps:
        if runs[run]["status"] not in {"success", "partial", "held"}:
            yield f"run {run} is {runs[run]['status']} and wrote history"
        if stamp > state[mode_of[pk]]["observed_at"]:
            yield f"{mode_of[pk]} has history of {stamp}, after its last stamp"
    yield from _mode_row_findings(connection, {(run, mode_of[pk], stamp) for pk, stamp, run in stamps}, state)
    yield from _request_findings(connection, runs, state, versions, ignored)
    yield from _calendar_findings(connection, {stamp for _, stamp, _ in stamps})


def _mode_row_findings(
    connection: Connection, stamps: set[tuple[int, str, datetime]], state: dict[str, Row]
) -> Iterator[str]:
    """What runs recorded of their responses: their stamps, what they held back, and the models listed since."""
    rows = {(row["run_id"], row["mode"]): row for row in _read(connection, "sync_run_modes")}
    for run, mode, stamp in stamps:
        row = rows[run, mode]
        if row["stamp"] != stamp or row["hold_reason"] in {"other_catalog", "costs"}:
            yield f"run {run} wrote history of {stamp} for {mode}, stamped {row['stamp']}, held {row['hold_reason']}"
    for (run, mode), row in rows.items():
        if row["is_good"] and (row["stamp"] is None or row["hold_reason"]):
            yield f"run {run} is good for {mode}, stamped {row['stamp']}, held {row['hold_reason']}"
    listed = [model["mode"] for model in _read(connection, "models") if model["removed_at"] is None]
    for mode, row in state.items():
        last = rows.get((row["run_id"], mode))
        if last and (row["observed_at"], row["models_listed"]) != (last["stamp"], listed.count(mode)):
            yield f"the state of {mode} has {row['observed_at']} and {row['models_listed']} listed models"


def _request_findings(
    connection: Connection,
    runs: dict[int, Row],
    state: dict[str, Row],
    versions: dict[int, list[Row]],
    ignored: list[Row],
) -> Iterator[str]:
    """What is dated by the request of the last successful sync: the state of a mode, and ``not_before`` of an event.

    A cache may have had the response for some time before the request, so its age is subtracted.
    """
    rows = _read(connection, "sync_run_modes")
    mode_rows = {(row["run_id"], row["mode"]): row for row in rows}
    successes = sorted(key for key, row in mode_rows.items() if row["is_good"])
    starts = _good_starts(successes, mode_rows, runs)
    for mode, row in state.items():
        last = [run for run, of in successes if of == mode and runs[run]["observed_at"] == row["good_observed_at"]]
        if last and starts[last[-1], mode] not in {None, row["good_asked_at"]}:
            yield f"the state of {mode} is not dated by the request of run {last[-1]}"
    mode_of = {model["model_pk"]: model["mode"] for model in _read(connection, "models")}
    id_of = {model["model_pk"]: model["model_id"] for model in _read(connection, "models")}
    rejections = defaultdict(list)
    for row in _read(connection, "rejected_models"):
        rejections[row["mode"], row["model_id"], row["closed_run_id"]].append(row["not_before"])
    events = _by_model(_read(connection, "catalog_changes"))
    for event in (event for of_model in list(events.values()) for event in of_model):
        mode, run = mode_of[event["model_pk"]], event["run_id"]
        before = [one for one, of in successes if of == mode and one < run]
        # An earlier success may have been pruned; then nothing is known.
        known = before and runs[before[-1]]["observed_at"] == mode_rows[run, mode]["previous_success_at"]
        known = known and starts[before[-1], mode] is not None
        expected = known and min(starts[before[-1], mode], event["changed_at"])
        ended, pk = rejections.get((mode, id_of[event["model_pk"]], run)), event["model_pk"]
        if ended:
            known, expected = True, None if None in ended else min(ended)
        earliest = earliest_time(event, versions[pk], events[pk], ignored) if known and expected else None
        if known and event["not_before"] != (min(expected, earliest) if earliest else expected):
            yield f"event {event['change_id']} is not dated by the last sync that observed its model"


def _good_starts(successes: list[tuple[int, str]], rows: dict[tuple[int, str], Row], runs: dict[int, Row]) -> Any:
    """By run and mode: from when on the catalog is known to be as that success observed it; None if unknown.

    An older copy from a cache takes nothing back of what a success before it observed.
    """
    starts: dict[tuple[int, str], datetime | None] = {}
    last: dict[str, int] = {}
    for run, mode in successes:
        row, before = rows[run, mode], last.get(mode)
        asked_at, age = row["asked_at"], row["response_age"] or 0
        start = asked_at - timedelta(seconds=age)
        # The success before it may have been pruned.
        known = None
        if before is not None and runs[before]["observed_at"] == row["previous_success_at"]:
            known = starts[before, mode]
        if known is not None and start < known <= asked_at:
            start = known
        starts[run, mode] = start if not age or known or row["previous_success_at"] is None else None
        last[mode] = run
    return starts


def _calendar_findings(connection: Connection, stamps: set[datetime]) -> Iterator[str]:
    days = sorted(row["day_start_at"] for row in _read(connection, "calendar_days"))
    yield from (
        f"the calendar has a gap after {one}" for one, next_ in pairwise(days) if next_ - one != timedelta(days=1)
    )
    yield from (
        f"the calendar lacks the day of {stamp}" for stamp in stamps if stamp.date() not in {day.date() for day in days}
    )
