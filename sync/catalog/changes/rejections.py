"""The models of a response that were rejected, compared with those that were rejected before.

A rejected model keeps what is stored of it. Its text is kept as an interval: from the response that had it
first to the response that has it no longer.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from sync.catalog.changes.classify import ClassifiedResponse
from sync.catalog.model.records import Rejected

_Key: TypeAlias = tuple[str | None, str, str]
"""The id, the hash of the text, and the reason: as long as these are the same, so is the row."""


class OpenRejection(Struct, frozen=True):
    """A model that the last response had and that was rejected: an open row of ``rejected_models``."""

    model_id: str | None
    raw_sha256: str
    reason: str
    since: datetime
    """``valid_from`` of the row (UTC)."""
    not_before: datetime | None
    """When the last successful sync in which the model was accepted or missing began; None without one."""


class NewRejection(Struct, frozen=True):
    """A row of ``rejected_models`` that the run opens."""

    model: Rejected
    not_before: datetime | None


class RejectionChanges(Struct, frozen=True):
    """What a run does to the rows of ``rejected_models`` of one mode, and what it reports."""

    opened: tuple[NewRejection, ...] = ()
    closed: tuple[OpenRejection, ...] = ()
    reported: tuple[Rejected, ...] = ()
    """Models that were not rejected for this reason before. Those with an unreadable id are known by their text."""
    standing: tuple[Rejected, ...] = ()
    """All others: the run that rejected them first has reported them."""


def compare_rejections(
    classified: ClassifiedResponse,
    before: Sequence[OpenRejection],
    not_before: datetime | None,
    *,
    removes_missing: bool,
) -> RejectionChanges:
    """The changes from the open rows to the response.

    ``not_before`` is that of the mode. Without ``removes_missing`` it is unknown whether a model is missing,
    or a person has to confirm it. The row of such a model stays open, since the event of its removal, or of
    its return, needs its ``not_before``.
    """
    if not classified.rejected and not before:
        return RejectionChanges()
    rejected = {_key(model): model for model in classified.rejected}
    rejected_ids = {model.model_id for model in classified.rejected}
    open_keys, known = {_key(row) for row in before}, {_subject(row) for row in before}
    starts = event_starts(before)
    return RejectionChanges(
        opened=tuple(
            # Sent in another way or rejected for another reason: it is as unknown as before what it was.
            NewRejection(model, starts.get(model.model_id, not_before) if model.model_id else not_before)
            for key, model in rejected.items()
            if key not in open_keys
        ),
        # Its model was accepted, is missing, or was sent in another way.
        closed=tuple(
            row
            for row in before
            if _key(row) not in rejected and (removes_missing or _is_sent(row.model_id, classified, rejected_ids))
        ),
        reported=tuple(model for model in rejected.values() if _subject(model) not in known),
        standing=tuple(model for model in rejected.values() if _subject(model) in known),
    )


def event_starts(rows: Iterable[OpenRejection]) -> dict[str, datetime | None]:
    """By id, the ``not_before`` of the next event of each model that was rejected.

    Of several copies of a model the earliest time counts. None, which means that nothing is known, is
    earlier than any time.
    """
    starts: dict[str, datetime | None] = {}
    for row in rows:
        if row.model_id is not None:
            times = (row.not_before, starts.get(row.model_id, row.not_before))
            starts[row.model_id] = min(filter(None, times)) if all(times) else None
    return starts


def _is_sent(model_id: str | None, classified: ClassifiedResponse, rejected_ids: Container[str | None]) -> bool:
    # Of a row without an id only the text says which model it is about, so it ends with the text.
    if model_id is None or model_id in rejected_ids:
        return True
    return model_id in classified.unchanged or model_id in classified.records


def _key(row: Rejected | OpenRejection) -> _Key:
    return row.model_id, row.raw_sha256, row.reason


def _subject(row: Rejected | OpenRejection) -> tuple[str | None, str]:
    """What is reported once: a model and a reason. The text, where the id is unreadable."""
    return (row.model_id, row.reason) if row.model_id else (None, f"{row.raw_sha256} {row.reason}")
