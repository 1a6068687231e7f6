"""What the database holds of a model, as far as a plan depends on it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Listed(Struct, frozen=True):
    """A listed model, as far as an unchanged response needs it."""

    model_pk: int
    fingerprint: str


class Stored(Struct, frozen=True):
    """A model that was seen before, listed or removed, as far as a change of it needs it."""

    model_pk: int
    is_listed: bool
    fingerprint: str | None
    name: str | None
    provider: str | None
    raw: str | None
    """The text of the open version; None when the model is not listed."""
    since: datetime | None
    """``valid_from`` of the open version (UTC); None when the model is not listed."""
    cost: str | None
    """The exact cost now, or the last one before the removal; None when there is no cost."""
