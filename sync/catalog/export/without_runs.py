"""Leaves runs out of an exported history, so that the history without them is as consistent as the whole one.

What a run that is left out did to a model is settled by the next run of the mode that saw the model: its line
then holds the model as it was listed after that run. Two changes that cancel each other leave nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from sync.catalog.export.lines import (
    ClosedRejection,
    Columns,
    ExportedMode,
    ExportedRun,
    NotBefore,
    earlier,
    text_or_none,
    with_columns,
)

_RejectionKey = tuple[str, str]


class _Good(Struct, frozen=True):
    """A good run: its stamp, and when it began its request; both None before the first."""

    stamp: str | None = None
    seen_from: str | None = None


class _Unsettled(Struct, frozen=True):
    """A model that a run left out changed: what came of it, and when it may have become so at the earliest."""

    raw: str | None
    """None if it is no longer listed."""
    not_before: str | None


class _ModeTrack(Struct):
    """What was left out of a mode so far and is not settled yet."""

    unsettled: dict[str, _Unsettled] = field(default_factory=dict)
    last_good: _Good = _Good()
    """The last good run that was kept."""
    instead: _Good | None = None
    """After a good run was left out and until the next good one: the good run before it."""
    last_stamp: str | None = None
    """That of the last applied run that was kept."""
    is_affected: bool = False
    rejected: dict[_RejectionKey, Columns] = field(default_factory=dict)
    """The rejected models after the last line that was read."""
    written: dict[_RejectionKey, str] = field(default_factory=dict)
    """Those that the kept lines hold as rejected, and since when."""


class RunsLeftOut:
    """The lines of a history in their order, without some runs."""

    def __init__(self, left_out: Iterable[int] = ()) -> None:
        self._left_out = frozenset(left_out)
        self._tracks: dict[str, _ModeTrack] = {}
        self._first_stamp: str | None = None

    def kept(self, run: ExportedRun) -> ExportedRun | None:
        """The line of a run as it is without the runs left out before it; None if it is left out itself."""
        if not self._left_out:
            return run
        applied = {mode.mode for mode in run.applied()}
        if run.run_id in self._left_out:
            for mode in run.applied():
                _leave_out(self._track(mode.mode), mode)
            return None
        modes = tuple(_keep(self._track(mode.mode), mode, is_applied=mode.mode in applied) for mode in run.modes)
        for mode in run.applied():
            self._first_stamp = min(filter(None, (self._first_stamp, mode.stamp)))
        return replace(run, modes=modes)

    def state(self, mode: str, state: Columns) -> Columns | None:
        """What is left of a row of ``sync_state``; None if no run of the mode was kept."""
        track = self._tracks.get(mode)
        if track is None or not track.is_affected:
            return state
        if track.last_stamp is None:
            return None
        kept = {"observed_at": track.last_stamp} | {
            name: value for name, value in state.items() if name.startswith("good_")
        }
        if track.instead is None:
            return kept
        return with_columns(kept, good_observed_at=track.instead.stamp, good_asked_at=track.instead.seen_from)

    def first_day(self, day: str | None) -> str | None:
        """The first day of the calendar: the runs left out may be all that the first days had."""
        if not self._left_out:
            return day
        return self._first_stamp and self._first_stamp.partition("T")[0]

    def _track(self, mode: str) -> _ModeTrack:
        return self._tracks.setdefault(mode, _ModeTrack())


def _leave_out(track: _ModeTrack, mode: ExportedMode) -> None:
    track.is_affected = True
    bounds = {one.model_id: one.not_before for one in mode.not_before_of}
    before = track.instead.seen_from if track.instead else mode.not_before
    for model_id, raw in (*mode.opened, *((model_id, None) for model_id in mode.closed)):
        known = track.unsettled.get(model_id)
        not_before = known.not_before if known else earlier(before, bounds.get(model_id, before))
        track.unsettled[model_id] = _Unsettled(raw, not_before)
    _follow_rejected(track, mode)
    if mode.is_good and track.instead is None:
        track.instead = _good_before(track, mode)


def _good_before(track: _ModeTrack, mode: ExportedMode) -> _Good:
    """The good run before one that is left out. Its own row may have been pruned, so the changes are read first."""
    if mode.opened or mode.closed:
        return _Good(text_or_none(mode.row.get("previous_success_at")), mode.not_before)
    return track.last_good


def _keep(track: _ModeTrack, mode: ExportedMode, *, is_applied: bool) -> ExportedMode:
    kept = mode
    if track.instead is not None:
        kept = replace(kept, row=with_columns(kept.row, previous_success_at=track.instead.stamp))
    if not is_applied:
        return replace(kept, is_recounted=bool(track.unsettled))
    changed = _rejections(track, mode)
    if track.is_affected:
        kept = _settled(track, replace(kept, rejected=changed[0], no_longer_rejected=changed[1]))
    if mode.is_good:
        track.last_good, track.instead = _Good(mode.stamp, mode.seen_from), None
    track.last_stamp = mode.stamp
    return kept


def _settled(track: _ModeTrack, mode: ExportedMode) -> ExportedMode:
    """The line with the models of runs left out that this run saw, and with honest bounds of its changes."""
    recounted = bool(track.unsettled)
    bounds = {one.model_id: one for one in mode.not_before_of if one.entity is None}
    of_changes = [one for one in mode.not_before_of if one.entity is not None]
    own = [*(model_id for model_id, _ in mode.opened), *mode.closed]
    before = mode.not_before if own else None
    earliest = {one: track.unsettled.pop(one).not_before for one in own if one in track.unsettled}
    settled = {} if mode.is_held_as_a_whole else _take_seen(track, mode)
    earliest |= {model_id: one.not_before for model_id, one in settled.items()}
    if track.instead is not None:
        before = track.instead.seen_from
    elif not own and settled:
        before = next(iter(settled.values())).not_before
    for model_id, one in bounds.items():
        earliest[model_id] = earlier(one.not_before, earliest.get(model_id, one.not_before))
    return replace(
        mode,
        not_before=before,
        opened=tuple(sorted([*mode.opened, *((one, raw.raw) for one, raw in settled.items() if raw.raw is not None)])),
        closed=tuple(sorted([*mode.closed, *(one for one, raw in settled.items() if raw.raw is None)])),
        not_before_of=(
            *(NotBefore(one, bound) for one, bound in sorted(earliest.items()) if earlier(bound, before) != before),
            *(one for one in of_changes if earlier(one.not_before, before) != before),
        ),
        is_recounted=recounted,
    )


def _take_seen(track: _ModeTrack, mode: ExportedMode) -> dict[str, _Unsettled]:
    """The unsettled models that this run saw. Those held back were missing, rejected ones could not be read."""
    held = set(json.loads(text_or_none(mode.row.get("held_ids")) or "[]"))
    unseen = held | {row.get("model_id") for row in track.rejected.values()}
    return {one: track.unsettled.pop(one) for one in sorted(track.unsettled.keys() - unseen)}


def _follow_rejected(track: _ModeTrack, mode: ExportedMode) -> None:
    for one in mode.no_longer_rejected:
        track.rejected.pop((one.raw_sha256, one.valid_from), None)
    for row in mode.rejected:
        track.rejected[_key(row)] = row


def _rejections(track: _ModeTrack, mode: ExportedMode) -> tuple[tuple[Columns, ...], tuple[ClosedRejection, ...]]:
    """What the line opens and closes of ``rejected_models``, so that it holds after it what held after the run."""
    _follow_rejected(track, mode)
    own = {_key(row) for row in mode.rejected}
    closed = tuple(_closed(track))
    opened = tuple(_opened(track, mode, own))
    return opened, closed


def _closed(track: _ModeTrack) -> Iterator[ClosedRejection]:
    for key in [key for key in track.written if key not in track.rejected]:
        yield ClosedRejection(key[0], track.written.pop(key))


def _opened(track: _ModeTrack, mode: ExportedMode, own: set[_RejectionKey]) -> Iterator[Columns]:
    for key, row in track.rejected.items():
        if key not in track.written and (key in own or not mode.is_held_as_a_whole):
            # Opened by a run that is left out: this run is the first to see it.
            since = key[1] if key in own else str(mode.stamp)
            track.written[key] = since
            yield with_columns(row, valid_from=since)


def _key(row: Columns) -> _RejectionKey:
    return str(row["raw_sha256"]), str(row["valid_from"])
