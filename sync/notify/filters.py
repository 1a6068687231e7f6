"""Which events a destination wants. Pure."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase

from sync.catalog.news import Event
from sync.notify.destinations import CHANGE_KINDS, Destination

_MOVES = ("increase", "decrease")


def wants(destination: Destination, event: Event) -> bool:
    """Whether the event is one for the destination.

    Filters for providers and models decide on what has a provider and a model. ``min_pct`` and ``min_delta``, if
    both are given both of them, decide on increases and decreases.
    """
    return (
        event.kind in destination.kinds
        and (destination.mode is None or event.mode in (None, destination.mode))
        and _fits_model(destination, event)
        and (event.kind not in _MOVES or _is_large(destination, event))
        and (event.kind != "recovered" or event.reason is not None or _is_long(destination, event))
    )


def _fits_model(destination: Destination, event: Event) -> bool:
    if destination.providers is not None and event.kind in CHANGE_KINDS and event.provider not in destination.providers:
        return False
    patterns, model_id = destination.models, event.model_id
    return patterns is None or model_id is None or any(fnmatchcase(model_id, pattern) for pattern in patterns)


def _is_large(destination: Destination, event: Event) -> bool:
    # From a cost of 0 there is no percentage; such a change is larger than any.
    return _reaches(event.percent, destination.min_pct) and _reaches(event.delta, destination.min_delta)


def _reaches(value: Decimal | None, limit: float | None) -> bool:
    return value is None or limit is None or abs(value) >= Decimal(str(limit))


def _is_long(destination: Destination, event: Event) -> bool:
    return event.gap is not None and event.gap >= destination.stale_after
