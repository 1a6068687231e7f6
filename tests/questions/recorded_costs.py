"""The recorded costs of a database, read row by row and computed in Python: what the questions must agree with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from models_db.engine import read_transaction
from models_db.tables import catalog_changes, credit_history, models
from sync.store.answers import answer
from sync.store.questions import questions

NOW = datetime(2026, 4, 6, 12, tzinfo=UTC)
"""After the last run of ``make_history``."""

Key = tuple[str, str]
ABSENT = "absent"
"""In the place of a cost, of a model that was not listed."""


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def near(value: float | Fraction | None, places: int = 9) -> Any:
    """What equals the number up to a unit of the last place, because SQLite computes with doubles."""
    return None if value is None else pytest.approx(float(value), abs=10.0**-places)


def days(first: date, end: date) -> Iterator[date]:
    """Each day from the first on, without the end."""
    for number in range((end - first).days):
        yield first + timedelta(days=number)


def asked(engine: Engine, name: str, **given: Any) -> list[dict[str, Any]]:
    """The answer of a question as rows by column; numbers with decimals are floats."""
    question = questions()[name]
    with read_transaction(engine) as connection:
        found = answer(connection, question, question.values(given, NOW))
    rows = [[float(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in found.rows]
    return [dict(zip(found.columns, row, strict=True)) for row in rows]


@dataclass(frozen=True)
class RecordedCosts:
    """The stored intervals and cost events of every model."""

    intervals: Mapping[Key, list[Any]]
    events: Mapping[Key, list[Any]]
    providers: Mapping[Key, str]

    def at(self, key: Key, moment: datetime) -> Fraction | str | None:
        """The recorded cost; None without one, ``ABSENT`` while not listed."""
        for row in self.intervals[key]:
            if row.valid_from <= moment and (row.valid_to is None or moment < row.valid_to):
                return exact(row.default_cost_exact)
        return ABSENT

    def at_end(self, key: Key, day: date) -> Fraction | str | None:
        """The cost at the end of a day: a change at the next midnight is not of the day."""
        return self.at(key, midnight(day) + timedelta(days=1) - timedelta(microseconds=1))

    def possible(self, key: Key, moment: datetime) -> set[Fraction | str | None]:
        """The recorded cost and each that a change may have brought by then, though it was seen later."""
        found = {self.at(key, moment)}
        for event in self.events[key]:
            if event.not_before and event.not_before <= moment < event.changed_at and event.change_kind != "removed":
                found.add(exact(event.new_cost_exact))
        return found


def exact(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def recorded_costs(engine: Engine) -> RecordedCosts:
    with read_transaction(engine) as connection:
        keys = {row.model_pk: row for row in connection.execute(select(models))}
        return RecordedCosts(
            _by_model(connection, keys, select(credit_history).order_by(credit_history.c.valid_from)),
            _by_model(connection, keys, select(catalog_changes).where(catalog_changes.c.is_cost_event == 1)),
            {(row.mode, row.model_id): row.provider for row in keys.values()},
        )


def _by_model(connection: Connection, keys: Mapping[int, Any], query: Any) -> dict[Key, list[Any]]:
    found: dict[Key, list[Any]] = {(row.mode, row.model_id): [] for row in keys.values()}
    for row in connection.execute(query):
        model = keys[row.model_pk]
        found[model.mode, model.model_id].append(row)
    return found
