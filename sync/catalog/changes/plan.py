"""Decides what a run writes for one mode. Everything is decided here; the store only carries it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from sync.catalog.changes.classify import ClassifiedResponse, all_unchanged
from sync.catalog.changes.diff import Event, events_between, row_changes
from sync.catalog.changes.mode_plan import Changes, ModelChange, ModePlan, ModeStatus
from sync.catalog.changes.stored import Listed, Stored
from sync.catalog.model.costs import CostChange
from sync.catalog.model.normalise import is_current, record_of_stored
from sync.catalog.model.records import Record
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import DatabaseError

_TICK = timedelta(microseconds=1)


class RemovalGuard(Struct, frozen=True):
    """How many models may vanish in one answer before a person has to agree."""

    percent: float = 20
    count: int = 3
    accepted: int | Literal["all"] | None = None
    """The number of removals that a person agreed to, in all modes of the run together."""

    def exceeds_limit(self, listed: int, missing: int, received: int) -> bool:
        """Whether so many missing models look like a broken answer rather than a changed catalog."""
        if missing and not received:
            return True
        return missing >= self.count and missing * 100 > self.percent * listed

    def accepts(self, total: int) -> bool:
        return self.accepted in ("all", total)


class ModeWatermark(Struct, frozen=True):
    """What earlier runs left for this mode; None where there was none."""

    stamp: datetime | None = None
    """The mode's last stamp: no later row may have an earlier one."""
    good_asked_at: datetime | None = None
    """When the last successful run began asking."""
    good_stamp: datetime | None = None


class RemovalCheck(Struct, frozen=True):
    """A mode's answer with what is missing from it, before anybody has agreed to anything."""

    classified: ClassifiedResponse
    missing: tuple[str, ...]
    """What may be removed: nothing, when an id in the answer could not be read."""
    unsure: int
    """How many are missing from an answer that cannot be trusted about it."""
    exceeds_limit: bool


def check_removals(classified: ClassifiedResponse, listed: Mapping[str, Listed], guard: RemovalGuard) -> RemovalCheck:
    missing = tuple(classified.missing_from(listed))
    if classified.has_unreadable:
        return RemovalCheck(classified, (), len(missing), exceeds_limit=False)
    exceeds_limit = guard.exceeds_limit(len(listed), len(missing), classified.answer.reported)
    return RemovalCheck(classified, missing, 0, exceeds_limit)


def no_removals(answer: ParsedResponse) -> RemovalCheck:
    """What is to be said of the very answer that was applied last: nothing is new, nothing is missing."""
    return RemovalCheck(all_unchanged(answer), (), 0, exceeds_limit=False)


def accepted_removals(assessments: Sequence[RemovalCheck], guard: RemovalGuard) -> bool:
    """Whether what a person agreed to is exactly what all modes of the run would hold together."""
    return guard.accepts(sum(len(found.missing) for found in assessments if found.exceeds_limit))


def needed_ids(assessment: RemovalCheck, listed: Mapping[str, Listed]) -> list[str]:
    """The models whose stored state the plan has to know, in order."""
    outdated = (model_id for model_id, known in listed.items() if not is_current(known.fingerprint))
    return sorted({*assessment.classified.records, *assessment.missing, *outdated})


def monotonic_timestamp(observed_at: datetime, last: ModeWatermark) -> datetime:
    """The time a mode's rows carry: when it was observed, but always after the last stamp."""
    return observed_at if last.stamp is None else max(observed_at, last.stamp + _TICK)


def make_plan(
    assessment: RemovalCheck,
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
    classified = assessment.classified
    held = assessment.exceeds_limit and not accept_removals
    removed = () if held else assessment.missing
    stamp = monotonic_timestamp(observed_at, last)
    changes = (
        *_changes_of_seen(classified, stored),
        *(_removed(model_id, stored[model_id], last) for model_id in removed),
        *_rebuilt(stored, {*classified.records, *removed}, classified.answer.mode),
    )
    return ModePlan(
        mode=classified.answer.mode,
        status=_status(classified, held=held),
        stamp=stamp,
        not_before=None if last.good_asked_at is None else min(last.good_asked_at, stamp),
        changes=Changes(changes, lambda model_id: _came(classified.records[model_id], None)),
        rejected=classified.rejected,
        removals_held=len(assessment.missing) if held else 0,
        answer=classified.answer,
        notes=tuple(_notes(assessment, last, observed_at, is_first=last.stamp is None)),
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
            change = _changed(classified.records[model_id], known, classified.answer.mode)
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


def _notes(assessment: RemovalCheck, last: ModeWatermark, observed_at: datetime, *, is_first: bool) -> Iterator[str]:
    mode = assessment.classified.answer.mode
    if is_first and not assessment.classified.answer.reported:
        yield f"the first answer for {mode} was empty"
    if last.stamp is not None and observed_at <= last.stamp:
        yield f"the clock stands {(last.stamp - observed_at).total_seconds():.6f} s behind the last stamp of {mode}"
    cleaned = assessment.classified.records.cleaned
    if cleaned:
        yield f"NUL or lone surrogates were left out of the texts of {cleaned} {mode} models; their raw text has them"
    if assessment.unsure:
        yield f"{assessment.unsure} {mode} models were missing and kept: an id in the answer could not be read"
