"""Proves from the stored tables alone that they tell one true story.

The truth is ``model_versions``: each model's JSON and when it was so. Everything else is derived
again here, by other means than the job's: plain SQL, plain ``json``, and none of its code.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Engine

Row = dict[str, Any]
CATALOG_TABLES = ("credits", "params", "param_options", "inputs", "input_rules", "capabilities")
_TIMES = ("_at", "valid_from", "valid_to", "not_before")


def assert_sound(engine: Engine) -> None:
    """Fails with everything that is wrong with the stored data."""
    with engine.connect() as connection:
        assert list(_faults(connection)) == []


def _faults(connection: Connection) -> Iterator[str]:
    versions = _by_model(_read(connection, "model_versions"))
    costs = _by_model(_read(connection, "credit_history"))
    events = _by_model(_read(connection, "catalog_changes"))
    current = {table: _by_model(_read(connection, table)) for table in CATALOG_TABLES}
    for model in _read(connection, "models"):
        pk = model["model_pk"]
        found = [
            *_interval_faults("model_versions", versions[pk]),
            *_interval_faults("credit_history", costs[pk]),
            *_cost_history_faults(versions[pk], costs[pk]),
            *_event_faults(versions[pk], events[pk]),
            *_current_faults(model, versions[pk], {table: rows[pk] for table, rows in current.items()}),
        ]
        yield from (f"{model['mode']} {model['model_id']!r}: {fault}" for fault in found)
    yield from _run_faults(connection, versions)


def _read(connection: Connection, table: str) -> list[Row]:
    found = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()
    return [{name: _plain(name, value) for name, value in row.items()} for row in found]


def _plain(name: str, value: Any) -> Any:
    """A time as a naive one in UTC, whatever the driver gave."""
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


def _interval_faults(table: str, rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row["valid_to"] is not None and row["valid_to"] <= row["valid_from"]:
            yield f"{table} runs backward at {row['valid_from']}"
    for row, following in pairwise(rows):
        if row["valid_to"] is None or row["valid_to"] > following["valid_from"]:
            yield f"{table} overlaps at {following['valid_from']}"


def _cost(version: Row) -> Decimal | None:
    found = (_json(version["raw"]).get("credits") or {}).get("default_cost")
    assert found is None or isinstance(found, Decimal)
    return found


def _json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def _meaning(value: Any) -> Any:
    """Equal for two JSON values exactly when they mean the same."""
    if isinstance(value, dict):
        return {key: _meaning(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        items = [_meaning(one) for one in value]
        return items if any(isinstance(one, (dict, list)) for one in value) else frozenset(items)
    return (type(value).__name__, value)


def _cost_history_faults(versions: list[Row], costs: list[Row]) -> Iterator[str]:
    expected: list[list[Any]] = []
    for version in versions:
        if expected and expected[-1][1:] == [version["valid_from"], _cost(version)]:
            expected[-1][1] = version["valid_to"]
        else:
            expected.append([version["valid_from"], version["valid_to"], _cost(version)])
    stored = [[row["valid_from"], row["valid_to"], _exact(row["default_cost_exact"])] for row in costs]
    if stored != expected:
        yield f"credit_history is {stored}, its versions say {expected}"
    yield from (
        f"the cost of {row['valid_from']} is rounded wrong" for row in costs if not _is_rounded(row, "default_cost")
    )


def _exact(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _is_rounded(row: Row, column: str) -> bool:
    return _is_near(row[column], None if row[f"{column}_exact"] is None else Fraction(row[f"{column}_exact"]))


def _is_near(stored: Any, exact: Fraction | None, places: int = 12) -> bool:
    """Whether a NUMERIC column has the figure; SQLite keeps some 15 digits of it."""
    if stored is None or exact is None:
        return stored is None and exact is None
    return abs(Fraction(str(stored)) - exact) <= max(abs(exact) / 10**14, Fraction(1, 2 * 10**places))


def _expected_cost_events(versions: list[Row]) -> Iterator[tuple[datetime, str, Decimal | None, Decimal | None]]:
    last: Row | None = None
    for version in versions:
        now, before = _cost(version), None if last is None else _cost(last)
        if last is None or last["valid_to"] < version["valid_from"]:
            if last is not None:
                yield last["valid_to"], "removed", before, None
            yield version["valid_from"], "added" if last is None else "relisted", before, now
        elif now != before:
            yield version["valid_from"], _kind(before, now), before, now
        last = version
    if last is not None and last["valid_to"] is not None:
        yield last["valid_to"], "removed", _cost(last), None


def _kind(old: Decimal | None, new: Decimal | None) -> str:
    if old is None or new is None:
        return "cost_set" if old is None else "cost_unset"
    return "increase" if new > old else "decrease"


def _event_faults(versions: list[Row], events: list[Row]) -> Iterator[str]:
    about_cost = [event for event in events if event["is_cost_event"]]
    stored = [
        (event["changed_at"], event["change_kind"], _exact(event["old_cost_exact"]), _exact(event["new_cost_exact"]))
        for event in about_cost
    ]
    expected = list(_expected_cost_events(versions))
    if stored != expected:
        yield f"the cost events are {stored}, the versions say {expected}"
    yield from (
        f"the figures of event {event['change_id']} are wrong" for event in about_cost if not _figures_hold(event)
    )
    runs = {(row["valid_from"], row["opened_run_id"]) for row in versions}
    runs |= {(row["valid_to"], row["closed_run_id"]) for row in versions}
    for event in events:
        if (event["changed_at"], event["run_id"]) not in runs:
            yield f"event {event['change_id']} is not where a version begins or ends"
        if event["not_before"] is not None and event["not_before"] > event["changed_at"]:
            yield f"event {event['change_id']} happened before it could"
        if (event["change_kind"] == "changed") == bool(event["is_cost_event"]):
            yield f"event {event['change_id']} is marked wrong"
    changed = {event["changed_at"] for event in events}
    for old, new in pairwise(versions):
        if old["valid_to"] == new["valid_from"] and _meaning(_json(old["raw"])) == _meaning(_json(new["raw"])):
            yield f"the version of {new['valid_from']} means the same as the one before"
        if new["valid_from"] not in changed:
            yield f"the version of {new['valid_from']} has no event"


def _figures_hold(event: Row) -> bool:
    old, new, delta, percent = event["old_cost_exact"], event["new_cost_exact"], None, None
    if event["change_kind"] in {"increase", "decrease", "relisted"} and None not in {old, new}:
        delta = Fraction(new) - Fraction(old)
        percent = delta / Fraction(old) * 100 if Fraction(old) else None
        percent = None if percent is not None and abs(percent) >= 10**18 else percent
    return (
        _is_rounded(event, "old_cost")
        and _is_rounded(event, "new_cost")
        and _is_near(event["delta_cost"], delta)
        and _is_near(event["pct_change"], percent, 6)
    )


def _current_faults(model: Row, versions: list[Row], rows: dict[str, list[Row]]) -> Iterator[str]:
    still = [version for version in versions if version["valid_to"] is None]
    if model["removed_at"] is not None:
        yield from ("is removed and has an open version" for _ in still)
        yield from (f"is removed and has rows in {table}" for table, found in rows.items() if found)
        if versions and model["removed_at"] != versions[-1]["valid_to"]:
            yield "was removed when its last version did not end"
        return
    if len(still) != 1:
        yield f"is listed with {len(still)} open versions"
        return
    yield from _listed_faults(model, still[0], _json(still[0]["raw"]), rows)
    if model["first_seen_at"] != versions[0]["valid_from"] or model["last_seen_at"] is not None:
        yield "was first or last seen at another time"


def _listed_faults(model: Row, version: Row, sent: Row, rows: dict[str, list[Row]]) -> Iterator[str]:
    if (sent["id"], sent.get("mode") or model["mode"]) != (model["model_id"], model["mode"]):
        yield "is stored under another id or mode than it was sent"
    if not str(model["fingerprint"]).endswith(f":{hashlib.sha256(version['raw'].encode()).hexdigest()}"):
        yield "has the fingerprint of another text"
    for name in ("name", "provider", "description"):
        if model[name] != _cleaned(sent.get(name)):
            yield f"has another {name} than was sent"
    if [_exact(row["default_cost_exact"]) for row in rows["credits"]] != [_cost(version)]:
        yield f"costs {rows['credits']}, and {_cost(version)} was sent"
    params = {name: _meaning(entry) for name, entry in (sent.get("params") or {}).items() if entry is not None}
    if {row["param_name"]: _meaning(_json(row["definition"])) for row in rows["params"]} != params:
        yield "has other params than were sent"
    names = set(_leaves(sent.get("capabilities") or {}))
    if {row["capability"] for row in rows["capabilities"]} != names:
        yield "has other capabilities than were sent"


def _cleaned(text: str | None) -> str | None:
    if text is None:
        return None
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text if char != "\0")


def _leaves(tree: Row) -> Iterator[str]:
    for key, value in tree.items():
        name = key.replace("\\", "\\\\").replace(".", "\\.")
        if isinstance(value, dict) and any(one is not None for one in value.values()):
            yield from (f"{name}.{below}" for below in _leaves(value))
        elif value is not None:
            yield name


def _run_faults(connection: Connection, versions: dict[int, list[Row]]) -> Iterator[str]:
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
    yield from _calendar_faults(connection, {stamp for _, stamp, _ in stamps})


def _calendar_faults(connection: Connection, stamps: set[datetime]) -> Iterator[str]:
    days = sorted(row["day_start_at"] for row in _read(connection, "calendar_days"))
    yield from (
        f"the calendar has a gap after {one}" for one, next_ in pairwise(days) if next_ - one != timedelta(days=1)
    )
    yield from (
        f"the calendar lacks the day of {stamp}" for stamp in stamps if stamp.date() not in {day.date() for day in days}
    )
