"""The catalog at a past time, from the texts that the API sent then.

The tables of the current catalog have no past, so names, costs and notes are read from the version's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync.catalog.json.decoder import decode_object
from sync.catalog.model.parts import ModelParts
from sync.catalog.model.row_builders import cost_notes, exact_cost, model_text


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model as it is or was listed. ``credit_cost`` is the exact decimal, times are in UTC."""

    mode: str
    model_id: str
    model_name: str | None
    provider: str | None
    credit_cost: str | None
    credit_notes: str | None
    credit_cost_since: datetime
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class PastVersion:
    """The version of a model at a past time. Times are in UTC."""

    mode: str
    model_id: str
    raw: str
    credit_cost_since: datetime
    first_seen_at: datetime


def catalog_entry(version: PastVersion) -> CatalogEntry:
    """The catalog's entry at the time of the version, with the names and notes of that time.

    Raises ``MalformedError`` when the text is not an accepted model.
    """
    tree = decode_object(version.raw)
    parts = ModelParts(tree)
    return CatalogEntry(
        mode=version.mode,
        model_id=version.model_id,
        model_name=model_text(tree, "name"),
        provider=model_text(tree, "provider"),
        credit_cost=exact_cost(parts),
        credit_notes=cost_notes(parts),
        credit_cost_since=version.credit_cost_since,
        first_seen_at=version.first_seen_at,
    )
