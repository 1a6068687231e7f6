"""Times, decimals and ids are read back as they were stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Column, Engine, insert, select
from sqlalchemy.exc import StatementError

from models_db import tables
from models_db.engine import read_transaction, write_transaction

SEEN = datetime(2026, 3, 3, 10, 0, 0, 123456, tzinfo=UTC)


def add_model(engine: Engine, model_id: str = "a", seen: datetime = SEEN) -> None:
    row = insert(tables.models).values(mode="image", model_id=model_id, first_seen_at=seen)
    with write_transaction(engine) as connection:
        connection.execute(row)


def stored_value(engine: Engine, column: Column[Any]) -> Any:
    with read_transaction(engine) as connection:
        return connection.execute(select(column)).scalar_one()


def test_a_time_is_read_back_in_utc_with_microseconds(engine: Engine) -> None:
    add_model(engine, seen=SEEN.astimezone(timezone(timedelta(hours=5, minutes=30))))

    stored = stored_value(engine, tables.models.c.first_seen_at)

    assert stored == SEEN
    assert stored.tzinfo is UTC


def test_a_time_without_a_time_zone_is_an_error(engine: Engine) -> None:
    with pytest.raises(StatementError, match="it has no time zone"):
        add_model(engine, seen=SEEN.replace(tzinfo=None))


@pytest.mark.parametrize("cost", ["0", "0.1", "1.5", "123456789012", "0.000000000001", "99999.123456789"])
def test_a_cost_is_read_back_as_the_same_decimal(engine: Engine, cost: str) -> None:
    with write_transaction(engine) as connection:
        connection.execute(
            insert(tables.models).values(model_pk=1, mode="image", model_id="a", first_seen_at=SEEN),
        )
        connection.execute(insert(tables.credits).values(model_pk=1, default_cost=Decimal(cost)))
    stored = stored_value(engine, tables.credits.c.default_cost)

    assert stored == Decimal(cost)
    assert isinstance(stored, Decimal)


def test_ids_that_differ_in_case_accents_or_trailing_blanks_are_different(engine: Engine) -> None:
    ids = ["Foo", "foo", "Foo ", "föö", "fo\u0308o\u0308"]
    for given in ids:
        add_model(engine, given)

    model_id = tables.models.c.model_id
    with read_transaction(engine) as connection:
        found = {given: list(connection.scalars(select(model_id).where(model_id == given))) for given in ids}
        ordered = list(connection.scalars(select(model_id).order_by(model_id)))

    assert found == {given: [given] for given in ids}
    assert ordered == sorted(ids, key=str.encode)
