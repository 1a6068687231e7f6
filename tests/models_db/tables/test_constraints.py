"""What the constraints reject, so that no error in the program can store it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Table
from sqlalchemy.exc import DBAPIError

from models_db import tables
from models_db.engine import write_transaction

CLOSED = {"valid_to": datetime(2026, 3, 2, tzinfo=UTC), "closed_run_id": 1}
both_kinds = pytest.mark.parametrize("table", [tables.credit_history, tables.model_versions], ids=lambda t: t.name)


@pytest.fixture
def one_model(engine: Engine) -> Engine:
    run = {"run_id": 1, "started_at": at(1), "status": "success", "trigger_kind": "cli", "app_version": "1"}
    with write_transaction(engine) as connection:
        connection.execute(tables.sync_runs.insert(), run)
        model = {"model_pk": 1, "mode": "image", "model_id": "a", "first_seen_at": at(1)}
        connection.execute(tables.models.insert(), model)
    return engine


def at(day: int) -> datetime:
    return datetime(2026, 3, day, tzinfo=UTC)


def add(engine: Engine, table: Table, **values: Any) -> None:
    row = {"model_pk": 1, "valid_from": at(1), "opened_run_id": 1} | values
    if table is tables.model_versions:
        row["raw"] = "{}"
    with write_transaction(engine) as connection:
        connection.execute(table.insert(), row)


@both_kinds
def test_a_closed_interval_and_an_open_one_after_it_are_accepted(one_model: Engine, table: Table) -> None:
    add(one_model, table, **CLOSED)
    add(one_model, table, valid_from=at(2))


@both_kinds
def test_a_second_open_interval_is_rejected(one_model: Engine, table: Table) -> None:
    add(one_model, table)

    with pytest.raises(DBAPIError, match="open_model_pk"):
        add(one_model, table, valid_from=at(2))


@both_kinds
def test_an_interval_cannot_be_reopened_beside_an_open_one(one_model: Engine, table: Table) -> None:
    add(one_model, table, **CLOSED)
    add(one_model, table, valid_from=at(2))

    with pytest.raises(DBAPIError, match="open_model_pk"), write_transaction(one_model) as connection:
        connection.execute(table.update().values(valid_to=None, closed_run_id=None))


@both_kinds
@pytest.mark.parametrize("day", [2, 3], ids=["empty", "backward"])
def test_an_empty_or_backward_interval_is_rejected(one_model: Engine, table: Table, day: int) -> None:
    with pytest.raises(DBAPIError, match="forward"):
        add(one_model, table, valid_from=at(day), **CLOSED)


@both_kinds
@pytest.mark.parametrize("lacking", ["valid_to", "closed_run_id"])
def test_a_closed_interval_has_an_end_and_a_run(one_model: Engine, table: Table, lacking: str) -> None:
    with pytest.raises(DBAPIError, match="closed_by_a_run"):
        add(one_model, table, **(CLOSED | {lacking: None}))


def test_an_id_is_unique_within_a_mode(one_model: Engine) -> None:
    video = {"mode": "video", "model_id": "a", "first_seen_at": at(1)}
    with write_transaction(one_model) as connection:
        connection.execute(tables.models.insert(), video | {"model_pk": 2})

    with pytest.raises(DBAPIError), write_transaction(one_model) as connection:
        connection.execute(tables.models.insert(), video | {"model_pk": 3})


@pytest.mark.parametrize("change", [{"mode": "audio"}, {"mode": "Image"}, {"mode": None}, {"model_id": None}])
def test_a_value_that_is_not_allowed_is_rejected(one_model: Engine, change: dict[str, Any]) -> None:
    row = {"mode": "image", "model_id": "b", "first_seen_at": at(1)} | change

    with pytest.raises(DBAPIError), write_transaction(one_model) as connection:
        connection.execute(tables.models.insert(), row)


def test_a_row_without_its_model_is_rejected(one_model: Engine) -> None:
    with pytest.raises(DBAPIError), write_transaction(one_model) as connection:
        connection.execute(tables.credits.insert(), {"model_pk": 2})


def test_the_id_of_a_deleted_run_is_not_reused(engine: Engine) -> None:
    run = {"started_at": at(1), "status": "running", "trigger_kind": "cli", "app_version": "1"}
    with write_transaction(engine) as connection:
        first = connection.execute(tables.sync_runs.insert().values(run)).inserted_primary_key
        connection.execute(tables.sync_runs.delete())
    with write_transaction(engine) as connection:
        second = connection.execute(tables.sync_runs.insert().values(run)).inserted_primary_key

    assert first is not None
    assert second is not None
    assert second[0] > first[0]
