"""Leaves runs out of an exported history, so that the history without them is as consistent as the whole one.

What a run that is left out did to a model is settled by the next run of the mode that saw the model: its line
then holds the model as it was listed after that run. Two changes that cancel each other leave nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

from msgspec import Struct, field
from msgspec.structs import replace

from sync.catalog.export.lines import (
    ClosedRejection,
    Columns,
    ExportedMode,
    ExportedRun,
    NotBefore,
    earlier,
    parse_time,
    text_or_none,
    time_text,
    with_columns,
)
from sync.catalog.export.watch_days import WatchDaysWithoutRuns
from sync.catalog.watch import WatchDay

_RejectionKey = tuple[str, str]


class _Good(Struct, frozen=True):
    """A good run: its stamp, and the ``good_asked_at`` that it left; both None before the first."""

    stamp: str | None = None
    seen_from: str | None = None


class _ModeTrack(Struct):
    """What was left out of a mode so far and is not settled yet."""

    unsettled: dict[str, str | None] = field(default_factory=dict)
    """The text of each model that a run left out changed; None if it is no longer listed."""
    last_good: _Good = _Good()
    """The last good run that was kept."""
    instead: _Good | None = None
    """After a good run was left out and until the next good one: the good run before it."""
    start: str | None = None
    """``not_before`` of the runs left out since the last good one."""
    last_stamp: str | None = None
    """That of the last applied run that was kept."""
    is_affected: bool = False
    rejected: dict[_RejectionKey, Columns] = field(default_factory=dict)
    """The rejected models after the last line that was read."""
    written: dict[_RejectionKey, Columns] = field(default_factory=dict)
    """Those that the kept lines hold as rejected, as they hold them."""


class RunsLeftOut:
    """The lines of a history in their order, without some runs."""

    def __init__(self, left_out: Iterable[int] = ()) -> None:
        self._left_out = frozenset(left_out)
        self._tracks: dict[str, _ModeTrack] = {}
        self._first_stamp: str | None = None
        self._watched = WatchDaysWithoutRuns()

    def kept(self, run: ExportedRun) -> ExportedRun | None:
        """The line of a run as it is without the runs left out before it; None if it is left out itself."""
        if not self._left_out:
            return run
        applied = {mode.mode for mode in run.applied()}
        if run.run_id in self._left_out:
            for mode in run.applied():
                _leave_out(self._track(mode.mode), mode)
                self._watched.leave_out(mode)
            return None
        modes = tuple(_keep(self._track(mode.mode), mode, is_applied=mode.mode in applied) for mode in run.modes)
        for mode, kept in zip(run.modes, modes, strict=True):
            if mode.mode in applied:
                self._first_stamp = min(filter(None, (self._first_stamp, mode.stamp)))
                self._watched.keep(mode, kept)
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
        if track.instead is not None:
            return with_columns(kept, good_observed_at=track.instead.stamp, good_asked_at=track.instead.seen_from)
        if kept.get("good_observed_at") == track.last_good.stamp:
            # A copy from a cache may have left the time of a run that is left out.
            return with_columns(kept, good_asked_at=track.last_good.seen_from)
        return kept

    def first_day(self, day: str | None) -> str | None:
        """The first day of the calendar: the runs left out may be all that the first days had."""
        if not self._left_out:
            return day
        return self._first_stamp and self._first_stamp.partition("T")[0]

    def watch_days(self, stored: Iterable[WatchDay]) -> Iterator[WatchDay]:
        """The rows of ``watch_days`` after the last line."""
        return self._watched.rows(stored)

    def _track(self, mode: str) -> _ModeTrack:
        return self._tracks.setdefault(mode, _ModeTrack())


def _leave_out(track: _ModeTrack, mode: ExportedMode) -> None:
    track.is_affected = True
    track.unsettled |= dict(mode.opened) | dict.fromkeys(mode.closed)
    _follow_rejected(track, mode)
    if track.instead is None:
        start = _start(track, mode)
        if mode.is_good:
            track.instead = _Good(text_or_none(mode.row.get("previous_success_at")), start)
        track.start = start


def _start(track: _ModeTrack, mode: ExportedMode) -> str | None:
    """When the last good run before this one began its request.

    The row of that run may have been pruned. Then the changes of this run say it, or the models that it rejected, or
    a run left out before.
    """
    if track.instead is not None:
        return track.instead.seen_from
    if mode.row.get("previous_success_at") == track.last_good.stamp:
        return track.last_good.seen_from
    if mode.opened or mode.closed:
        return mode.not_before
    rejected = (text_or_none(row.get("not_before")) for row in mode.rejected)
    return max(filter(None, rejected), default=track.start)


def _good_start(mode: ExportedMode, last: str | None) -> str | None:
    start = mode.good_start(parse_time(last) if last else None)
    return time_text(start) if start else None


def _capped(start: str | None, mode: ExportedMode) -> str | None:
    """As in the plan of a run: where the clock was set back, the request may seem to have begun after the stamp."""
    return None if start is None else min(start, str(mode.stamp))


def _keep(track: _ModeTrack, mode: ExportedMode, *, is_applied: bool) -> ExportedMode:
    kept = mode
    if track.instead is not None:
        kept = replace(kept, row=with_columns(kept.row, previous_success_at=track.instead.stamp))
    if not is_applied:
        return replace(kept, is_recounted=bool(track.unsettled))
    _follow_rejected(track, mode)
    uncapped = _start(track, mode)
    start = _capped(uncapped, mode)
    closed = _close_rejections(track)
    opened = tuple(_open_rejections(track, mode, closed, start))
    if track.is_affected:
        kept = _settled(track, kept, start)
        kept = replace(kept, not_before_of=(*_starts(kept, closed),), rejected=opened)
        kept = replace(kept, no_longer_rejected=tuple(map(_key_of_closed, closed)))
    if mode.is_good:
        track.last_good, track.instead, track.start = _Good(mode.stamp, _good_start(mode, uncapped)), None, None
    track.last_stamp = mode.stamp
    return kept


def _settled(track: _ModeTrack, mode: ExportedMode, start: str | None) -> ExportedMode:
    """The line with the models of runs left out that this run saw."""
    opened, closed = dict(mode.opened), set(mode.closed)
    is_recounted = bool(track.unsettled)
    for model_id in (*opened, *closed):
        track.unsettled.pop(model_id, None)
    for model_id, raw in ({} if mode.is_held_as_a_whole else _take_seen(track, mode)).items():
        if raw is None:
            closed.add(model_id)
        else:
            opened[model_id] = raw
    return replace(
        mode,
        not_before=start,
        opened=tuple(sorted(opened.items())),
        closed=tuple(sorted(closed)),
        is_recounted=is_recounted,
    )


def _take_seen(track: _ModeTrack, mode: ExportedMode) -> dict[str, str | None]:
    """The unsettled models that this run saw. Those held back were missing, rejected ones could not be read."""
    if not _names_unseen(track, mode):
        return {}
    held = set(json.loads(text_or_none(mode.row.get("held_ids")) or "[]"))
    unseen = held | {row.get("model_id") for row in track.rejected.values()}
    return {one: track.unsettled.pop(one) for one in sorted(track.unsettled.keys() - unseen)}


def _names_unseen(track: _ModeTrack, mode: ExportedMode) -> bool:
    """Whether the ids of all models that the run did not see are known. Before revision 0005 only numbers were."""
    row, rejected = mode.row, track.rejected.values()
    are_held_known = not row.get("removals_held") or "held_ids" in row
    are_rejected_known = bool(rejected) or not row.get("models_rejected")
    # A model without a readable id may be any of those that are missing.
    return are_held_known and are_rejected_known and all(one.get("model_id") is not None for one in rejected)


def _starts(mode: ExportedMode, closed: Iterable[Columns]) -> Iterator[NotBefore]:
    """``not_before`` of models that were rejected until this run, as the run itself takes it from their rows.

    That of fields that were ignored before is found again on import.
    """
    changed = {*dict(mode.opened), *mode.closed}
    rows = [row for row in closed if row.get("model_id") in changed]
    for model_id in sorted({str(row["model_id"]) for row in rows}):
        yield NotBefore(model_id, _earliest(row for row in rows if row["model_id"] == model_id))


def _earliest(rows: Iterable[Columns]) -> str | None:
    first, *others = (text_or_none(row.get("not_before")) for row in rows)
    return reduce(earlier, others, first)


def _follow_rejected(track: _ModeTrack, mode: ExportedMode) -> None:
    for one in mode.no_longer_rejected:
        track.rejected.pop((one.raw_sha256, one.valid_from), None)
    for row in mode.rejected:
        track.rejected[_key(row)] = row


def _close_rejections(track: _ModeTrack) -> list[Columns]:
    """The rows that end with this run, so that it leaves those that it left with the runs left out."""
    for key in [*track.rejected]:
        # A run left out did not reject the model, or in another way, and this run did again as before.
        same = [each for each, row in track.written.items() if _same_rejection(row, track.rejected[key])]
        if key not in track.written and same:
            track.written[key] = track.written.pop(same[0])
    return [track.written.pop(key) for key in [*track.written] if key not in track.rejected]


def _open_rejections(
    track: _ModeTrack, mode: ExportedMode, closed: Sequence[Columns], start: str | None
) -> Iterator[Columns]:
    """The rows that begin with this run. It is the first to see those that a run left out had opened."""
    own = {_key(row) for row in mode.rejected}
    before = [*closed, *track.written.values()]
    for key, row in track.rejected.items():
        if key in track.written or (mode.is_held_as_a_whole and key not in own):
            continue
        known = [each for each in before if row.get("model_id") is not None and each.get("model_id") == row["model_id"]]
        opened = row
        if track.is_affected:
            not_before = _earliest(known) if known else start
            opened = with_columns(row, valid_from=mode.stamp, not_before=not_before)
        track.written[key] = opened
        yield opened


def _same_rejection(one: Columns, other: Columns) -> bool:
    return all(one.get(name) == other.get(name) for name in ("raw_sha256", "model_id", "reason"))


def _key(row: Columns) -> _RejectionKey:
    return str(row["raw_sha256"]), str(row["valid_from"])


def _key_of_closed(row: Columns) -> ClosedRejection:
    return ClosedRejection(*_key(row))
