"""The questions about prices over time agree with costs computed in Python from the stored rows."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.questions.question_history import IMAGE, VIDEO, listed, make_history
from tests.questions.recorded_costs import ABSENT, RecordedCosts, asked, days, midnight, near, recorded_costs
from tests.support.run_driver import Host

PRICED_CHANGES = ("increase", "decrease", "cost_set", "cost_unset")
FIRST, LAST = date(2026, 3, 1), date(2026, 4, 6)


@pytest.fixture
def history(engine: Engine) -> RecordedCosts:
    make_history(engine)
    return recorded_costs(engine)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MOMENTS = [at("2026-03-01") + timedelta(hours=31 * number) for number in range(29)]


@pytest.mark.parametrize(
    ("mode", "model"),
    [("image", "acme/sketch"), ("image", "acme/paint"), ("image", "dune/free"), ("video", "cedar/reel")],
)
def test_a_usage_is_priced_at_the_recorded_cost_between_the_possible_ones(
    engine: Engine, history: RecordedCosts, mode: str, model: str
) -> None:
    for number in range(0, len(MOMENTS) - 2, 3):
        times = MOMENTS[number : number + 3]
        rows = asked(
            engine,
            "priced-usage",
            mode=mode,
            model=model,
            number=7,
            **dict(zip(("first", "second", "third"), times, strict=True)),
        )

        assert [row["used_at"] for row in rows] == times
        for row in rows:
            recorded = history.at((mode, model), row["used_at"])
            possible = history.possible((mode, model), row["used_at"])
            costs = [cost for cost in possible if isinstance(cost, Fraction)]
            assert row["credits"] == near(7 * recorded if isinstance(recorded, Fraction) else None)
            assert row["credits_low"] == near(7 * min(costs) if costs else None)
            assert row["credits_high"] == near(7 * max(costs) if costs else None)
            assert row["is_sure"] == int(len(possible) == len(costs) == 1)


def test_a_usage_after_the_last_sync_or_of_an_unknown_model_is_unsure(engine: Engine, history: RecordedCosts) -> None:
    # the run of 6 April held removals of images back, so the last successful sync of that mode is of the day before
    moments = {"first": at("2026-04-05T11"), "second": at("2026-04-05T12:00:05"), "third": at("2030-01-01")}
    sure = [row["is_sure"] for row in asked(engine, "priced-usage", mode="image", model="acme/sketch", **moments)]
    unknown = asked(engine, "priced-usage", mode="image", model="no/such", **moments)

    assert sure == [1, 0, 0]
    assert {(row["credits"], row["credits_low"], row["is_sure"]) for row in unknown} == {(None, None, 0)}


def test_a_usage_of_a_model_that_is_rejected_now_is_unsure(engine: Engine, history: RecordedCosts) -> None:
    host = Host(engine)
    host.now = at("2026-04-07T10")
    sent = {"acme_paint": 0.3, "acme_sketch": "six", "birch_photo": 8.5}
    host.sync(listed(IMAGE, "cedar/old", description="Sharp photos", **sent), listed(VIDEO, cedar_reel=9))
    moments = dict.fromkeys(("first", "second", "third"), at("2026-04-07T09"))

    def sure(model: str) -> set[int]:
        return {row["is_sure"] for row in asked(engine, "priced-usage", mode="image", model=model, **moments)}

    assert (sure("dune/free"), sure("acme/sketch")) == ({1}, {0})


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-03-01T12", "2026-04-07"),
        ("2026-03-03T11", "2026-03-08T11"),
        ("2026-02-01", "2026-03-05"),
        ("2026-03-09", "2026-03-11"),
    ],
)
def test_the_net_change_has_every_model_that_differs_at_the_two_moments(
    engine: Engine, history: RecordedCosts, since: str, until: str
) -> None:
    expected = {}
    for key in history.intervals:
        then, later = history.at(key, at(since)), history.at(key, at(until))
        if then != later:
            expected[key] = (net_kind(then, later), cost(then), cost(later))
    found = {
        (row["mode"], row["model_id"]): (row["net_kind"], row["cost_then"], row["cost_later"])
        for row in asked(engine, "net-change", since=at(since), until=at(until))
    }

    assert found == {key: (kind, near(then), near(later)) for key, (kind, then, later) in expected.items()}


def net_kind(then: Any, later: Any) -> str:
    if ABSENT in (then, later):
        return "new" if then == ABSENT else "removed"
    if None in (then, later):
        return "cost set" if then is None else "cost unset"
    return "up" if later > then else "down"


def cost(value: Any) -> float | None:
    return float(value) if isinstance(value, Fraction) else None


@pytest.mark.parametrize(("first", "end"), [(FIRST, date(2026, 4, 7)), (date(2026, 3, 7), date(2026, 3, 12))])
def test_the_price_index_compares_the_same_models_with_the_first_day(
    engine: Engine, history: RecordedCosts, first: date, end: date
) -> None:
    dates = sorted({first, end - timedelta(days=1), *({date(2026, 3, 31)} if end > date(2026, 3, 31) else ())})
    pairs: dict[tuple[str, str, str], list[tuple[Fraction, Fraction]]] = defaultdict(list)
    for day in dates:
        for key, provider in history.providers.items():
            base, later = history.at_end(key, first), history.at_end(key, day)
            if isinstance(base, Fraction) and isinstance(later, Fraction) and base > 0 and later > 0:
                pairs[day.isoformat(), key[0], provider].append((base, later))
    found = {
        (row["day"], row["mode"], row["provider"]): (row["matched_models"], row["price_index"], row["index_of_sums"])
        for row in asked(engine, "price-index", since=midnight(first), until=midnight(end))
    }

    assert found.keys() == pairs.keys()
    for group, matched in pairs.items():
        count, index, sums = found[group]
        assert count == len(matched)
        assert index == near(100 * sum(later / base for base, later in matched) / len(matched), 2)
        assert sums == near(100 * sum(later for _, later in matched) / sum(base for base, _ in matched), 2)


def test_days_since_the_last_change_count_midnights(engine: Engine, history: RecordedCosts) -> None:
    rows = asked(engine, "days-since-change")

    assert {row["model_id"] for row in rows} == {"acme/sketch", "birch/clip", "cedar/reel", "dune/loop"} | {
        key[1] for key in history.intervals if key[0] == "image" and history.at(key, at("2026-04-07")) != ABSENT
    }
    for row in rows:
        changes = [
            event.changed_at
            for event in history.events[row["mode"], row["model_id"]]
            if event.change_kind in PRICED_CHANGES
            or (event.change_kind == "relisted" and event.old_cost_exact != event.new_cost_exact)
        ]
        last = max(changes, default=None)
        assert row["last_change_at"] == last
        assert row["days_since_change"] == (None if last is None else (LAST - last.date()).days)
        assert row["days_recorded"] == 36


@pytest.mark.parametrize(("first", "end"), [(FIRST, date(2026, 4, 7)), (date(2026, 3, 3), date(2026, 3, 10))])
def test_mean_and_deviation_weigh_each_day_alike(
    engine: Engine, history: RecordedCosts, first: date, end: date
) -> None:
    found = {
        (row["mode"], row["model_id"]): row
        for row in asked(engine, "volatility", since=midnight(first), until=midnight(end))
    }
    expected = {}
    for key in history.intervals:
        costs = [value for day in days(first, end) if isinstance(value := history.at_end(key, day), Fraction)]
        if costs:
            expected[key] = costs

    assert found.keys() == expected.keys()
    for key, costs in expected.items():
        row, mean = found[key], sum(costs) / Fraction(len(costs))
        deviation = sum(abs(value - mean) for value in costs) / len(costs)
        changes = [
            event
            for event in history.events[key]
            if event.change_kind in PRICED_CHANGES and midnight(first) <= event.changed_at < midnight(end)
        ]
        assert (row["priced_days"], row["cost_changes"]) == (len(costs), len(changes))
        assert (float(row["lowest_cost"]), float(row["highest_cost"])) == (float(min(costs)), float(max(costs)))
        assert row["mean_cost"] == near(mean, 6)
        assert row["mean_deviation_pct"] == near(100 * deviation / mean if mean else None, 2)
