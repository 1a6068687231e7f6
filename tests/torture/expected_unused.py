"""Decides in plain Python which copies from a cache a sync does not use."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime

from tests.torture.expected_copies import is_older, is_stale
from tests.torture.expected_database import ExpectedDatabase, ExpectedMode, SentResponse


def unused_copies(
    expected: ExpectedDatabase,
    responses: Mapping[str, SentResponse],
    asked_at: datetime,
    age: int | None,
    observed_at: datetime,
) -> set[str]:
    """The modes whose response is not used: all that are stale, and older ones that would change anything."""
    return {
        mode
        for mode, response in responses.items()
        if is_stale(age)
        or (
            is_older(expected.modes[mode].good_asked_at, asked_at, age)
            and _changes_anything(expected, expected.modes[mode], response, observed_at)
        )
    }


def _changes_anything(
    expected: ExpectedDatabase, mode: ExpectedMode, response: SentResponse, observed_at: datetime
) -> bool:
    if mode.trips(response, observed_at).reason:
        return True
    trial, stamp = deepcopy(mode), mode.next_stamp(observed_at)
    changed = trial.store(response, stamp, keeps_missing=False, is_accepted=False, ignores_x=expected.ignores_x(stamp))
    rejection_changed, _ = trial.rejections.apply(
        response.malformed,
        set(response.valid),
        stamp,
        not_before=None,
        missing_is_certain=response.is_readable,
    )
    return changed or rejection_changed
