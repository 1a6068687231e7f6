"""Decides what a run writes: reads what the pure steps need, and turns responses into plans."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from sync.catalog import guards
from sync.catalog.changes.classify import ClassifiedResponse, classify
from sync.catalog.changes.evidence import RecentChanges, make_evidence
from sync.catalog.changes.ignored import IgnoredFields
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.noisy_fields import EARLIER_RUNS, mostly_changed, noisy_fields, noisy_note
from sync.catalog.changes.plan import ModeWatermark, make_plan, monotonic_timestamp, needed_ids
from sync.catalog.changes.rejections import OpenRejection
from sync.catalog.changes.stored import Listed
from sync.catalog.guards import Evidence, GuardSettings, Hold
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import CatalogSyncError, ResponseRejected
from sync.run.messages import older_copy_error
from sync.store import read, recent
from sync.store.database import Connection
from sync.store.ignored import changes_in_last_runs, read_ignored_fields
from sync.store.rejections import open_rejections


class Decision(Struct, frozen=True):
    """What happens to each mode with a parsed response: each mode is in exactly one of the three fields."""

    plans: dict[str, ModePlan] = field(default_factory=dict)
    failures: dict[str, CatalogSyncError] = field(default_factory=dict)
    """Modes whose response was not used when its models were compared with the listed ones."""
    superseded: frozenset[str] = frozenset()
    """Modes to which another run applied a response after this run had read their versions."""


class _CheckedMode(Struct, frozen=True):
    """One mode's response compared with the listed models."""

    classified: ClassifiedResponse
    evidence: Evidence
    holds: tuple[Hold, ...]
    listed: dict[str, Listed]


def decide(
    connection: Connection,
    responses: Mapping[str, ParsedResponse],
    states: Mapping[str, read.ModeState],
    versions: Mapping[str, int],
    settings: GuardSettings,
    observed_at: datetime,
    *,
    older_copies: Container[str] = (),
) -> Decision:
    """The plan of each mode, or the reason why it has none.

    ``states`` are the check-and-set rows now, locked if the plans are to be written; ``versions``
    are those that the run read before it fetched. A version that differs means that another run
    has stored its response in the meantime. ``older_copies`` are the modes for which a cache sent a copy
    that is older than the last good observation; they have a plan only if it changes nothing.
    """
    superseded = frozenset(mode for mode in responses if states[mode].version != versions[mode])
    failures: dict[str, CatalogSyncError] = {}
    checked: dict[str, _CheckedMode] = {}
    for mode, response in responses.items():
        if mode not in superseded:
            try:
                checked[mode] = _check(connection, response, settings, states[mode].last, observed_at)
            except ResponseRejected as error:
                failures[mode] = error
    # Before the numbers are counted: what a copy has held back is no matter for a person.
    for mode in [mode for mode in checked if mode in older_copies and checked[mode].holds]:
        failures[mode] = older_copy_error(mode)
        del checked[mode]
    # A person accepts one number for the whole run, so every mode is checked before the first is planned.
    accepted = guards.accepted_flags([hold for one in checked.values() for hold in one.holds], settings)
    rejected = open_rejections(connection, checked) if checked else {}
    ignored = read_ignored_fields(connection)
    plans = {
        mode: _plan(
            *(connection, one, accepted, states[mode].last, observed_at),
            rejected_before=rejected.get(mode, ()),
            ignored=ignored,
        )
        for mode, one in checked.items()
    }
    for mode in [mode for mode in plans if mode in older_copies and not plans[mode].is_unchanged]:
        failures[mode] = older_copy_error(mode)
        del plans[mode]
    return Decision(plans, failures, superseded)


def _check(
    connection: Connection,
    response: ParsedResponse,
    settings: GuardSettings,
    watermark: ModeWatermark,
    observed_at: datetime,
) -> _CheckedMode:
    listed = read.listed_models(connection, response.mode)
    classified = classify(response, listed)
    recent_changes, costs = RecentChanges(), {}
    # An unchanged response costs no query.
    if classified.missing_from(listed):
        since = monotonic_timestamp(observed_at, watermark) - guards.WINDOW
        recent_changes = recent.changes_since(connection, response.mode, since)
    if len(listed.keys() & classified.records.keys()) >= settings.cost_count:
        costs = recent.listed_costs(connection, response.mode)
    evidence = make_evidence(classified, listed.keys(), recent=recent_changes, costs=costs)
    return _CheckedMode(classified, evidence, guards.tripped(evidence, settings), listed)


def _plan(
    connection: Connection,
    checked: _CheckedMode,
    accepted: frozenset[guards.Flag],
    watermark: ModeWatermark,
    observed_at: datetime,
    *,
    rejected_before: Sequence[OpenRejection],
    ignored: IgnoredFields,
) -> ModePlan:
    ruling = guards.rule(checked.evidence, checked.holds, accepted)
    needed = needed_ids(checked.classified, ruling, checked.listed)
    stored = read.stored_models(connection, checked.classified.response.mode, needed)
    plan = make_plan(
        *(checked.classified, ruling, stored, watermark),
        observed_at=observed_at,
        rejected_before=rejected_before,
        ignored=ignored,
    )
    return _with_noise_noted(connection, plan)


def _with_noise_noted(connection: Connection, plan: ModePlan) -> ModePlan:
    """The plan with a note on fields that change in most models run after run."""
    fields = mostly_changed(plan, plan.models_listed)
    if not fields:
        return plan
    before = changes_in_last_runs(connection, plan.mode, EARLIER_RUNS, {entity for entity, _ in fields})
    note = noisy_note(plan.mode, noisy_fields(fields, before))
    return plan if note is None else replace(plan, notes=(*plan.notes, note))
