"""The plan of a mode from a line of an exported history: what was decided then is carried out, nothing is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import cast

from msgspec import Struct

from sync.catalog.changes.ignored import IgnoredFields
from sync.catalog.changes.mode_plan import Changes, ModelChange, ModePlan, ModeStatus
from sync.catalog.changes.model_changes import addition, changes_of_seen, removal, with_starts
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

    def record_of(model_id: str) -> Record:
        return _record(model_id, texts[model_id], mode.mode)

    entries = tuple(_changes(replay, record_of, stored, ignored))
    changes = Changes(entries, lambda model_id: addition(record_of(model_id), None))
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
    replay: Replay, record_of: Callable[[str], Record], stored: Mapping[str, Stored], ignored: IgnoredFields
) -> Iterator[ModelChange | str]:
    mode = replay.mode
    seen = changes_of_seen(
        *((model_id for model_id, _ in mode.opened), record_of, stored, mode.mode),
        ignored=ignored,
        stamp=replay.stamp,
        event_rules=replay.event_rules,
    )
    starts = {one.model_id: optional_time(one.not_before) for one in mode.not_before_of if one.entity is None}
    return with_starts(chain(seen, _removed(replay, stored)), starts, record_of)


def _removed(replay: Replay, stored: Mapping[str, Stored]) -> Iterable[ModelChange]:
    known = ((model_id, stored.get(model_id)) for model_id in sorted(replay.mode.closed))
    return (
        removal(model_id, one, replay.previous_success) for model_id, one in known if one is not None and one.is_listed
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
