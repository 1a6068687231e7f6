"""The questions about month ends, evidence, gaps and mixes, on a known history."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from sqlalchemy import Engine

from sync.run.source_check import Acceptance
from tests.questions.question_history import make_history
from tests.questions.recorded_costs import ABSENT, RecordedCosts, asked, days, midnight, near, recorded_costs
from tests.support.made_responses import model
from tests.support.run_driver import Host


@pytest.fixture
def history(engine: Engine) -> RecordedCosts:
    make_history(engine)
    return recorded_costs(engine)


def test_month_ends_stand_side_by_side_with_the_cost_now(engine: Engine, history: RecordedCosts) -> None:
    rows = asked(engine, "month-ends", until=midnight(date(2026, 4, 6)))
    march = date(2026, 3, 31)

    assert {(row["month_1"], row["month_2"], row["month_3"], row["cost_3"]) for row in rows} == {
        ("2026-03", None, None, None)
    }
    listed = {key for key in history.intervals if history.at_end(key, march) != ABSENT}
    assert listed <= {(row["mode"], row["model_id"]) for row in rows}
    for row in rows:
        key = (row["mode"], row["model_id"])
        for column, cost in (
            ("cost_1", history.at_end(key, march)),
            ("cost_now", history.at(key, midnight(date(2027, 1, 1)))),
        ):
            assert row[column] == near(cost if isinstance(cost, Fraction) else None)


def test_before_the_first_month_end_there_are_costs_of_now_alone(engine: Engine, history: RecordedCosts) -> None:
    (paint,) = asked(engine, "month-ends", until=midnight(date(2026, 3, 31)))[:1]

    assert (paint["month_1"], paint["cost_1"], paint["cost_now"]) == (None, None, 0.3)
    assert asked(engine, "quarter-end", until=midnight(date(2026, 3, 31))) == []


def test_a_quarter_end_has_the_models_listed_then_by_provider(engine: Engine, history: RecordedCosts) -> None:
    found = {(row["mode"], row["provider"]): row for row in asked(engine, "quarter-end")}
    expected: dict[tuple[str, str], list[Fraction | str | None]] = {}
    for key, provider in history.providers.items():
        cost = history.at_end(key, date(2026, 3, 31))
        if cost != ABSENT:
            expected.setdefault((key[0], provider), []).append(cost)

    assert found.keys() == expected.keys()
    for group, costs in expected.items():
        priced = [cost for cost in costs if isinstance(cost, Fraction)]
        row = found[group]
        assert (row["day"], row["model_count"], row["priced_model_count"]) == ("2026-03-31", len(costs), len(priced))
        numbers = (min(priced), sum(priced) / Fraction(len(priced)), max(priced)) if priced else ()
        assert [row[f"{name}_credit_cost"] for name in ("min", "avg", "max")] == (
            [near(number) for number in numbers] or [None] * 3
        )


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_the_evidence_of_a_price_is_in_the_responses_around_the_moment(engine: Engine, history: RecordedCosts) -> None:
    rows = asked(engine, "evidence", mode="image", model="acme/sketch", at=at(3, 6))

    # 4 from 3 March on; 6 was seen on 8 March, after the sync of 5 March
    assert [(row["evidence"], row["seen_at"].day, row["is_same_price"]) for row in rows] == [
        ("first seen", 3, 1),
        ("last seen", 5, 1),
        ("next sync", 8, 0),
    ]
    assert {row["credit_cost_exact"] for row in rows} == {"4"}
    assert len({row["payload_sha256"] for row in rows}) == 3
    assert [(row["http_status"], row["seal_no"] + 1) for row in rows] == [(200, row["run_id"]) for row in rows]
    assert all(row["payload_bytes"] > 0 for row in rows)
    assert all(row["possible_from"] < rows[0]["seen_at"] for row in rows)


def test_what_a_person_accepted_has_who_why_and_what_was_removed(engine: Engine) -> None:
    host = Host(engine)
    host.sync([model(name, cost=1) for name in "abcd"], [])
    host.sync([], [], accept="all", acceptance=Acceptance(by="Ada", why="the vendor's list"))

    (image, video) = asked(engine, "accepted")
    assert [(row["run_id"], row["seal_no"], row["cost_changes"]) for row in (image, video)] == [(2, 1, 0), (2, 1, 0)]
    assert (image["models_removed"], video["models_removed"]) == (4, 0)
    assert json.loads(image["accepted"]) == {"removals": {"image": 4}, "by": "Ada", "why": "the vendor's list"}


def test_evidence_at_the_begin_at_the_end_and_outside_of_a_listing(engine: Engine, history: RecordedCosts) -> None:
    def evidence(model: str, moment: datetime) -> list[tuple[str, int]]:
        rows = asked(engine, "evidence", mode="image", model=model, at=moment)
        return [(row["evidence"], row["is_same_price"]) for row in rows]

    (first,) = (row.valid_from for row in history.intervals["image", "birch/photo"][:1])
    assert evidence("birch/photo", first) == [("first seen", 1), ("last seen", 1), ("next sync", 1)]
    assert evidence("acme/sketch", at(4, 7)) == [("first seen", 1), ("last seen", 1)]
    assert evidence("cedar/old", at(3, 5)) == evidence("no/such", at(3, 5)) == []


def test_the_mix_is_priced_by_the_mean_of_the_month_and_by_the_cost_now(engine: Engine, history: RecordedCosts) -> None:
    rows = asked(
        engine, "mix-today", mode="image", model="acme/sketch", number=10, mode2="video", model2="birch/clip", number2=3
    )

    assert [row["model_id"] for row in rows] == ["acme/sketch", "birch/clip"]
    for row in rows:
        key = (row["mode"], row["model_id"])
        costs = [history.at_end(key, day) for day in days(date(2026, 3, 1), date(2026, 4, 1))]
        mean = sum(cost for cost in costs if isinstance(cost, Fraction)) / Fraction(31)
        now = history.at(key, at(4, 7))
        assert isinstance(now, Fraction)
        assert row["mean_cost_then"] == near(mean, 6)
        assert row["credits_then"] == near(mean * row["generations"], 5)
        assert row["credits_now"] == near(now * row["generations"])
        assert row["change_pct"] == near(100 * (now - mean) / mean, 2)
    assert rows[0]["all_credits_then"] == near(sum(row["credits_then"] for row in rows), 5)
    assert rows[0]["all_credits_now"] == rows[0]["credits_now"] + rows[1]["credits_now"]


def test_a_model_without_a_cost_now_leaves_the_other_in_the_mix(engine: Engine, history: RecordedCosts) -> None:
    gone, kept = asked(
        engine, "mix-today", mode="image", model="cedar/old", number=1, mode2="video", model2="birch/clip", number2=2
    )

    assert (gone["mean_cost_then"], gone["credits_now"], gone["change_pct"]) == (7, None, None)
    assert gone["all_credits_now"] == kept["credits_now"]


def test_the_widest_gaps_have_the_changes_that_were_found_at_their_end(engine: Engine, history: RecordedCosts) -> None:
    rows = asked(engine, "widest-gaps", number=2)
    found = [(row["mode"], row["day"], row["longest_gap_hours"], row["unsure_changes"]) for row in rows]

    assert [(mode, day, round(float(hours)), changes) for mode, day, hours, changes in found] == WIDEST
    assert asked(engine, "widest-gaps", number=0) == []


WIDEST = [
    ("image", "2026-04-05", 625, 1),
    ("image", "2026-03-08", 73, 2),
    ("video", "2026-04-05", 625, 0),
    ("video", "2026-03-08", 120, 2),
]
