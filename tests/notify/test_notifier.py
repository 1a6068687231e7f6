"""Cursors, claims and retries, with a sender that the test controls."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from models_db.tables import notify_cursors
from sync.errors import ApiUnreachable
from sync.notify import notifier
from sync.notify.delivery import DeliveryFailed
from sync.notify.destinations import KINDS, Destination
from sync.notify.messages import Message
from sync.notify.notifier import Notified, Notifying, notify_all
from sync.store import notify_cursors as cursors
from sync.store.database import in_transaction
from tests.support.made_responses import model
from tests.support.run_driver import Host

OPS = Destination("ops", "json://ops", kinds=frozenset(KINDS))
EACH = Destination("each", "json://each", kinds=frozenset(["increase"]), each_event=True)
DOWN = ApiUnreachable("the API is down; wait")


@dataclass
class World:
    """A catalog, a clock, and what was sent to which URL."""

    engine: Engine
    host: Host
    sent: list[tuple[str, Message]] = field(default_factory=list)
    fails: Callable[[str, Message], str | None] = lambda *_: None
    before_send: Callable[[], object] = lambda: None

    def notify(self, *destinations: Destination, now: datetime | None = None) -> list[Notified]:
        return notify_all(self.engine, destinations or (OPS,), self.needs(now))

    def needs(self, now: datetime | None = None) -> Notifying:
        return Notifying(
            clock=lambda: now or self.host.now,
            environ={},
            stop=threading.Event(),
            pause=lambda _: None,
            seconds=5,
            url_of=lambda destination: destination.url or "",
            rng=random.Random(1),
            make_sender=lambda url, *_: FakeSender(self, url),
        )

    def titles(self) -> list[str]:
        found = [message.title.removeprefix("catalog-sync: ") for _, message in self.sent]
        self.sent.clear()
        return found

    def lines(self) -> list[str]:
        return [line.split(";")[0] for _, message in self.sent for line in message.lines]

    def cursor(self, name: str = "ops") -> cursors.Cursor:
        with self.engine.connect() as connection:
            return cursors.read_cursors(connection, [name])[name]


@dataclass
class FakeSender:
    world: World
    url: str

    def send(self, message: Message) -> None:
        self.world.before_send()
        if error := self.world.fails(self.url, message):
            raise DeliveryFailed(error)
        self.world.sent.append((self.url, message))

    def close(self) -> None:
        pass


@pytest.fixture
def world(engine: Engine) -> World:
    """A catalog with two models, whose destinations have their cursors."""
    world = World(engine, Host(engine))
    world.host.sync([model("a", 3), model("b", 3)], [model("v", 1)])
    world.notify(OPS, EACH)
    return world


@pytest.fixture
def sqlite_world(sqlite_engine: Engine) -> World:
    world = World(sqlite_engine, Host(sqlite_engine))
    world.host.sync([model("a", 3), model("b", 3)], [model("v", 1)])
    world.notify(OPS, EACH)
    return world


def prices(world: World, *costs: object) -> None:
    world.host.sync([model(name, cost) for name, cost in zip("abcdefgh", costs, strict=False)], [model("v", 1)])


def test_a_new_destination_gets_what_happens_from_then_on(world: World) -> None:
    assert world.titles() == []
    prices(world, 3, 4)
    assert [(each.messages, each.events, each.is_new) for each in world.notify()] == [(1, 1, False)]
    assert world.lines() == ["image b (B, P): increase 3 -> 4 credits (+33.33 %)"]
    assert world.titles() == ["cost increase (run 2)"]
    world.notify()
    assert world.titles() == []


def test_what_failed_is_sent_later_and_nothing_twice(world: World) -> None:
    prices(world, 4, 4)
    prices(world, 5, 4)
    world.fails = lambda _, message: "it answered HTTP 500" if "run 3" in message.title else None
    [failed] = world.notify()
    cursor = world.cursor()

    assert (failed.messages, failed.error) == (1, "it answered HTTP 500")
    assert (cursor.last_seal_no, cursor.failures, cursor.last_error) == (1, 1, "it answered HTTP 500")
    assert cursor.next_try_at == world.host.now + timedelta(minutes=1)
    assert world.titles() == ["2 cost increases (run 2)"]
    world.fails = lambda *_: None
    [waiting] = world.notify()
    assert (waiting.was_tried, waiting.error) == (False, "it answered HTTP 500")
    world.notify(now=world.host.now + timedelta(minutes=2))
    assert world.titles() == ["cost increase (run 3)"]
    assert (world.cursor().failures, world.cursor().last_error, world.cursor().claimed_until) == (0, None, None)


def test_of_the_events_of_a_run_those_that_were_delivered_are_not_sent_again(world: World) -> None:
    prices(world, 4, 5)
    world.fails = lambda _, message: "no" if message.lines[0].startswith("image b") else None
    world.notify(EACH)
    world.fails = lambda *_: None

    assert (world.cursor("each").last_seal_no, world.cursor("each").sent_events) == (0, 1)
    world.notify(EACH, now=world.host.now + timedelta(hours=1))
    assert world.lines() == [
        "image a (A, P): increase 3 -> 4 credits (+33.33 %)",
        "image b (B, P): increase 3 -> 5 credits (+66.67 %)",
    ]
    assert (world.cursor("each").last_seal_no, world.cursor("each").sent_events) == (1, 0)


def test_a_claim_keeps_others_away_until_it_ends(world: World) -> None:
    prices(world, 4, 4)
    meanwhile: list[Notified] = []
    world.before_send = lambda: meanwhile.extend(_other(world).notify())
    world.notify()

    assert [each.is_claimed for each in meanwhile] == [True]
    assert len(world.titles()) == 1


def test_of_two_claims_at_once_one_is_granted(world: World) -> None:
    now = world.host.now
    until = now + notifier.CLAIM

    def claimed(until: datetime) -> cursors.Cursor | None:
        return in_transaction(world.engine, lambda connection, _: cursors.claim(connection, "ops", now, until))

    granted = [claimed(each) for each in (until, until + timedelta(microseconds=1))]
    later = in_transaction(
        world.engine, lambda connection, _: cursors.claim(connection, "ops", until, until + notifier.CLAIM)
    )

    assert [each is not None for each in granted] == [True, False]
    assert later is not None
    # The first one finds that its claim has ended: it must not move the cursor of another.
    first = granted[0]
    assert first is not None
    assert not in_transaction(world.engine, lambda connection, _: cursors.move(connection, first, {"failures": 9}))
    assert world.cursor().failures == 0


def test_a_claim_of_a_process_that_died_ends_by_itself(world: World) -> None:
    prices(world, 4, 4)
    until = world.host.now + notifier.CLAIM
    in_transaction(world.engine, lambda connection, _: cursors.claim(connection, "ops", world.host.now, until))

    assert [each.is_claimed for each in world.notify()] == [True]
    world.notify(now=until + timedelta(seconds=1))
    assert world.titles() == ["2 cost increases (run 2)"]


def test_claims_and_waits_of_a_clock_that_was_set_back_hold_nothing_up(world: World) -> None:
    prices(world, 4, 4)
    ahead = world.host.now + timedelta(days=30)
    values = {"claimed_until": ahead, "next_try_at": ahead}
    with world.engine.begin() as connection:
        connection.execute(notify_cursors.update().values(values))

    world.notify()
    assert world.titles() == ["2 cost increases (run 2)"]


def test_failures_are_told_by_runs_and_never_past_one_that_is_running(world: World) -> None:
    world.host.sync(DOWN, DOWN)
    world.notify()
    assert world.titles() == ["sync failed (run 2)"]
    world.host.sync(DOWN, DOWN)
    world.notify()
    assert world.titles() == []
    prices(world, 3, 3)
    world.notify()
    assert world.titles() == ["sync recovered (run 4)"]
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE sync_runs SET status = 'running' WHERE run_id = 4"))
        connection.execute(notify_cursors.update().values(last_run_id=3))
    assert world.cursor().last_run_id == 3
    with world.engine.connect() as connection:
        assert cursors.last_settled_run(connection, world.host.now - timedelta(minutes=30)) == 3
        assert cursors.last_settled_run(connection, world.host.now + timedelta(hours=3)) == 4


def _other(world: World) -> World:
    return World(world.engine, world.host)


def test_stale_is_told_once_until_it_recovers(sqlite_world: World) -> None:
    world = sqlite_world
    late = world.host.now + timedelta(hours=30)
    world.notify(now=late)
    assert world.titles() == ["no successful sync"]
    world.notify(now=late + timedelta(hours=1))
    assert world.titles() == []
    world.host.now = late + timedelta(hours=2)
    prices(world, 3, 3)
    world.notify()
    assert world.titles() == ["sync recovered (run 2)"]


def test_what_filters_held_back_is_not_told_when_they_change(sqlite_world: World) -> None:
    world = sqlite_world
    prices(world, 2, 2)
    world.notify(EACH)
    world.notify(Destination("each", "json://each"))

    assert world.titles() == []


def test_a_check_without_news_writes_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    prices(world, 3, 3)
    before = world.cursor()
    world.notify()

    assert world.cursor() == before


def test_many_runs_are_joined_into_a_bounded_number_of_messages(sqlite_world: World) -> None:
    world = sqlite_world
    for cost in range(4, 34):
        prices(world, cost, 3)
    [result] = world.notify()

    assert (result.messages, result.events) == (20, 30)
    assert world.titles()[-1] == "11 cost increases (runs 21 to 31)"


def test_a_rejection_and_a_hold_are_told(sqlite_world: World) -> None:
    world = sqlite_world
    world.host.sync([model("a", 3), model("b", "x")], [model("v", 1)])
    world.notify()
    assert world.titles() == ["model rejected (run 2)"]
    world.host.sync([], [model("v", 1)])
    world.notify()
    assert world.titles() == ["held back (run 3)"]
