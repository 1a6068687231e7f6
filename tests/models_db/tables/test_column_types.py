"""What is stored comes back as it was: times, decimals, ids."""

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


def one(engine: Engine, column: Column[Any]) -> Any:
    with read_transaction(engine) as connection:
        return connection.execute(select(column)).scalar_one()


def test_a_time_comes_back_in_utc_to_the_microsecond(engine: Engine) -> None:
    add_model(engine, seen=SEEN.astimezone(timezone(timedelta(hours=5, minutes=30))))

    stored = one(engine, tables.models.c.first_seen_at)

    assert stored == SEEN
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="it has no time zone"):
        add_model(engine, seen=SEEN.replace(tzinfo=None))


@pytest.mark.parametrize("cost", ["0", "0.1", "1.5", "123456789012", "0.000000000001", "99999.123456789"])
def test_a_cost_comes_back_as_the_decimal_it_was(engine: Engine, cost: str) -> None:
    with write_transaction(engine) as connection:
        connection.execute(
            insert(tables.models).values(model_pk=1, mode="image", model_id="a", first_seen_at=SEEN),
        )
        connection.execute(insert(tables.credits).values(model_pk=1, default_cost=Decimal(cost)))
    stored = one(engine, tables.credits.c.default_cost)

    assert stored == Decimal(cost)
    assert isinstance(stored, Decimal)


def test_ids_differ_in_case_accent_and_trailing_blank(engine: Engine) -> None:
    ids = ["Foo", "foo", "Foo ", "föö", "fo\u0308o\u0308"]
    for wanted in ids:
        add_model(engine, wanted)

    model_id = tables.models.c.model_id
    with read_transaction(engine) as connection:
        found = {wanted: list(connection.scalars(select(model_id).where(model_id == wanted))) for wanted in ids}
        ordered = list(connection.scalars(select(model_id).order_by(model_id)))

    assert found == {wanted: [wanted] for wanted in ids}
    assert ordered == sorted(ids, key=str.encode)
