"""What happened in runs, as events that a destination may want. Pure.

Each fact is reported once: what a run held back, or why it failed, is no event again while it stays the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sync.catalog.modes import MODES
from sync.catalog.news import Event, LastSuccess, ModeOfRun, Rejection, RunRow

_HELD = {"removals": "removals are", "costs": "costs are", "other_catalog": "the response of another catalog is"}


class History:
    """Runs in the order of their numbers, which in each mode is the order in which they were applied."""

    def __init__(self, runs: Iterable[RunRow]) -> None:
        self._runs = sorted(runs, key=lambda run: run.run_id)
        self._places = {run.run_id: place for place, run in enumerate(self._runs)}

    def run(self, run_id: int) -> RunRow | None:
        place = self._places.get(run_id)
        return None if place is None else self._runs[place]

    def before(self, run: RunRow, mode: str, *, applied: bool = False) -> RunRow | None:
        """The last run before this one that says something about the mode; with ``applied``, that stored something."""
        for earlier in reversed(self._runs[: self._places[run.run_id]]):
            status = earlier.status_in(mode)
            if status is not None and not (applied and status in ("failed", "abandoned")):
                return earlier
        return None


def run_events(
    run: RunRow, changes: Sequence[Event], rejections: Sequence[Rejection], history: History
) -> tuple[Event, ...]:
    """The events of a sealed run, always in the same order, so that a number says how many were delivered.

    The changes of kind ``changed`` are last: whether a destination wants them moves no other event.
    """
    if run.is_past:
        return ()
    costs = (each for each in changes if each.kind != "changed")
    others = (each for each in changes if each.kind == "changed")
    of_run = (*_rejected(run, rejections), *_held(run, history), *_failed(run, history), *_good(run, history))
    return (*costs, *of_run, *others)


def failure_events(run: RunRow, history: History) -> tuple[Event, ...]:
    """The event of a run that failed as a whole, unless the run before it failed in the same way."""
    if run.is_past or run.status != "failed":
        return ()
    modes = [each.mode for each in run.modes if each.status == "failed"]
    if not any(_is_new_failure(run, mode, history) for mode in modes or MODES):
        return ()
    return (_failure(run, modes[0] if len(modes) == 1 else None),)


def _rejected(run: RunRow, rejections: Sequence[Rejection]) -> Iterator[Event]:
    known = {each.cause for each in rejections if not each.opened}
    for each in rejections:
        if each.opened and each.cause not in known:
            yield Event(
                "rejected",
                run.run_id,
                each.mode,
                each.model_id,
                not_before=each.not_before,
                seen_at=each.seen_at,
                reason=each.reason,
            )


def _held(run: RunRow, history: History) -> Iterator[Event]:
    for each in run.modes:
        if each.hold_reason is None:
            continue
        before = history.before(run, each.mode, applied=True)
        last = before.of(each.mode) if before else None
        if last is None or (last.hold_reason, last.held_ids) != (each.hold_reason, each.held_ids):
            yield Event("held", run.run_id, each.mode, seen_at=each.stamp, reason=_held_text(each))


def _held_text(mode: ModeOfRun) -> str:
    what = _HELD.get(mode.hold_reason or "", "something")
    number = len(json.loads(mode.held_ids or "[]"))
    return f"{what} held back{f' ({number} models)' if number else ''}, until a person accepts or refuses"


def _failed(run: RunRow, history: History) -> Iterator[Event]:
    """The modes that failed in a run that stored the other one."""
    for each in run.modes:
        if each.status == "failed" and _is_new_failure(run, each.mode, history):
            yield _failure(run, each.mode)


def _is_new_failure(run: RunRow, mode: str, history: History) -> bool:
    before = history.before(run, mode)
    return before is None or before.status_in(mode) != "failed" or before.error_type != run.error_type


def _failure(run: RunRow, mode: str | None) -> Event:
    reason = run.error_message or run.error_type or "no reason was recorded"
    return Event("failed", run.run_id, mode, seen_at=run.finished_at, reason=reason)


def _good(run: RunRow, history: History) -> Iterator[Event]:
    """An event per good mode: it recovered if the run before was bad, or if the last success was long ago."""
    for each in run.modes:
        if not each.is_good or each.hold_reason is not None:
            continue
        before = history.before(run, each.mode)
        bad = before is not None and _bad_text(before, each.mode)
        gap = each.stamp - each.previous_success_at if each.stamp and each.previous_success_at else None
        if bad or gap:
            yield Event("recovered", run.run_id, each.mode, seen_at=each.stamp, reason=bad or None, gap=gap)


def _bad_text(run: RunRow, mode: str) -> str | None:
    """How the run before a good one had ended; None if it was good too."""
    status, found = run.status_in(mode), run.of(mode)
    if found is not None and found.hold_reason is not None:
        return f"run {run.run_id} was held back"
    if status == "failed":
        return f"run {run.run_id} failed"
    return f"run {run.run_id} was abandoned" if status == "abandoned" else None


def stale_events(
    successes: Iterable[LastSuccess], told_up_to: datetime, now: datetime, after: timedelta
) -> tuple[Event, ...]:
    """The modes whose last success became too old between ``told_up_to`` and ``now``: each is reported once."""
    return tuple(
        Event("stale", None, each.mode, seen_at=each.at, gap=now - each.at)
        for each in successes
        if each.at is not None and told_up_to < each.at + after <= now
    )
