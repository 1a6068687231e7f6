"""The rows of the views for charts, and of the daily views, against a computation in Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from models_db import tables
from models_db.engine import read_transaction, write_transaction

DAY = timedelta(days=1)
BEGIN = datetime(2024, 1, 20, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
COSTS = (None, "0", "0.000000000001", "0.5", "3", "4.25", "99999999999", "100000000000")
MODELS, DAYS = 12, 110


@dataclass(frozen=True)
class Interval:
    pk: int
    begin: datetime
    end: datetime | None
    cost: str | None
    gap_to: datetime | None


@dataclass(frozen=True)
class Made:
    """What is stored: intervals of costs, and the successful syncs of each day by mode."""

    days: int
    intervals: list[Interval]
    watched: dict[tuple[str, int], int]

    @property
    def day_ends(self) -> list[datetime]:
        return [BEGIN + (number + 1) * DAY for number in range(self.days)]

    def at(self, pk: int, moment: datetime) -> Interval | None:
        """The interval of a model just before a moment; None where it is not listed."""
        found = [one for one in self.intervals if one.pk == pk and one.begin < moment]
        return next((one for one in found if one.end is None or one.end >= moment), None)


def make(days: int) -> Made:
    chance = random.Random(days)
    intervals = [one for pk in range(1, MODELS + 1) for one in _life(chance, pk, days)]
    watched = {(mode, number): chance.choice((0, 1, 3)) for mode in ("image", "video") for number in range(days)} | {
        ("image", 0): 1
    }
    return Made(days, intervals, watched)


def _life(chance: random.Random, pk: int, days: int) -> Iterator[Interval]:
    """Changes of the cost at any time, some at midnight, and gaps; some models are removed at the end."""
    begin = BEGIN + chance.random() * (days - 1) / 2 * DAY
    last = BEGIN + days * DAY - timedelta(hours=1)
    cost = chance.choice(COSTS)
    while True:
        end = begin + chance.choice((1, 2, 9, 40)) * DAY * chance.choice((0.4, 1))
        if chance.random() < 0.2:
            end = end.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        if end >= last:
            removed = chance.random() < 0.3
            yield Interval(pk, begin, last if removed else None, cost, NEVER if removed else None)
            return
        gap = chance.random() < 0.3 and end + DAY * 1.5 < last
        following = end + DAY * 1.5 if gap else end
        yield Interval(pk, begin, end, cost, following if gap else None)
        begin, cost = following, chance.choice([other for other in COSTS if gap or other != cost])


def store(connection: Connection, made: Made) -> None:
    run = {"run_id": 1, "started_at": BEGIN, "status": "success", "trigger_kind": "cli", "app_version": "1"}
    connection.execute(tables.sync_runs.insert(), run)
    for end in made.day_ends:
        day = {"day": (end - DAY).date(), "day_start_at": end - DAY, "day_end_at": end}
        connection.execute(tables.calendar_days.insert(), day)
    for pk in range(1, MODELS + 1):
        model = {"model_pk": pk, "mode": mode_of(pk), "model_id": f"m{pk}", "series": f"m{pk} ({mode_of(pk)})"}
        connection.execute(tables.models.insert(), {**model, "provider": f"p{pk % 3}", "first_seen_at": BEGIN})
    for one in made.intervals:
        cost = {"default_cost": one.cost and Decimal(one.cost), "default_cost_exact": one.cost}
        times = {"valid_from": one.begin, "valid_to": one.end, "gap_to": one.gap_to}
        run_ids = {"opened_run_id": 1, "closed_run_id": one.end and 1}
        connection.execute(tables.credit_history.insert(), {"model_pk": one.pk, **cost, **times, **run_ids})
    for (mode, number), syncs in made.watched.items():
        if syncs:
            first = BEGIN + number * DAY + timedelta(hours=2)
            row = {"mode": mode, "day": first.date(), "successful_syncs": syncs, "first_success_at": first}
            gap = None if not number else 5400 * syncs
            connection.execute(
                tables.watch_days.insert(),
                {**row, "last_success_at": first + timedelta(hours=syncs), "longest_gap_seconds": gap},
            )


def mode_of(pk: int) -> str:
    return ("image", "video")[pk % 2]


@pytest.fixture(params=[3, DAYS])
def made(engine: Engine, request: pytest.FixtureRequest) -> Made:
    history = make(request.param)
    with write_transaction(engine) as connection:
        store(connection, history)
    return history


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    """Times as text without a zone, and numbers as fractions."""
    with read_transaction(engine) as connection:
        return [tuple(map(_plain, row)) for row in connection.execute(text(query))]


def _plain(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return Fraction(str(value))
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value if isinstance(value, str | int) or value is None else value.isoformat()


def moment(value: datetime) -> Any:
    return _plain(value)


def number(cost: str | None) -> Fraction | None:
    return None if cost is None else Fraction(cost)


def test_the_steps_are_the_begins_of_costs_and_of_gaps(engine: Engine, made: Made) -> None:
    query = "SELECT mode, model_id, step_at, credit_cost, credit_cost_exact, is_listed FROM v_credit_cost_steps"
    expected = []
    for one in made.intervals:
        names = mode_of(one.pk), f"m{one.pk}"
        expected.append((*names, moment(one.begin), number(one.cost), one.cost, 1))
        if one.gap_to:
            assert one.end
            expected.append((*names, moment(one.end), None, None, 0))

    assert sorted(rows(engine, query), key=repr) == sorted(expected, key=repr)


def test_net_movers_are_the_models_whose_cost_differs_at_both_ends(engine: Engine, made: Made) -> None:
    columns = "period_days, model_id, period_start_at, cost_then, cost_now, is_new, is_gone, net_change"
    found = {row[:8]: row[8:] for row in rows(engine, f"SELECT {columns}, net_pct, rank_pct FROM v_net_movers")}
    expected = dict(movers(made))

    assert {key[:7] for key in found} == {key[:7] for key in expected}
    by_model = {key[:2]: (key[7], *found[key]) for key in found}
    for key, percent in expected.items():
        change, net_pct, rank = by_model[key[:2]]
        assert _agree(change, key[7])
        assert _agree(net_pct, percent)
        assert _agree(rank, Fraction(-1) if percent is None else abs(percent))


def movers(made: Made) -> Iterator[tuple[tuple[Any, ...], Fraction | None]]:
    for period in (7, 30, 90):
        start = made.day_ends[max(0, len(made.day_ends) - 1 - period)]
        for pk in range(1, MODELS + 1):
            then = made.at(pk, start)
            now = next((one for one in made.intervals if one.pk == pk and one.end is None), None)
            old, new = then.cost if then else None, now.cost if now else None
            if old == new:
                continue
            change = None if old is None or new is None else Fraction(new) - Fraction(old)
            percent = None if change is None or not old or not Fraction(old) else change / Fraction(old) * 100
            percent = None if percent is None or abs(percent) >= 10**18 else percent
            flags = int(then is None), int(now is None)
            yield (period, f"m{pk}", moment(start), number(old), number(new), *flags, change), percent


def _agree(stored: Fraction | None, right: Fraction | None) -> bool:
    """To the digits of a double, and to the 6 decimals of a percentage."""
    if stored is None or right is None:
        return stored is right
    return abs(stored - right) <= max(Fraction(1, 10**6), abs(right) / 10**13)


def test_a_watched_day_has_its_syncs_and_a_day_without_one_is_a_gap(engine: Engine, made: Made) -> None:
    columns = "mode, day, successful_syncs, first_success_at, last_success_at, longest_gap_hours, is_gap, day_start_at"
    expected = []
    for mode in ("image", "video"):
        first = next((day for day in range(made.days) if made.watched[mode, day]), made.days)
        for day in range(first, made.days):
            start, syncs = BEGIN + day * DAY, made.watched[mode, day]
            at = start + timedelta(hours=2)
            times = (moment(at), moment(at + timedelta(hours=syncs))) if syncs else (None, None)
            gap = Fraction(3, 2) * syncs if syncs and day else None
            expected.append((mode, start.date().isoformat(), syncs, *times, gap, int(not syncs), moment(start)))

    assert sorted(rows(engine, f"SELECT {columns} FROM v_watch_daily"), key=repr) == sorted(expected, key=repr)


def test_the_daily_rows_are_the_costs_at_the_end_of_each_day(engine: Engine, made: Made) -> None:
    columns = "mode, model_id, series, day, day_start_at, credit_cost, is_listed"
    expected = []
    for pk in range(1, MODELS + 1):
        first = min(one.begin for one in made.intervals if one.pk == pk)
        for end in made.day_ends:
            if end > first:
                one, start = made.at(pk, end), end - DAY
                names = mode_of(pk), f"m{pk}", f"m{pk} ({mode_of(pk)})"
                cost = number(one.cost) if one else None
                expected.append((*names, start.date().isoformat(), moment(start), cost, int(one is not None)))

    assert sorted(rows(engine, f"SELECT {columns} FROM v_credit_cost_daily"), key=repr) == sorted(expected, key=repr)


def test_the_daily_costs_of_providers_are_those_of_their_listed_models(engine: Engine, made: Made) -> None:
    columns = "mode, provider, day_start_at, model_count, priced_model_count, min_credit_cost, max_credit_cost"
    groups: dict[tuple[str, str, datetime], list[str | None]] = {}
    for end in made.day_ends:
        for pk in range(1, MODELS + 1):
            if one := made.at(pk, end):
                groups.setdefault((mode_of(pk), f"p{pk % 3}", end - DAY), []).append(one.cost)
    expected = []
    for (mode, provider, start), costs in groups.items():
        priced = [Fraction(cost) for cost in costs if cost is not None]
        ends = (min(priced), max(priced)) if priced else (None, None)
        expected.append((mode, provider, moment(start), len(costs), len(priced), *ends))

    assert sorted(rows(engine, f"SELECT {columns} FROM v_provider_costs_daily"), key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize("view", ["v_credit_cost_daily", "v_provider_costs_daily", "v_watch_daily"])
def test_i8_a_period_by_day_start_at_has_its_first_day_and_not_the_one_after_it(
    engine: Engine, made: Made, view: str
) -> None:
    """The times are written as Superset does for SQLite."""
    last = made.day_ends[-1] - DAY
    first = last - 2 * DAY
    period = f"day_start_at >= '{first:%Y-%m-%d %H:%M:%S}' AND day_start_at < '{last:%Y-%m-%d %H:%M:%S}'"
    found = rows(engine, f"SELECT DISTINCT day FROM {view} WHERE {period} ORDER BY day")
    every = rows(engine, f"SELECT DISTINCT day FROM {view} ORDER BY day")

    assert found == [day for day in every if first.date().isoformat() <= day[0] < last.date().isoformat()] != []
