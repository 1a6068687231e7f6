"""Plans made from values, without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sync.catalog.changes.classify import classify
from sync.catalog.changes.evidence import RecentChanges, make_evidence
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.plan import ModeWatermark, make_plan, needed_ids
from sync.catalog.changes.rejections import OpenRejection
from sync.catalog.changes.stored import Listed, Stored
from sync.catalog.guards import Accepted, GuardSettings, accepted_flags, rule, tripped
from sync.catalog.response.parsed import ParsedResponse
from tests.support.made_responses import model, parsed_response

HOUR = timedelta(hours=1)
SEEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
BEFORE = ModeWatermark(stamp=SEEN - HOUR, good_asked_at=SEEN - HOUR - timedelta(seconds=2), good_stamp=SEEN - HOUR)
NEVER = ModeWatermark()
FIVE = [model(name) for name in "abcde"]


def plan(
    sent: Sequence[object],
    known: dict[str, Stored] | None = None,
    last: ModeWatermark = BEFORE,
    *,
    accept: bool = False,
    observed_at: datetime = SEEN,
    rejected_before: Sequence[OpenRejection] = (),
) -> ModePlan:
    known = known or {}
    on_list = {id_: Listed(one.model_pk, str(one.fingerprint)) for id_, one in known.items() if one.is_listed}
    return plan_of(
        *(parsed_response(sent), on_list, known, last),
        accept=accept,
        observed_at=observed_at,
        rejected_before=rejected_before,
    )


def plan_of(
    response: ParsedResponse,
    on_list: Mapping[str, Listed],
    known: Mapping[str, Stored],
    last: ModeWatermark,
    *,
    accept: bool = False,
    observed_at: datetime = SEEN,
    rejected_before: Sequence[OpenRejection] = (),
) -> ModePlan:
    """The plan that a run makes of a parsed response, with ``known`` as what is stored."""
    classified = classify(response, on_list)
    accepted: Accepted = "all" if accept else None
    settings = GuardSettings(accept_removals=accepted, accept_costs=accepted)
    costs = {id_: known[id_].cost for id_ in on_list if id_ in known}
    evidence = make_evidence(classified, on_list.keys(), recent=RecentChanges(), costs=costs)
    holds = tripped(evidence, settings)
    ruling = rule(evidence, holds, accepted_flags(holds, settings))
    needed = {id_: known[id_] for id_ in needed_ids(classified, ruling, on_list) if id_ in known}
    return make_plan(classified, ruling, needed, last, observed_at=observed_at, rejected_before=rejected_before)


def kinds(made: ModePlan) -> list[tuple[str, str]]:
    return [(change.model_id, change.lifecycle) for change in made.changes]
