"""From answers to plans: what the pure steps need is read here, what they decide is handed on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from sync.catalog.changes.classify import ClassifiedResponse, all_unchanged, classify
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.plan import make_plan, needed_ids
from sync.catalog.changes.stored import Listed
from sync.catalog.guards import RemovalCheck, RemovalGuard, check_removals, removals_accepted
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import ResponseRejected
from sync.store import read
from sync.store.database import Connection


class Decision(Struct, frozen=True):
    """What is to become of each mode that gave an answer."""

    plans: dict[str, ModePlan] = field(default_factory=dict)
    failures: dict[str, ResponseRejected] = field(default_factory=dict)
    """Modes whose answer turned out bad when held against what is stored."""
    superseded: frozenset[str] = frozenset()
    """Modes to which another run applied its answer since this one began."""


class CheckedMode(Struct, frozen=True):
    """One mode's answer held against what is listed."""

    classified: ClassifiedResponse
    removals: RemovalCheck
    listed: dict[str, Listed]


def decide(
    connection: Connection,
    answers: Mapping[str, ParsedResponse],
    states: Mapping[str, read.ModeState],
    versions: Mapping[str, int],
    guard: RemovalGuard,
    observed_at: datetime,
) -> Decision:
    """The plan of each mode, or why it has none.

    ``states`` are the check-and-set rows now (locked, when the plans are to be written);
    ``versions`` are those the run first read.
    """
    superseded = frozenset(mode for mode in answers if states[mode].version != versions[mode])
    failures: dict[str, ResponseRejected] = {}
    judged: dict[str, CheckedMode] = {}
    for mode, answer in answers.items():
        if mode not in superseded:
            try:
                judged[mode] = _judge(connection, answer, guard)
            except ResponseRejected as error:
                failures[mode] = error
    accepted = removals_accepted(guard, [checked.removals for checked in judged.values()])
    plans = {
        mode: make_plan(
            checked.classified,
            checked.removals,
            read.stored_models(connection, mode, needed_ids(checked.classified, checked.removals, checked.listed)),
            states[mode].last,
            observed_at=observed_at,
            accept_removals=accepted,
        )
        for mode, checked in judged.items()
    }
    return Decision(plans, failures, superseded)


def _judge(connection: Connection, answer: ParsedResponse, guard: RemovalGuard) -> CheckedMode:
    if answer.is_same:
        return CheckedMode(all_unchanged(answer), RemovalCheck(), {})
    listed = read.listed_models(connection, answer.mode)
    classified = classify(answer, listed)
    removals = check_removals(
        classified.missing_from(listed),
        guard,
        listed=len(listed),
        received=answer.reported,
        has_unreadable=classified.has_unreadable,
    )
    return CheckedMode(classified, removals, listed)
