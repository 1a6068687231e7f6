"""The expected rows of the daily views, computed day by day from a made-up history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from tests.replays.truth import Key, State, Truth, cleaned, cost_of
from tests.replays.view_contents import Figures, fraction, rounded, rows

_DAY = timedelta(days=1)
_SLACK = Fraction(1, 10**11)  # a mean is rounded twice: by the database and here

Ends = dict[date, Fraction | str | None]
"""What a model cost at the end of each day, rounded to 12 places; ``GONE`` when it was not listed."""
GONE = "gone"


def ends_of_days(truth: Truth) -> dict[Key, Ends]:
    return {key: dict(_ends(story, truth.observed[-1].date())) for key, story in truth.stories.items()}


def daily_findings(connection: Connection, truth: Truth, figures: Figures) -> Iterator[str]:
    expected = ends_of_days(truth)
    names = {key: _names(truth, key) for key in expected}
    columns = "day, mode, model_id, model_name, provider, credit_cost, is_listed"
    for day, mode, id_, name, provider, cost, is_listed in rows(connection, columns, "v_credit_cost_daily"):
        right = expected[mode, id_].pop(_date(day), "no such row")
        listed = figures.agree(cost, right) if not isinstance(right, str) else right == GONE and cost is None
        if not listed or is_listed != (right != GONE) or (name, provider) != names[mode, id_]:
            yield f"daily: {day} {mode} {id_!r} is {name!r} {provider!r} {cost} {is_listed}, not {right}"
    yield from (f"daily: {key} lacks {min(days)}" for key, days in expected.items() if days)


def provider_findings(connection: Connection, truth: Truth, figures: Figures) -> Iterator[str]:
    """Differences in both provider views: each day, and now, which is the end of the last day."""
    expected = _by_provider(truth)
    last = truth.observed[-1].date()
    now = {group[1:]: [*costs] for group, costs in expected.items() if group[0] == last}
    columns = "mode, provider, model_count, priced_model_count, min_credit_cost, avg_credit_cost, max_credit_cost"
    for day, *row in rows(connection, f"day, {columns}", "v_provider_costs_daily"):
        yield from _statistics_findings(row, expected.pop((_date(day), *row[:2]), []), figures)
    for current in rows(connection, columns, "v_provider_costs"):
        yield from _statistics_findings(current, now.pop(current[:2], []), figures)
    yield from (f"providers: {group} is missing" for group in [*expected, *now])


def _ends(story: list[State], last: date) -> Iterator[tuple[date, Fraction | str | None]]:
    costs = [GONE if one.value is None else rounded(fraction(cost_of(one.value))) for one in story]
    day, number = story[0].since.date(), 0
    while day <= last:
        midnight = datetime.combine(day + _DAY, time(), UTC)
        while number + 1 < len(story) and story[number + 1].since < midnight:
            number += 1
        yield day, costs[number]
        day += _DAY


def _by_provider(truth: Truth) -> dict[tuple[Any, ...], list[Fraction | None]]:
    groups: dict[tuple[Any, ...], list[Fraction | None]] = {}
    for key, ends in ends_of_days(truth).items():
        _, provider = _names(truth, key)
        for day, cost in ends.items():
            if not isinstance(cost, str):
                groups.setdefault((day, key[0], provider), []).append(cost)
    return groups


def _statistics_findings(row: Any, costs: list[Fraction | None], figures: Figures) -> Iterator[str]:
    priced = [cost for cost in costs if cost is not None]
    right = (min(priced), sum(priced, Fraction(0)) / len(priced), max(priced)) if priced else (None, None, None)
    # On SQLite a sum of doubles has rounding errors.
    slack = max((cost / 10**13 for cost in priced), default=Fraction(0)) + _SLACK
    agree = (figures.agree(stored, one, slack=slack) for stored, one in zip(row[4:], right, strict=True))
    if (row[2], row[3]) != (len(costs), len(priced)) or not all(agree):
        yield f"providers: {row} should be {len(costs)}, {len(priced)}, {[str(one) for one in right]}"


def _names(truth: Truth, key: Key) -> tuple[str | None, str | None]:
    value = truth.last_named(key)
    return cleaned(value.get("name")), cleaned(value.get("provider"))


def _date(day: Any) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day
