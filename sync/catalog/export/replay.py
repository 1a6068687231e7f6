"""The plan of a mode from a line of an exported history: what was decided then is carried out, nothing is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import cast

from msgspec import Struct
from msgspec.structs import replace as with_fields

from sync.catalog.changes.ignored import IgnoredFields
from sync.catalog.changes.mode_plan import Changes, ModelChange, ModePlan, ModeStatus
from sync.catalog.changes.model_changes import addition, change_of_listed, removal, stored_record
from sync.catalog.changes.stored import Stored
from sync.catalog.export.lines import ExportedMode, parse_time
from sync.catalog.model.normalise import WrongModeError, record_of_stored
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
    listed_before: int
    """The number of listed models before the run."""


def needed_ids(replay: Replay) -> list[str]:
    """The ids of the models whose stored state ``make_replay_plan`` needs, in order."""
    return sorted({model_id for model_id, _ in replay.mode.opened} | set(replay.mode.closed))


def make_replay_plan(replay: Replay, stored: Mapping[str, Stored], ignored: IgnoredFields) -> ModePlan:
    """The plan that the run had, but for what a response has beside its models.

    A text that means the same as the open one changes nothing. Raises ``ResponseRejected`` for a text that this
    version of the program rejects.
    """
    mode, texts = replay.mode, dict(replay.mode.opened)
    entries = tuple(_changes(replay, texts, stored, ignored))
    changes = Changes(entries, lambda model_id: _added(replay, texts, model_id))
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


def _changes(
    replay: Replay, texts: Mapping[str, str], stored: Mapping[str, Stored], ignored: IgnoredFields
) -> Iterator[ModelChange | str]:
    starts = {one.model_id: optional_time(one.not_before) for one in replay.mode.not_before_of if one.entity is None}
    for change in (*_listed(replay, texts, stored, ignored), *_removed(replay, stored)):
        model_id = change if isinstance(change, str) else change.model_id
        if model_id in starts:
            made = _added(replay, texts, change) if isinstance(change, str) else change
            yield with_fields(made, not_before=starts[model_id])
        else:
            yield change


def _listed(
    replay: Replay, texts: Mapping[str, str], stored: Mapping[str, Stored], ignored: IgnoredFields
) -> Iterator[ModelChange | str]:
    mode, stamp = replay.mode.mode, replay.stamp
    for model_id in sorted(texts):
        known = stored.get(model_id)
        if known is None:
            yield model_id  # see Changes
            continue
        record = _record(model_id, texts[model_id], mode)
        if not known.is_listed:
            yield addition(record, known)
            continue
        old = stored_record(model_id, known, mode)
        change = change_of_listed(record, known, old, ignored, stamp, replay.event_rules)
        if change is not None:
            yield change


def _removed(replay: Replay, stored: Mapping[str, Stored]) -> Iterable[ModelChange]:
    known = ((model_id, stored.get(model_id)) for model_id in sorted(replay.mode.closed))
    return (
        removal(model_id, one, replay.previous_success) for model_id, one in known if one is not None and one.is_listed
    )


def _added(replay: Replay, texts: Mapping[str, str], model_id: str) -> ModelChange:
    return addition(_record(model_id, texts[model_id], replay.mode.mode), None)


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
