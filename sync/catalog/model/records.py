"""What one model of a response becomes: a record with its rows, or a rejection."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

from sync.catalog.json.tree import Tree

RawModel: TypeAlias = "bytes | msgspec.Raw"
"""A model's JSON text exactly as it was sent; usually a view of the response's bytes, not a copy."""

Row: TypeAlias = tuple[object, ...]
"""The values of one row, in the order of its table's key columns and value columns, without ``model_pk``."""


class Unread(Struct, frozen=True, order=True):
    """A part of a model, and why it gave no rows or not all of them."""

    part: str
    problem: str
    """The rest of a sentence that begins with the part."""


class Record(Struct, frozen=True):
    """An accepted model: its text, the canonical tree of that text, and the rows that follow from it."""

    model_id: str
    tree: dict[str, Tree]
    raw: str
    """The text as it was sent."""
    fingerprint: str
    cost: str | None
    """Exact decimal text; None when the API gives no cost."""
    rows: dict[str, tuple[Row, ...]]
    """By table, for every table of ``sync.catalog.model.entities``."""
    is_cleaned: bool = False
    """Whether columns lack NULs or lone surrogates that ``raw`` has as escapes."""
    unread: tuple[Unread, ...] = ()
    """The parts that gave no rows, or not all of theirs, because of their shape or a name."""

    def text(self, name: str) -> str | None:
        """``name``, ``provider`` or ``description`` as the models table holds it."""
        columns = {"name": 0, "provider": 1, "description": 2}
        value = self.rows["models"][0][columns[name]]
        return None if value is None else str(value)


class Rejected(Struct, frozen=True):
    """A model that was rejected. What is stored of it stays unchanged."""

    model_id: str | None
    """None when the id could not be read. Any listed model may then be the rejected one."""
    reason: str
    """A clause for people, without what was sent: it stays the same although that may differ in every response."""
    explanation: str
    """The reason for a line that people read, with what was sent as far as it helps."""
    raw: RawModel
    """The text as it was sent."""
    raw_sha256: str
    """SHA-256 of the text, in hex."""
