"""Sends what is new to the destinations, each in a thread of its own, and moves their cursors."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sync.catalog.text import one_line
from sync.notify.delivery import DeliveryFailed, DeliveryStopped, SenderProcess
from sync.notify.destinations import Destination
from sync.notify.messages import Message, test_message
from sync.notify.outbox import Outbox, Outgoing, Position, make_outbox
from sync.notify.waits import wait_after
from sync.store import notify_cursors as cursors
from sync.store.database import Connection, Engine, Pause, in_snapshot, in_transaction
from sync.store.notify_cursors import Cursor
from sync.store.notify_events import read_news

CLAIM = timedelta(minutes=5)
"""Longer than the longest delivery and what the database may take; after it a claim of a dead process is void."""
LONGEST_SECONDS = 90.0
"""The longest time of a delivery that may be asked for."""
# A cursor that nothing moves is read from further and further back; moving it is a write per run.
_MOST_SEALS_BEHIND = 200
_ERROR_LIMIT = 500


class Sender(Protocol):
    """Delivers to one destination."""

    def send(self, message: Message) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Notifying:
    """What sending needs from outside."""

    clock: Callable[[], datetime]
    environ: Mapping[str, str]
    """The environment of the process that sends."""
    stop: threading.Event
    pause: Pause
    seconds: float
    """For all messages to a destination."""
    url_of: Callable[[Destination], str]
    """The URL; raises ``DeliveryFailed`` if it cannot be read."""
    rng: random.Random
    """Tells the claims of two processes apart."""
    even_if_it_waits: bool = False
    make_sender: Callable[[str, float, threading.Event, Mapping[str, str]], Sender] = SenderProcess


@dataclass(frozen=True)
class Notified:
    """What happened to a destination. With neither messages nor an error there was nothing new."""

    name: str
    messages: int = 0
    events: int = 0
    error: str | None = None
    """Why it failed now, or fails since an earlier attempt; a clause without secrets."""
    next_try_at: datetime | None = None
    is_new: bool = False
    """Whether it got its cursor now, at the present."""
    is_claimed: bool = False
    """Whether another process sends to it now."""
    was_tried: bool = False


def notify_all(engine: Engine, destinations: Sequence[Destination], needs: Notifying) -> list[Notified]:
    """Sends to all destinations at the same time. Raises the first error of the database."""
    results: dict[str, Notified | BaseException] = {}

    def work(destination: Destination) -> None:
        try:
            results[destination.name] = notify_one(engine, destination, needs)
        except BaseException as error:  # noqa: BLE001  # raised again below
            results[destination.name] = error

    threads = [threading.Thread(target=work, args=(each,), daemon=True, name="notify") for each in destinations]
    added = add_missing_cursors(engine, [each.name for each in destinations], needs)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results.values():
        if isinstance(result, BaseException):
            raise result
    found = [result for each in destinations if isinstance(result := results[each.name], Notified)]
    return [replace(each, is_new=each.name in added) for each in found]


def add_missing_cursors(engine: Engine, names: Sequence[str], needs: Notifying) -> list[str]:
    """Gives new destinations a cursor at the present, and returns their names."""
    known = in_snapshot(engine, lambda connection: cursors.read_cursors(connection, names), pause=needs.pause)
    missing = [name for name in names if name not in known]
    if missing:
        now = needs.clock()
        in_transaction(engine, lambda connection, _: cursors.add_cursors(connection, missing, now), pause=needs.pause)
    return missing


def preview(connection: Connection, destination: Destination, now: datetime) -> Outbox | None:
    """What would be sent; None for a destination without a cursor. Reads only."""
    cursor = cursors.read_cursors(connection, [destination.name]).get(destination.name)
    return None if cursor is None else _outbox(connection, destination, cursor, now)


def _outbox(connection: Connection, destination: Destination, cursor: Cursor, now: datetime) -> Outbox:
    news = read_news(connection, cursor, now, with_changed="changed" in destination.kinds)
    return make_outbox(destination, cursor, news, now)


def notify_one(engine: Engine, destination: Destination, needs: Notifying) -> Notified:
    """Sends what is new to a destination that has a cursor, unless another process does so or it waits."""
    now = needs.clock()

    def look(connection: Connection) -> tuple[Cursor | None, Outbox | None]:
        cursor = cursors.read_cursors(connection, [destination.name]).get(destination.name)
        return cursor, None if cursor is None else _outbox(connection, destination, cursor, now)

    cursor, outbox = in_snapshot(engine, look, pause=needs.pause)
    result = Notified(destination.name)
    if cursor is None or outbox is None:
        return result
    if cursor.is_claimed(now):
        return replace(result, is_claimed=True)
    if cursor.waits(now) and not needs.even_if_it_waits:
        return replace(result, error=cursor.last_error, next_try_at=cursor.next_try_at)
    if not outbox.outgoing and not outbox.passes_over and not _is_far_behind(cursor, outbox):
        return result
    claimed = _claim(engine, destination, now, needs)
    if claimed is None:
        return replace(result, is_claimed=True)
    if not claimed.is_at(cursor):  # another process sent in between
        outbox = in_snapshot(
            engine, partial(_outbox, destination=destination, cursor=claimed, now=now), pause=needs.pause
        )
    return _Delivery(engine, destination, claimed, needs, now).run(outbox)


def _is_far_behind(cursor: Cursor, outbox: Outbox) -> bool:
    return (outbox.end.last_seal_no or 0) - (cursor.last_seal_no or 0) > _MOST_SEALS_BEHIND


def _claim(engine: Engine, destination: Destination, now: datetime, needs: Notifying) -> Cursor | None:
    until = now + CLAIM + timedelta(microseconds=needs.rng.randrange(1_000_000))
    return in_transaction(
        engine,
        lambda connection, _: cursors.claim(
            connection, destination.name, now, until, even_if_it_waits=needs.even_if_it_waits
        ),
        pause=needs.pause,
    )


class _Delivery:
    """Sends the messages of an outbox under a claim; the cursor moves after each one."""

    def __init__(
        self, engine: Engine, destination: Destination, claimed: Cursor, needs: Notifying, now: datetime
    ) -> None:
        self._engine, self._destination, self._claimed, self._needs, self._now = (
            *(engine, destination, claimed, needs, now),
        )
        self._result = Notified(destination.name, was_tried=True)
        self._failures = claimed.failures

    def run(self, outbox: Outbox) -> Notified:
        try:
            if outbox.outgoing:
                self._send_all(outbox.outgoing)
        except DeliveryFailed as error:
            return self._failed(str(error))
        except DeliveryStopped:
            self._move({"claimed_until": None})
            return replace(self._result, error="the command was stopped")
        except _ClaimLost:
            return replace(self._result, is_claimed=True)
        self._move({**_columns(outbox.end), "claimed_until": None, "updated_at": self._now})
        return self._result

    def _send_all(self, outgoing: Sequence[Outgoing]) -> None:
        needs = self._needs
        sender = needs.make_sender(needs.url_of(self._destination), needs.seconds, needs.stop, needs.environ)
        try:
            for each in outgoing:
                sender.send(each.message)
                self._delivered(each)
        finally:
            sender.close()

    def _delivered(self, sent: Outgoing) -> None:
        self._result = replace(
            self._result, messages=self._result.messages + 1, events=self._result.events + sent.events
        )
        self._failures = 0
        cleared = {"failures": 0, "next_try_at": None, "last_error": None, "updated_at": self._now}
        if not self._move({**_columns(sent.position), **cleared}):
            raise _ClaimLost

    def _failed(self, reason: str) -> Notified:
        failures = self._failures + 1
        reason = one_line(reason, _ERROR_LIMIT)
        next_try_at = self._needs.clock() + wait_after(failures)
        waiting = {"failures": failures, "next_try_at": next_try_at, "last_error": reason}
        self._move({**waiting, "claimed_until": None})
        return replace(self._result, error=reason, next_try_at=next_try_at)

    def _move(self, values: dict[str, object]) -> bool:
        return in_transaction(
            self._engine,
            lambda connection, _: cursors.move(connection, self._claimed, values),
            pause=self._needs.pause,
        )


class _ClaimLost(Exception):
    """The claim ended before the delivery, as when the machine slept: another process may send now."""


def _columns(position: Position) -> dict[str, object]:
    return {
        "last_seal_no": position.last_seal_no,
        "last_run_id": position.last_run_id,
        "sent_events": position.sent_events,
    }


def send_test(destination: Destination, needs: Notifying) -> str | None:
    """Sends a test message; the reason if that failed. No cursor moves."""
    try:
        sender = needs.make_sender(needs.url_of(destination), needs.seconds, needs.stop, needs.environ)
        try:
            sender.send(test_message(destination.name))
        finally:
            sender.close()
    except DeliveryFailed as error:
        return str(error)
    except DeliveryStopped:
        return "the command was stopped"
    return None
