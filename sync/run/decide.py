"""Decides what a run writes: reads what the pure steps need, and turns responses into plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from sync.catalog.changes.classify import ClassifiedResponse, classify
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.plan import make_plan, needed_ids
from sync.catalog.changes.stored import Listed
from sync.catalog.guards import RemovalCheck, RemovalGuard, check_removals, removals_accepted
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import ResponseRejected
from sync.store import read
from sync.store.database import Connection


class Decision(Struct, frozen=True):
    """What happens to each mode with a parsed response: each mode is in exactly one of the three fields."""

    plans: dict[str, ModePlan] = field(default_factory=dict)
    failures: dict[str, ResponseRejected] = field(default_factory=dict)
    """Modes whose response was rejected when its models were compared with the listed ones."""
    superseded: frozenset[str] = frozenset()
    """Modes to which another run applied a response after this run had read their versions."""


class _CheckedMode(Struct, frozen=True):
    """One mode's response compared with the listed models."""

    classified: ClassifiedResponse
    removals: RemovalCheck
    listed: dict[str, Listed]


def decide(
    connection: Connection,
    responses: Mapping[str, ParsedResponse],
    states: Mapping[str, read.ModeState],
    versions: Mapping[str, int],
    guard: RemovalGuard,
    observed_at: datetime,
) -> Decision:
    """The plan of each mode, or the reason why it has none.

    ``states`` are the check-and-set rows now, locked if the plans are to be written; ``versions``
    are those that the run read before it fetched. A version that differs means that another run
    has stored its response in the meantime.
    """
    superseded = frozenset(mode for mode in responses if states[mode].version != versions[mode])
    failures: dict[str, ResponseRejected] = {}
    checked: dict[str, _CheckedMode] = {}
    for mode, response in responses.items():
        if mode not in superseded:
            try:
                checked[mode] = _check(connection, response, guard)
            except ResponseRejected as error:
                failures[mode] = error
    # A person accepts one number for the whole run, so every mode is checked before the first is planned.
    accepted = removals_accepted(guard, [one.removals for one in checked.values()])
    plans = {
        mode: make_plan(
            one.classified,
            one.removals,
            read.stored_models(connection, mode, needed_ids(one.classified, one.removals, one.listed)),
            states[mode].last,
            observed_at=observed_at,
            accept_removals=accepted,
        )
        for mode, one in checked.items()
    }
    return Decision(plans, failures, superseded)


def _check(connection: Connection, response: ParsedResponse, guard: RemovalGuard) -> _CheckedMode:
    listed = read.listed_models(connection, response.mode)
    classified = classify(response, listed)
    removals = check_removals(
        classified.missing_from(listed),
        guard,
        listed=len(listed),
        received=response.reported,
        has_unreadable=classified.has_unreadable,
    )
    return _CheckedMode(classified, removals, listed)
