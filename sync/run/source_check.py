"""Whether a sync fetches from where the last one did, and what a person accepted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import get_args

from msgspec import Struct

from sync.catalog.base_urls import is_same_source
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.guards import Flag
from sync.errors import UsageError
from sync.store.read import ModeState


class Acceptance(Struct, frozen=True):
    """What a person accepts for one run, who it is and why."""

    base_url: bool = False
    """Whether a base URL that differs from the last one is right."""
    by: str | None = None
    why: str | None = None


def replaced_base_urls(base_url: str | None, states: Mapping[str, ModeState]) -> dict[str, str]:
    """By mode, the base URL of the last applied sync, where it is another one; a mode without one is left out."""
    return {
        mode: state.base_url
        for mode, state in states.items()
        if base_url is not None and state.base_url is not None and not is_same_source(base_url, state.base_url)
    }


def require_same_source(base_url: str | None, states: Mapping[str, ModeState], acceptance: Acceptance) -> None:
    """Raises ``UsageError`` for another base URL than that of the last applied sync, unless a person accepts it.

    Two catalogs in one history cannot be separated again.
    """
    replaced = replaced_base_urls(base_url, states)
    if not replaced or acceptance.base_url:
        return
    modes, last = (" and ".join(dict.fromkeys(each)) for each in (map("mode {}".format, replaced), replaced.values()))
    raise UsageError(
        f"the sync was not started: the base URL is {base_url}, but the last sync of {modes} used {last};"
        " correct CATALOG_SYNC_BASE_URL or CATALOG_SYNC_DATABASE_URL, or if this is the same catalog at a new"
        " address, run catalog-sync sync once with --accept-base-url"
    )


def accepted_text(
    acceptance: Acceptance,
    plans: Iterable[ModePlan],
    base_url: str | None = None,
    replaced: Mapping[str, str] | None = None,
) -> str | None:
    """The JSON text of what was accepted, for the run's row; None if nothing needed it.

    ``replaced`` has the modes with their last base URL, where it is another one. Of removals and costs it is the
    number by mode.
    """
    plans = tuple(plans)
    # A mode that is held as a whole keeps its base URL, so the next run has to accept the new one again.
    moved = {
        plan.mode: replaced[plan.mode] for plan in plans if replaced and plan.mode in replaced and not plan.holds_mode
    }
    accepted: dict[str, object] = {}
    if acceptance.base_url and moved:
        accepted["base_url"] = {"to": base_url, "from": moved}
    for flag in get_args(Flag):
        numbers = {plan.mode: plan.accepted[flag] for plan in plans if flag in plan.accepted}
        if numbers:
            accepted[flag] = numbers
    if not accepted:
        return None
    return json.dumps({**accepted, "by": acceptance.by, "why": acceptance.why}, ensure_ascii=False)
