"""What the database holds of a model, as far as a plan depends on it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Listed(Struct, frozen=True):
    """A model that is listed, as far as an unchanged one needs to be known."""

    model_pk: int
    fingerprint: str


class Stored(Struct, frozen=True):
    """A model that was seen before, with what a change of it needs to know."""

    model_pk: int
    is_listed: bool
    fingerprint: str | None
    name: str | None
    provider: str | None
    raw: str | None
    """The open version's text; None when not listed."""
    since: datetime | None
    """When the open version began; None when not listed."""
    cost: str | None
    """The cost now, or the last one before it was removed."""
