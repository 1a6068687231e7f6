"""The catalog as it was, read from what the API sent then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync.catalog.json.decoder import decode_object
from sync.catalog.model.row_builders import cost_notes, exact_cost, model_text


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model as it is or was listed; the cost is the exact decimal, times are in UTC."""

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
    """What the API said of a model at a moment."""

    mode: str
    model_id: str
    raw: str
    credit_cost_since: datetime
    first_seen_at: datetime


def catalog_entry(version: PastVersion) -> CatalogEntry:
    """The entry that the catalog had then, names and notes as they were then."""
    tree = decode_object(version.raw)
    return CatalogEntry(
        mode=version.mode,
        model_id=version.model_id,
        model_name=model_text(tree, "name"),
        provider=model_text(tree, "provider"),
        credit_cost=exact_cost(tree),
        credit_notes=cost_notes(tree),
        credit_cost_since=version.credit_cost_since,
        first_seen_at=version.first_seen_at,
    )
