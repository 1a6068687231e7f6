"""What is to be sent to a destination, message by message, and where its cursor stands after each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from sync.catalog.checkpoint import Checkpoint
from sync.catalog.news import Event
from sync.notify.destinations import Destination
from sync.notify.events import History, failure_events, run_events, stale_events
from sync.notify.filters import wants
from sync.notify.messages import Message, message_of

if TYPE_CHECKING:
    from sync.store.notify_cursors import Cursor
    from sync.store.notify_events import News

MOST_MESSAGES = 20
"""Messages to a destination at a time; what is left over goes into one more, with a bound on its lines."""


class Position(Struct, frozen=True):
    """Where a cursor stands."""

    last_seal_no: int | None
    last_run_id: int | None
    sent_events: int = 0


class Outgoing(Struct, frozen=True):
    """A message, and the position once it is delivered."""

    message: Message
    position: Position
    events: int


class Outbox(Struct, frozen=True):
    """All that a destination gets now, in order, and where its cursor stands when nothing is left."""

    outgoing: tuple[Outgoing, ...]
    end: Position
    passes_over: bool = False
    """Whether something happened that the destination does not want: it must not get it if its filters change."""

    @property
    def events(self) -> int:
        return sum(each.events for each in self.outgoing)


class _Unit(Struct, frozen=True):
    """Events that belong into one message, and the position after them."""

    events: tuple[Event, ...]
    checkpoint: Checkpoint | None
    after: Position


def make_outbox(destination: Destination, cursor: Cursor, news: News, now: datetime) -> Outbox:
    """What the destination gets of the news."""
    end = Position(news.last_seal_no, news.last_run_id)
    units = _bounded(list(_units(destination, cursor, news, now)))
    outgoing = tuple(Outgoing(message_of(unit.events, unit.checkpoint), unit.after, len(unit.events)) for unit in units)
    # A good mode is an event only for who waited for it.
    told = (event for *_, events in _in_order(news, cursor) for event in events if event.kind != "recovered")
    happened = any(each.has_changes for each in news.sealed) or any(True for _ in told)
    return Outbox(outgoing, end, passes_over=happened)


def _units(destination: Destination, cursor: Cursor, news: News, now: datetime) -> Iterator[_Unit]:
    here = Position(cursor.last_seal_no, cursor.last_run_id, cursor.sent_events)
    stale = stale_events(news.successes, cursor.updated_at, now, destination.stale_after)
    if wanted := tuple(event for event in stale if wants(destination, event)):
        # First: every later delivery says that all was told up to now.
        yield _Unit(wanted, news.checkpoint, here)
    for seal_no, checkpoint, run_id, events in _in_order(news, cursor):
        sent = here.sent_events if seal_no is not None else 0
        wanted_at = [(place, each) for place, each in enumerate(events, 1) if place > sent and wants(destination, each)]
        after = (
            Position(here.last_seal_no, run_id, here.sent_events)
            if seal_no is None
            else Position(seal_no, here.last_run_id)
        )
        if destination.each_event:
            for place, event in wanted_at[:-1]:
                yield _Unit((event,), checkpoint, Position(here.last_seal_no, here.last_run_id, place))
            wanted_at = wanted_at[-1:]
        if wanted_at:
            yield _Unit(tuple(event for _, event in wanted_at), checkpoint, after)
        here = after


def _in_order(news: News, cursor: Cursor) -> Iterator[tuple[int | None, Checkpoint | None, int, tuple[Event, ...]]]:
    """Sealed runs in the order of seals, and failed ones, which have no seal, in that of runs, where they belong."""
    history = History(news.runs)
    sealed_ids = {each.run_id for each in news.sealed}
    failed = [
        run
        for run in news.runs
        if (cursor.last_run_id or 0) < run.run_id <= (news.last_run_id or 0) and run.run_id not in sealed_ids
    ]
    waiting = iter(failed)
    next_failed = next(waiting, None)
    for each in news.sealed:
        while next_failed is not None and next_failed.run_id < each.run_id:
            yield None, news.checkpoint, next_failed.run_id, failure_events(next_failed, history)
            next_failed = next(waiting, None)
        run = history.run(each.run_id)
        if run is not None:  # else it was pruned: it was good and changed nothing
            changes, rejections = news.changes.get(each.run_id, ()), news.rejections.get(each.run_id, ())
            yield each.seal_no, each.checkpoint, each.run_id, run_events(run, changes, rejections, history)
    while next_failed is not None:
        yield None, news.checkpoint, next_failed.run_id, failure_events(next_failed, history)
        next_failed = next(waiting, None)


def _bounded(units: Sequence[_Unit]) -> Sequence[_Unit]:
    """The units, of very many the last ones joined into one."""
    if len(units) <= MOST_MESSAGES:
        return units
    first, rest = units[: MOST_MESSAGES - 1], units[MOST_MESSAGES - 1 :]
    joined = tuple(event for unit in rest for event in unit.events)
    return [*first, _Unit(joined, rest[-1].checkpoint, rest[-1].after)]
