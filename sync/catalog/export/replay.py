"""The plan of a mode from a line of an exported history: what was decided then is carried out, nothing is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, cast

from msgspec import Struct

from sync.catalog.changes.diff import Event, events_between, row_changes
from sync.catalog.changes.mode_plan import Changes, ModelChange, ModePlan, ModeStatus
from sync.catalog.changes.stored import Stored
from sync.catalog.export.lines import ExportedMode, parse_time
from sync.catalog.model.costs import CostChange
from sync.catalog.model.normalise import WrongModeError, is_current, record_of_stored
from sync.catalog.model.records import Record
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import ResponseRejected


class Replay(Struct, frozen=True):
    """A line's mode with the times that it has in the database that it is imported into."""

    mode: ExportedMode
    stamp: datetime
    not_before: datetime | None
    previous_success: datetime | None
    event_rules: int
    """The rules by which the run made its events."""
    no_longer_listed: tuple[str, ...]
    """Ids of the models that were listed until this run."""
    listed_before: int
    """The number of listed models before the run."""


def needed_ids(replay: Replay) -> list[str]:
    """The ids of the models whose stored state ``make_replay_plan`` needs, in order."""
    return sorted({model_id for model_id, _ in replay.mode.opened} | set(replay.no_longer_listed))


def make_replay_plan(replay: Replay, stored: Mapping[str, Stored]) -> ModePlan:
    """The plan that the run had, but for what a response has beside its models.

    A text that means the same as the open one changes nothing. Raises ``ResponseRejected`` for a text that this
    version of the program rejects.
    """
    mode = replay.mode
    texts = dict(mode.opened)
    entries = (*_listed(replay, texts, stored), *_removed(replay, stored))
    changes = Changes(entries, lambda model_id: _addition(_record(model_id, texts[model_id], mode.mode), None))
    return ModePlan(
        mode=mode.mode,
        status=cast(ModeStatus, mode.row["status"]),
        stamp=replay.stamp,
        # Capped as in the plan of a run: the clock may have been set back.
        not_before=None if replay.not_before is None else min(replay.not_before, replay.stamp),
        changes=changes,
        rejected=(),
        response=ParsedResponse(mode.mode, 0, (), 0, ""),
        models_listed=replay.listed_before + changes.number_of("added", "relisted") - changes.number_of("removed"),
    )


def _listed(replay: Replay, texts: Mapping[str, str], stored: Mapping[str, Stored]) -> Iterator[ModelChange | str]:
    for model_id in sorted(texts):
        known = stored.get(model_id)
        if known is None:
            yield model_id  # see Changes
            continue
        record = _record(model_id, texts[model_id], replay.mode.mode)
        change = _change(record, known, replay) if known.is_listed else _addition(record, known)
        if change is not None:
            yield change


def _removed(replay: Replay, stored: Mapping[str, Stored]) -> Iterable[ModelChange]:
    known = ((model_id, stored.get(model_id)) for model_id in sorted(replay.no_longer_listed))
    return (_removal(model_id, one, replay) for model_id, one in known if one is not None and one.is_listed)


def _addition(record: Record, known: Stored | None) -> ModelChange:
    lifecycle: Literal["added", "relisted"] = "added" if known is None else "relisted"
    cost = CostChange(None if known is None else known.cost, record.cost)
    return ModelChange(
        lifecycle=lifecycle,
        model_id=record.model_id,
        model_pk=None if known is None else known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        events=(Event("models", None, lifecycle, cost=cost),),
        cost_changed=True,
    )


def _change(record: Record, known: Stored, replay: Replay) -> ModelChange | None:
    old = _record(record.model_id, known.raw or "", replay.mode.mode)
    events = tuple(events_between(old.tree, record.tree, replay.event_rules))
    if not events:
        return None
    return ModelChange(
        lifecycle="changed",
        model_id=record.model_id,
        model_pk=known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        events=events,
        rows=row_changes(old, record),
        replaces_rows=not is_current(known.fingerprint),
        cost_changed=old.cost != record.cost,
    )


def _removal(model_id: str, known: Stored, replay: Replay) -> ModelChange:
    return ModelChange(
        lifecycle="removed",
        model_id=model_id,
        model_pk=known.model_pk,
        name=known.name,
        provider=known.provider,
        record=None,
        events=(Event("models", None, "removed", cost=CostChange(known.cost, None)),),
        cost_changed=True,
        last_seen_at=max(filter(None, (known.since, replay.previous_success)), default=None),
    )


def _record(model_id: str, raw: str, mode: str) -> Record:
    try:
        record = record_of_stored(raw, mode)
    except WrongModeError:
        record = None
    if record is None or record.model_id != model_id:
        raise ResponseRejected(
            f"the text of model {model_id!r} in mode {mode} cannot be read: this version of catalog-sync rejects it;"
            " import with the version that exported it, or a later one"
        )
    return record


def optional_time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)
