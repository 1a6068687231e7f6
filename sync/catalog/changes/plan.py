"""Decides what a run writes for one mode, from its response, the ruling of the guards and what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from sync.catalog.changes.classify import ClassifiedResponse
from sync.catalog.changes.ignored import IgnoredFields
from sync.catalog.changes.mode_plan import Changes, ModelChange, ModePlan, ModeStatus
from sync.catalog.changes.model_changes import (
    addition,
    changes_of_seen,
    rebuild,
    removal,
    stored_record,
    with_starts,
)
from sync.catalog.changes.rejections import OpenRejection, RejectionChanges, compare_rejections, event_starts
from sync.catalog.changes.stored import Listed, Stored
from sync.catalog.guards import Ruling
from sync.catalog.model.normalise import is_current
from sync.catalog.model.unread import unread_notes

NOTHING_IGNORED = IgnoredFields()
_MICROSECOND = timedelta(microseconds=1)  # the resolution of every database's time columns


class ModeWatermark(Struct, frozen=True):
    """The times that earlier runs left for a mode (UTC); None where there is none yet."""

    stamp: datetime | None = None
    """The last stamp. No later row may have an earlier one."""
    good_asked_at: datetime | None = None
    """When the last successful sync began its request."""
    good_stamp: datetime | None = None
    """The stamp of the last successful sync."""


def needed_ids(classified: ClassifiedResponse, ruling: Ruling, listed: Mapping[str, Listed]) -> list[str]:
    """The ids of the models whose stored state ``make_plan`` needs, in order."""
    if ruling.holds_mode:
        return []
    # Rows of another normaliser are rebuilt from the stored text, whether or not the model was received.
    outdated = (model_id for model_id, model in listed.items() if not is_current(model.fingerprint))
    return sorted({*classified.records, *ruling.removed, *outdated})


def monotonic_timestamp(observed_at: datetime, watermark: ModeWatermark) -> datetime:
    """The stamp of a mode's rows: ``observed_at``, but always after the last stamp.

    History stays in order although the host's clock may be set back.
    """
    return observed_at if watermark.stamp is None else max(observed_at, watermark.stamp + _MICROSECOND)


def make_plan(
    classified: ClassifiedResponse,
    ruling: Ruling,
    stored: Mapping[str, Stored],
    watermark: ModeWatermark,
    *,
    observed_at: datetime,
    rejected_before: Sequence[OpenRejection] = (),
    ignored: IgnoredFields = NOTHING_IGNORED,
) -> ModePlan:
    """The plan for one mode. Where a guard holds back the whole mode, it changes nothing.

    ``stored`` has the models of ``needed_ids`` that were ever seen, ``rejected_before`` the open rows of
    ``rejected_models``. Raises ``DatabaseError`` when a stored version cannot be read.
    """
    stamp = monotonic_timestamp(observed_at, watermark)
    # Capped: where the clock was set back, the request may seem to have begun after the stamp.
    not_before = None if watermark.good_asked_at is None else min(watermark.good_asked_at, stamp)
    changes = () if ruling.holds_mode else _changes(classified, ruling, stored, watermark, ignored, stamp)
    if rejected_before:
        changes = tuple(with_starts(changes, event_starts(rejected_before), classified.records.__getitem__))
    rejections = RejectionChanges()
    if not ruling.holds_mode:
        is_certain = not (ruling.holds or classified.has_unreadable)
        rejections = compare_rejections(classified, rejected_before, not_before, removes_missing=is_certain)
    plan_changes = Changes(changes, lambda model_id: addition(classified.records[model_id], None))
    return ModePlan(
        mode=classified.response.mode,
        status=_status(classified, ruling),
        stamp=stamp,
        not_before=not_before,
        changes=plan_changes,
        rejected=() if ruling.holds_mode else classified.rejected,
        has_accepted=bool(classified.unchanged or classified.records),
        models_listed=ruling.listed + plan_changes.number_of("added", "relisted") - len(ruling.removed),
        holds=ruling.holds,
        accepted=ruling.accepted,
        response=classified.response,
        notes=tuple(_notes(classified, ruling, watermark, observed_at)),
        rejections=rejections,
    )


def _changes(  # what make_plan was given, and the stamp
    classified: ClassifiedResponse,
    ruling: Ruling,
    stored: Mapping[str, Stored],
    watermark: ModeWatermark,
    ignored: IgnoredFields,
    stamp: datetime,
) -> tuple[ModelChange | str, ...]:
    mode = classified.response.mode
    return (
        *changes_of_seen(
            *(classified.records, classified.records.__getitem__, stored, mode), ignored=ignored, stamp=stamp
        ),
        *(removal(model_id, stored[model_id], watermark.good_stamp) for model_id in ruling.removed),
        *_rebuilds(stored, {*classified.records, *ruling.removed}, mode),
    )


def _rebuilds(stored: Mapping[str, Stored], settled: set[str], mode: str) -> Iterator[ModelChange]:
    """Listed models that have no other change, but whose rows another version of the normaliser made."""
    for model_id, known in sorted(stored.items()):
        if model_id not in settled and known.is_listed and not is_current(known.fingerprint):
            yield rebuild(stored_record(model_id, known, mode), known)


def _status(classified: ClassifiedResponse, ruling: Ruling) -> ModeStatus:
    if ruling.holds_mode:
        return "held"
    # With both, removals_held still says how many removals are held back.
    if classified.rejected:
        return "partial"
    return "held" if ruling.holds else "success"


def _notes(
    classified: ClassifiedResponse, ruling: Ruling, watermark: ModeWatermark, observed_at: datetime
) -> Iterator[str]:
    mode = classified.response.mode
    if watermark.stamp is None and not classified.response.reported:
        yield f"the first response for mode {mode} was empty"
    if watermark.stamp is not None and observed_at <= watermark.stamp:
        seconds = (watermark.stamp - observed_at).total_seconds()
        yield f"the clock is {seconds:.6f} s behind the last stamp of mode {mode}"
    if ruling.holds_mode:
        # Nothing else of the response is stored, so that nothing else is to be known of it.
        if classified.rejected:
            yield f"the response for mode {mode}, which was held back, also has models that would be rejected"
        return
    cleaned = classified.records.cleaned
    if cleaned:
        yield f"NUL or lone surrogates were left out of the columns of {cleaned} {mode} models; their raw text has them"
    yield from unread_notes(classified.records.unread, mode)
    if ruling.unsure:
        yield f"{ruling.unsure} missing {mode} models stay listed: the response has a model with an unreadable id"
