"""What one model of a response becomes: a record with its rows, or a rejection."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

from sync.catalog.json.tree import Tree

RawModel: TypeAlias = "bytes | msgspec.Raw"
"""A model's JSON exactly as it was sent; as a rule a view of the answer it came in, not a copy."""

Row: TypeAlias = tuple[object, ...]
"""The values of one row in the order of its table's key and value columns, without ``model_pk``."""


class Record(Struct, frozen=True):
    """A model that was taken: what it says in canonical form, and the rows it spreads over."""

    model_id: str
    tree: dict[str, Tree]
    raw: str
    fingerprint: str
    cost: str | None
    """Exact decimal text; None when the API gives no cost."""
    rows: dict[str, tuple[Row, ...]]
    """The rows by table, as ``sync.catalog.model.entities`` makes them."""
    is_cleaned: bool = False
    """Whether a text has NUL or a lone surrogate, which columns cannot keep; the raw text does."""

    def text(self, name: str) -> str | None:
        """A top-level text as it stands in the models table."""
        columns = {"name": 0, "provider": 1, "description": 2}
        value = self.rows["models"][0][columns[name]]
        return None if value is None else str(value)


class Rejected(Struct, frozen=True):
    """A model that could not be taken; what is stored of it stays as it is."""

    model_id: str | None
    """None when not even the id could be read: then nobody can say which model is missing."""
    reason: str
