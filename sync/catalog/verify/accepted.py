"""What a person accepted in a run, compared with what the run did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from sync.catalog.base_urls import is_same_source
from sync.catalog.verify.findings import format_value
from sync.catalog.verify.mode_rows import ModeRow
from sync.catalog.verify.run_counts import RunCounts
from sync.catalog.verify.run_rows import RunRow

_KEYS = frozenset(("base_url", "removals", "costs", "by", "why"))


class Accepted(Struct, frozen=True):
    """The values of ``sync_runs.accepted``: numbers of models, and base URLs, by mode."""

    removals: Mapping[str, int] = {}
    costs: Mapping[str, int] = {}
    replaced: Mapping[str, str] = {}
    """By mode, the base URL before."""
    base_url: str | None = None
    """The one after."""


NOTHING_ACCEPTED = Accepted()


def parse_accepted(text: object) -> Accepted | None:
    """The values of a stored text; None for a value that no run writes."""
    if text is None:
        return NOTHING_ACCEPTED
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not _has_only(value, _KEYS) or not {"base_url", "removals", "costs"} & {*value}:
        return None
    removals, costs, moved = value.get("removals", {}), value.get("costs", {}), value.get("base_url")
    replaced: Any = {}
    if moved is not None:
        if not isinstance(moved, dict) or {*moved} != {"to", "from"} or not isinstance(moved["to"], str):
            return None
        replaced = moved["from"]
    is_whole = _values_are(removals, int) and _values_are(costs, int) and _values_are(replaced, str)
    is_whole = is_whole and all(isinstance(value.get(name), str | None) for name in ("by", "why"))
    return Accepted(removals, costs, replaced, moved["to"] if moved else None) if is_whole else None


def accepted_problems(
    accepted: Accepted, run: RunRow, modes: Sequence[ModeRow], counts: Mapping[str, RunCounts]
) -> Iterator[str]:
    """Where a run did something else than what was accepted. ``counts`` are those of its modes."""
    applied = {mode.mode: mode for mode in modes if mode.is_applied and not mode.holds_mode}
    for mode in sorted({*accepted.removals, *accepted.costs, *accepted.replaced} - applied.keys()):
        yield f"accepted names mode {format_value(mode)}, to which the run applied nothing"
    for name, number in accepted.removals.items():
        if name in applied and number != applied[name].models_removed:
            removed = applied[name].models_removed
            yield f"accepted has {number} removals of mode {name}, but the run removed {removed} models"
    for name, number in accepted.costs.items():
        if name in applied and not counts[name].costs_unset <= number <= counts[name].costs_moved:
            moved = counts[name].costs_moved
            yield f"accepted has {number} costs of mode {name}, but the run changed the costs of {moved} models"
    if accepted.base_url is not None and not _is_of_run(accepted.base_url, run.base_url):
        base_url = format_value(run.base_url)
        yield f"accepted has the base URL {format_value(accepted.base_url)}, but that of the run is {base_url}"


def base_url_problem(accepted: Accepted, mode: str, before: str, now: str) -> str | None:
    """Why a run may not follow one with another base URL; secrets are masked in what was accepted."""
    replaced = accepted.replaced.get(mode)
    if replaced is None and not is_same_source(before, now):
        return f"base_url is {format_value(now)}, but mode {mode} had {format_value(before)}, and accepted names none"
    if replaced is not None and not _is_of_run(replaced, before):
        return (
            f"accepted has the base URL {format_value(replaced)} of mode {mode} before, but it was"
            f" {format_value(before)}"
        )
    return None


def _is_of_run(accepted: str, base_url: str | None) -> bool:
    return "[hidden]" in accepted or (base_url is not None and is_same_source(accepted, base_url))


def _has_only(value: Mapping[str, object], names: frozenset[str]) -> bool:
    return not {*value} - names


def _values_are(value: object, kind: type) -> bool:
    return isinstance(value, dict) and all(type(one) is kind for one in value.values())
