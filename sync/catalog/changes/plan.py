"""Decides what a run writes for one mode. Everything is decided here; the store only carries it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from sync.catalog.changes.classify import ClassifiedResponse
from sync.catalog.changes.diff import Event, events_between, row_changes
from sync.catalog.changes.mode_plan import Changes, ModelChange, ModePlan, ModeStatus
from sync.catalog.changes.stored import Listed, Stored
from sync.catalog.guards import RemovalCheck
from sync.catalog.model.costs import CostChange
from sync.catalog.model.normalise import is_current, record_of_stored
from sync.catalog.model.records import Record
from sync.errors import DatabaseError

_TICK = timedelta(microseconds=1)


class ModeWatermark(Struct, frozen=True):
    """What earlier runs left for this mode; None where there was none."""

    stamp: datetime | None = None
    """The mode's last stamp: no later row may have an earlier one."""
    good_asked_at: datetime | None = None
    """When the last successful run began asking."""
    good_stamp: datetime | None = None


def needed_ids(classified: ClassifiedResponse, removals: RemovalCheck, listed: Mapping[str, Listed]) -> list[str]:
    """The models whose stored state the plan has to know, in order."""
    outdated = (model_id for model_id, known in listed.items() if not is_current(known.fingerprint))
    return sorted({*classified.records, *removals.missing, *outdated})


def monotonic_timestamp(observed_at: datetime, last: ModeWatermark) -> datetime:
    """The time a mode's rows carry: when it was observed, but always after the last stamp."""
    return observed_at if last.stamp is None else max(observed_at, last.stamp + _TICK)


def make_plan(
    classified: ClassifiedResponse,
    removals: RemovalCheck,
    stored: Mapping[str, Stored],
    last: ModeWatermark,
    *,
    observed_at: datetime,
    accept_removals: bool,
) -> ModePlan:
    """The plan for one mode.

    ``stored`` holds the models that ``needed_ids`` names, as far as they were ever seen. Raises
    ``DatabaseError`` when a stored version cannot be read any more.
    """
    held = removals.exceeds_limit and not accept_removals
    removed = () if held else removals.missing
    stamp = monotonic_timestamp(observed_at, last)
    changes = (
        *_changes_of_seen(classified, stored),
        *(_removed(model_id, stored[model_id], last) for model_id in removed),
        *_rebuilt(stored, {*classified.records, *removed}, classified.response.mode),
    )
    return ModePlan(
        mode=classified.response.mode,
        status=_status(classified, held=held),
        stamp=stamp,
        not_before=None if last.good_asked_at is None else min(last.good_asked_at, stamp),
        changes=Changes(changes, lambda model_id: _came(classified.records[model_id], None)),
        rejected=classified.rejected,
        removals_held=len(removals.missing) if held else 0,
        response=classified.response,
        notes=tuple(_notes(classified, removals, last, observed_at)),
    )


def _changes_of_seen(classified: ClassifiedResponse, stored: Mapping[str, Stored]) -> Iterator[ModelChange | str]:
    """Of a model never seen before the id only: the first answer has nothing else, and may be long."""
    for model_id in sorted(classified.records):
        known = stored.get(model_id)
        if known is None:
            yield model_id
        elif not known.is_listed:
            yield _came(classified.records[model_id], known)
        else:
            change = _changed(classified.records[model_id], known, classified.response.mode)
            if change is not None:
                yield change


def _came(record: Record, known: Stored | None) -> ModelChange:
    kind: Literal["added", "relisted"] = "added" if known is None else "relisted"
    cost = CostChange(None if known is None else known.cost, record.cost)
    return ModelChange(
        lifecycle=kind,
        model_id=record.model_id,
        model_pk=None if known is None else known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        events=(Event("models", None, kind, cost=cost),),
        cost_changed=True,
    )


def _changed(record: Record, known: Stored, mode: str) -> ModelChange | None:
    """The change of a listed model; None when its text differs and its meaning does not."""
    old = _stored_record(record.model_id, known, mode)
    if old.tree == record.tree:
        return None if is_current(known.fingerprint) else _rebuild(old, known)
    return ModelChange(
        lifecycle="changed",
        model_id=record.model_id,
        model_pk=known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        events=tuple(events_between(old.tree, record.tree)),
        rows=row_changes(old, record),
        replaces_rows=not is_current(known.fingerprint),
        cost_changed=old.cost != record.cost,
    )


def _removed(model_id: str, known: Stored, last: ModeWatermark) -> ModelChange:
    return ModelChange(
        lifecycle="removed",
        model_id=model_id,
        model_pk=known.model_pk,
        name=known.name,
        provider=known.provider,
        record=None,
        events=(Event("models", None, "removed", cost=CostChange(known.cost, None)),),
        cost_changed=True,
        last_seen_at=max(filter(None, (known.since, last.good_stamp)), default=None),
    )


def _rebuilt(stored: Mapping[str, Stored], settled: set[str], mode: str) -> Iterator[ModelChange]:
    """Models that were not seen but whose rows an older version of the normaliser made."""
    for model_id, known in sorted(stored.items()):
        if model_id not in settled and known.is_listed and not is_current(known.fingerprint):
            yield _rebuild(_stored_record(model_id, known, mode), known)


def _rebuild(record: Record, known: Stored) -> ModelChange:
    return ModelChange(
        lifecycle="rebuilt",
        model_id=record.model_id,
        model_pk=known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        replaces_rows=True,
    )


def _stored_record(model_id: str, known: Stored, mode: str) -> Record:
    record = None if known.raw is None else record_of_stored(known.raw, mode)
    if record is None:
        raise DatabaseError(f"the stored version of {mode} model {model_id!r} cannot be read; restore it from a backup")
    return record


def _status(classified: ClassifiedResponse, *, held: bool) -> ModeStatus:
    if classified.rejected:
        return "partial"
    return "held" if held else "success"


def _notes(
    classified: ClassifiedResponse, removals: RemovalCheck, last: ModeWatermark, observed_at: datetime
) -> Iterator[str]:
    mode = classified.response.mode
    if last.stamp is None and not classified.response.reported:
        yield f"the first answer for {mode} was empty"
    if last.stamp is not None and observed_at <= last.stamp:
        yield f"the clock stands {(last.stamp - observed_at).total_seconds():.6f} s behind the last stamp of {mode}"
    cleaned = classified.records.cleaned
    if cleaned:
        yield f"NUL or lone surrogates were left out of the texts of {cleaned} {mode} models; their raw text has them"
    if removals.unsure:
        yield f"{removals.unsure} {mode} models were missing and kept: an id in the answer could not be read"
