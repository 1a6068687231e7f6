"""Plans made from values alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sync.catalog.changes.classify import classify
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.plan import ModeWatermark, RemovalGuard, check_removals, make_plan, needed_ids
from sync.catalog.changes.stored import Listed, Stored
from tests.support.made_responses import answer, model

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
) -> ModePlan:
    known = known or {}
    on_list = {id_: Listed(one.model_pk, str(one.fingerprint)) for id_, one in known.items() if one.is_listed}
    assessment = check_removals(classify(answer(sent), on_list), on_list, RemovalGuard())
    needed = {id_: known[id_] for id_ in needed_ids(assessment, on_list) if id_ in known}
    return make_plan(assessment, needed, last, observed_at=observed_at, accept_removals=accept)


def kinds(made: ModePlan) -> list[tuple[str, str]]:
    return [(change.model_id, change.lifecycle) for change in made.changes]
