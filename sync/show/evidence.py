"""The evidence for one model at a moment: as a document for programs, and as lines of text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sync.catalog.history.evidence import Evidence
from sync.show.values import format_count, format_instant, format_value

_TEXT_LIMIT = 4000  # characters
_HELD = {"other_catalog": "a response of another catalog", "costs": "moved costs", "removals": "removals"}
Line = tuple[str, str]
"""A heading and its text."""


def evidence_document(evidence: Evidence, database: str, catalog_id: str | None) -> dict[str, Any]:
    """The JSON document. ``database`` is its URL without secrets."""
    values = asdict(evidence)
    held, rejections, runs = (values.pop(name) for name in ("held", "rejections", "runs"))
    as_of, tree, _ = (values.pop(name) for name in ("as_of", "tree", "is_listed"))
    return {
        "as_of": as_of,
        "database": database,
        "catalog_id": catalog_id,
        **tree,
        **values,
        "held_run_id": held and held["run_id"],
        "held_at": held and held["at"],
        "hold_reason": held and held["reason"],
        "is_held": bool(held and held["is_named"]),
        "rejections": rejections,
        "runs": runs,
    }


def evidence_lines(model: Mapping[str, Any]) -> Iterator[Line]:
    """What the document of a model with its evidence says to a person. The texts are safe for a terminal."""
    found = model["evidence"]
    yield "moment", _time(found["as_of"])
    yield "database", _text(found["database"])
    yield "catalog", _text(found["catalog_id"]) or "without an id"
    size = found["tree_size"]
    yield "checkpoint", f"{format_count(size, 'seal')}, root {_text(found['root'])}" if size else "no seal yet"
    yield from _state(found, "exactly so" if model["is_listed"] else "not listed")
    if found["raw_sha256"]:
        yield "text", f"SHA-256 {found['raw_sha256']}"
    if found["cost"]:
        yield "cost", _cost(found["cost"], _text(model["credit_cost"]) or "none given")
    yield from _held(found)
    for each in found["rejections"]:
        end = "still so" if each["valid_to"] is None else f"until {_time(each['valid_to'])}"
        since = f"from {_time(each['valid_from'])} (run {each['run_id']}), {end}"
        yield "rejected", f"{since}: {_text(each['reason'])}; the values are those that were accepted last"
    for run in found["runs"]:
        yield from _run(run, list(_roles(run["run_id"], found)))


def _state(found: Mapping[str, Any], what: str) -> Iterator[Line]:
    state = found["state"]
    yield what, f"observed first at {_time(state['observed_from'])} by run {state['opened_run_id']}"
    before = state["not_before"]
    yield "", f"possible since {_time(before)}" if before else "nothing is known of the time before"
    by = f"run {found['confirmed_run_id']}" if found["confirmed_run_id"] else "a run that was pruned"
    yield "", f"confirmed last at {_time(found['confirmed_at'])} by {by}"
    yield "", _next(found)


def _next(found: Mapping[str, Any]) -> str:
    state, end = found["state"], found["state"]["observed_until"]
    if found["next_at"] is None:
        return "still so; no later observation"
    later = f"observed next at {_time(found['next_at'])} by run {found['next_run_id']}"
    if end is None:
        return f"{later}; still so"
    if found["next_at"] != end:
        return f"{later}, still so; observed otherwise at {_time(end)} by run {state['closed_run_id']}"
    begin = state["ended_not_before"]
    maybe = " so perhaps before this moment" if begin and begin < found["as_of"] else ""
    changed = f"; it changed after {_time(begin)}{',' if maybe else ''}{maybe}" if begin else ""
    return f"observed otherwise at {_time(end)} by run {state['closed_run_id']}{changed}"


def _cost(cost: Mapping[str, Any], shown: str) -> str:
    end = cost["observed_until"]
    until = f"until {_time(end)} (run {cost['closed_run_id']})" if end else "still so"
    since = f", possible since {_time(cost['not_before'])}" if cost["not_before"] else ""
    return f"{shown}, observed from {_time(cost['observed_from'])} (run {cost['opened_run_id']}){since}, {until}"


def _held(found: Mapping[str, Any]) -> Iterator[Line]:
    if found["held_run_id"]:
        what = _HELD.get(found["hold_reason"], _text(found["hold_reason"]))
        named = "this model is one of those" if found["is_held"] else "not because of this model"
        yield "held back", f"{what}, by run {found['held_run_id']} at {_time(found['held_at'])}; {named}"


def _roles(run_id: int, found: Mapping[str, Any]) -> Iterator[str]:
    state, cost = found["state"], found["cost"] or {}
    for role, named in (
        ("observed it first", state["opened_run_id"]),
        ("confirmed it last", found["confirmed_run_id"]),
        ("observed it next", None if found["next_run_id"] == state["closed_run_id"] else found["next_run_id"]),
        ("observed the end", state["closed_run_id"]),
        ("observed the cost first", cost.get("opened_run_id")),
        ("observed another cost", cost.get("closed_run_id")),
        ("held back", found["held_run_id"]),
        *(("rejected it", each["run_id"]) for each in found["rejections"]),
    ):
        if named == run_id:
            yield role


def _run(run: Mapping[str, Any], roles: list[str]) -> Iterator[Line]:
    yield f"run {run['run_id']}", ", ".join(roles)
    if not run["is_recorded"]:
        yield "", "its row is not there: it was pruned, or deleted by hand"
        yield from _seal(run)
        return
    yield "", _who(run)
    yield "", _request(run)
    yield "", _response(run)
    yield from _seal(run)
    if run["source_run_id"] is not None:
        yield "", f"recorded as run {run['source_run_id']} of catalog {_text(run['source_catalog_id'])}"
    if isinstance(run["accepted"], dict):
        why = _text(run["accepted"].get("why")) or "no reason given"
        yield "", f"with something accepted by {_text(run['accepted'].get('by')) or 'somebody'} ({why})"


def _seal(run: Mapping[str, Any]) -> Iterator[Line]:
    if run["seal_no"] is None:
        yield "", "without a seal of its own"
    else:
        yield "", f"seal {run['seal_no']}, leaf {_text(run['leaf_hash'])}"


def _who(run: Mapping[str, Any]) -> str:
    where = f" on host {_text(run['host'])}" if run["host"] else ", host not recorded"
    return f"{_text(run['trigger_kind'])}{where}, catalog-sync {_text(run['app_version'])}"


def _request(run: Mapping[str, Any]) -> str:
    if run["base_url"] is None:
        return f"no URL and no key: a saved response, taken at {_time(run['stamp'])}"
    at = f" at {_time(run['asked_at'])}" if run["asked_at"] else ""
    key = f" with key {_text(run['key_fingerprint'])}" if run["key_fingerprint"] else ", key not recorded"
    return f"requested {_text(run['base_url'])}{at}{key}"


def _response(run: Mapping[str, Any]) -> str:
    parts = [f"HTTP {run['http_status']}" if run["http_status"] else "no HTTP status"]
    if run["payload_bytes"] is not None:
        parts.append(format_count(run["payload_bytes"], "byte"))
    if run["response_age"]:
        parts.append(f"{format_count(run['response_age'], 'second')} in a cache")
    parts.append(f"SHA-256 {run['payload_sha256']}" if run["payload_sha256"] else "no response recorded")
    return f"{_text(run['mode_status'])}: {', '.join(parts)}"


def _text(value: object) -> str:
    return format_value(value, _TEXT_LIMIT)


def _time(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else format_instant(moment)
