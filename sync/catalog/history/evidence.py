"""The evidence for a model at a moment: which runs observed it so, and what the API sent them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SealedTree:
    """The tree of the seals as a checkpoint says it: the number of seals, and the root in base64, None without any."""

    tree_size: int
    root: str | None


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of a run: its number, and the hash of the run's entry in hex."""

    seal_no: int
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run and its result in one mode. Of a run that was pruned everything but id and seal is None."""

    run_id: int
    is_recorded: bool = False
    """Whether the row of the run is there."""
    trigger_kind: str | None = None
    host: str | None = None
    app_version: str | None = None
    base_url: str | None = None
    """None for an import."""
    key_fingerprint: str | None = None
    source_catalog_id: str | None = None
    """The catalog from which the run was exported; None if it ran here."""
    source_run_id: int | None = None
    accepted: object = None
    """What a person accepted in the run."""
    mode_status: str | None = None
    stamp: datetime | None = None
    """The time of the rows of the run."""
    asked_at: datetime | None = None
    http_status: int | None = None
    response_age: int | None = None
    payload_bytes: int | None = None
    payload_sha256: str | None = None
    seal_no: int | None = None
    leaf_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An interval in which a model was sent, and rejected; ``valid_to`` is None while it is open."""

    valid_from: datetime
    valid_to: datetime | None
    reason: str
    raw_sha256: str
    run_id: int
    """The run that rejected it first."""

    def contains(self, moment: datetime) -> bool:
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


@dataclass(frozen=True, slots=True)
class ObservedInterval:
    """An interval in which something was observed, with the runs that found its begin and its end.

    It may have begun at any time after ``not_before``; None if nothing is known of the time before it. It may
    have ended at any time after ``ended_not_before``. The last three are None while it is open.
    """

    observed_from: datetime
    not_before: datetime | None
    opened_run_id: int
    observed_until: datetime | None
    ended_not_before: datetime | None
    closed_run_id: int | None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What the last applied run of a mode held back at a moment."""

    run_id: int
    at: datetime
    reason: str
    is_named: bool
    """Whether the model is one of those for which it is held back."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for one model at ``as_of``. Times in UTC; None where there is no such run or interval."""

    as_of: datetime
    tree: SealedTree
    """When the evidence was read."""
    is_listed: bool
    state: ObservedInterval
    """In which the model was exactly like this, or in which it was not listed."""
    cost: ObservedInterval | None
    """In which it had its cost; None while it was not listed."""
    raw_sha256: str | None
    """Of the model's text; None while it was not listed."""
    confirmed_at: datetime
    """The time of the last observation at or before the moment."""
    confirmed_run_id: int | None
    """The run that made it; None if that run was pruned."""
    next_at: datetime | None
    """The time of the first observation after the moment."""
    next_run_id: int | None
    held: HeldBack | None
    rejections: Sequence[Rejection]
    """Those at the moment."""
    runs: Sequence[RecordedRun]
    """The runs that are named here, in order."""


def last_accepted(moment: datetime, rejections: Iterable[Rejection]) -> datetime:
    """The last time at or before a moment at which the model was not rejected."""
    for each in sorted(rejections, key=lambda rejection: rejection.valid_from, reverse=True):
        if each.contains(moment):
            moment = each.valid_from - _INSTANT
    return moment


def accepted_times(
    times: Iterable[datetime | None], start: datetime, end: datetime, rejections: Sequence[Rejection]
) -> Iterator[datetime]:
    """The times from ``start`` to ``end``, both included, at which the model was not rejected."""
    for each in times:
        if each is not None and start <= each <= end and not any(one.contains(each) for one in rejections):
            yield each
