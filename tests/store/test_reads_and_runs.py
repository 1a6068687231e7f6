"""What the store reads before a plan, the calendar, and the state of the modes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from models_db.engine import read_transaction, write_transaction
from sync.catalog.changes.plan import ModeWatermark
from sync.store import read, runs
from sync.store.write import apply_plan
from tests.support.made_plans import plan_of
from tests.support.made_responses import Model, listed, model, parsed_response, record
from tests.support.run_driver import HOUR, SECOND, START, Host, column

SEEN = START + 2 * SECOND


def days(*numbers: int) -> list[date]:
    return [date(2026, 3, number) for number in numbers]


@pytest.mark.parametrize(
    ("moments", "filled"),
    [
        ([3], days(3)),
        ([3, 3], days(3)),
        ([3, 6], days(3, 4, 5, 6)),
        ([6, 3], days(3, 4, 5, 6)),
        ([3, 6, 4], days(3, 4, 5, 6)),
    ],
)
def test_the_calendar_has_every_day_between_the_first_and_the_last(
    engine: Engine, moments: list[int], filled: list[date]
) -> None:
    with write_transaction(engine) as connection:
        for day in moments:
            runs.fill_calendar(connection, datetime(2026, 3, day, 23, 59, tzinfo=UTC))

    assert column(engine, "calendar_days.day") == filled
    assert column(engine, "calendar_days.day_start_at", "day_end_at")[0] == (
        datetime(2026, 3, 3, tzinfo=UTC),
        datetime(2026, 3, 4, tzinfo=UTC),
    )


def test_a_calendar_day_is_a_utc_day(engine: Engine) -> None:
    east = datetime.fromisoformat("2026-03-03T01:00:00+02:00")
    with write_transaction(engine) as connection:
        runs.fill_calendar(connection, east)

    assert column(engine, "calendar_days.day") == days(2)


def test_stored_models_have_what_a_change_needs(engine: Engine) -> None:
    host = Host(engine)
    a, b = model("a"), model("b", cost=None)
    host.sync([a, b, model("gone", cost=7)], [model("a", cost=9)])
    host.sync([a, b], [model("a", cost=9)])
    with read_transaction(engine) as connection:
        on_list = read.listed_models(connection, "image")
        stored = read.stored_models(connection, "image", ["a", "b", "gone", "never"])

    assert on_list == listed(a, b)
    assert sorted(stored) == ["a", "b", "gone"]
    assert (stored["a"].raw, stored["a"].since, stored["a"].cost) == (record(a).raw, SEEN, "3")
    assert stored["b"].cost is None
    assert (stored["gone"].is_listed, stored["gone"].raw, stored["gone"].cost) == (False, None, "7")


def test_a_mode_has_the_state_of_its_last_run_and_of_its_last_success(engine: Engine) -> None:
    host = Host(engine)
    host.sync([model("a")], [model("v")])
    host.sync([], [model("v")])
    with read_transaction(engine) as connection:
        states = read.mode_states(connection, ["video", "image"])

    assert list(states) == ["image", "video"]
    assert (states["image"].version, states["image"].last.stamp) == (2, SEEN + HOUR)
    assert (states["image"].last.good_asked_at, states["image"].last.good_stamp) == (START, SEEN)
    assert states["video"].last.good_stamp == SEEN + HOUR


def test_a_payload_was_applied_when_a_run_applied_it_at_exactly_that_time(engine: Engine) -> None:
    Host(engine).sync([model("a")], b"<html>")
    (sha,) = column(engine, "sync_run_modes.payload_sha256", where={"mode": "image"})
    with read_transaction(engine) as connection:
        assert read.was_applied(connection, "image", SEEN, sha)
        assert not read.was_applied(connection, "image", SEEN + timedelta(microseconds=1), sha)
        assert not read.was_applied(connection, "video", SEEN, sha)
        assert not read.was_applied(connection, "image", SEEN, "0" * 64)


@pytest.mark.parametrize("count", [500, 501])
def test_no_model_is_lost_between_two_batches(engine: Engine, count: int) -> None:
    host = Host(engine)
    many: list[Model] = [model(f"m{number:04}", cost=number) for number in range(count)]
    host.sync(many)
    host.sync([{**one, "credits": {"default_cost": 5000}} for one in many], accept_costs="all")
    host.sync([], accept=count)
    host.sync(many)

    assert len(column(engine, "credits.model_pk")) == count
    assert len(column(engine, "credit_history.model_pk", where={"valid_to": None})) == count
    kinds = column(engine, "catalog_changes.change_kind")
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(
        ("added", "increase", "removed", "relisted"), count
    )


def test_a_plan_without_changes_executes_no_statement(engine: Engine) -> None:
    known = listed(model("a"))
    plan = plan_of(parsed_response([model("a")]), known, {}, ModeWatermark())

    apply_plan(None, 1, plan)  # type: ignore[arg-type]  # an empty plan needs no connection
