"""The names and columns of the views, on which users' SQL depends, and their rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from models_db import tables
from models_db.engine import read_transaction, write_transaction

CONTRACT = {
    "v_current_catalog": "mode, model_id, model_name, provider, credit_cost, credit_cost_exact, credit_notes,"
    " credit_cost_since, first_seen_at, last_seen_at, description",
    "v_credit_cost_changes": "changed_at, not_before, mode, model_id, model_name, provider, change_kind, old_cost,"
    " new_cost, old_cost_exact, new_cost_exact, delta_cost, pct_change, run_id, unsure_hours",
    "v_credit_cost_history": "mode, model_id, model_name, provider, credit_cost, credit_cost_exact, valid_from,"
    " valid_to, is_current, opened_run_id, closed_run_id, series, possible_from",
    "v_credit_cost_daily": "day, mode, model_id, model_name, provider, credit_cost, is_listed, series, day_start_at",
    "v_credit_cost_steps": "mode, model_id, series, model_name, provider, step_at, credit_cost, credit_cost_exact,"
    " is_listed",
    "v_net_movers": "period_days, mode, model_id, series, model_name, provider, cost_then, cost_now, net_change,"
    " net_pct, rank_pct, is_new, is_gone, period_start_at",
    "v_provider_costs": "mode, provider, model_count, priced_model_count, min_credit_cost, avg_credit_cost,"
    " max_credit_cost",
    "v_provider_costs_daily": "day, mode, provider, model_count, priced_model_count, min_credit_cost,"
    " avg_credit_cost, max_credit_cost, day_start_at",
    "v_catalog_changes": "changed_at, not_before, mode, model_id, model_name, provider, entity, field, change_kind,"
    " old_value, new_value, run_id, trigger_kind, app_version",
    "v_model_credit_details": "mode, model_id, model_name, provider, path, value, value_number",
    "v_model_params": "mode, model_id, model_name, provider, param_name, data_type, is_required, default_value,"
    " min_value, max_value, option_value",
    "v_model_inputs": "mode, model_id, model_name, provider, input_name, requirement",
    "v_model_capabilities": "mode, model_id, model_name, provider, capability, value",
    "v_rejected_models": "mode, model_id, reason, since, raw",
    "v_calendar_days": "day, day_start_at, day_end_at, month, is_month_end",
    "v_watch_daily": "day, mode, successful_syncs, first_success_at, last_success_at, longest_gap_hours, is_gap,"
    " day_start_at",
    "v_sync_runs": "run_id, started_at, observed_at, finished_at, status, trigger_kind, base_url, error_type,"
    " error_message, note, app_version, mode, mode_status, http_status, attempts, asked_at, previous_success_at,"
    " models_reported, models_received, models_rejected, models_added, models_changed, models_removed,"
    " removals_held, payload_bytes, payload_sha256, response_age, host, key_fingerprint, accepted, stamp, is_good,"
    " hold_reason, held_ids, models_listed",
    "v_seals": "seal_no, run_id, kind, leaf_hash, tree_root",
}


OPEN_GAP_END = datetime(9999, 12, 31, tzinfo=UTC)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


MODELS = [
    # a costs 3, then 1.5; b has no cost; c was removed on the third day; D is in the other mode
    {"model_pk": 1, "mode": "image", "model_id": "a", "name": "A", "provider": "x", "first_seen_at": at(1, 10)},
    {"model_pk": 2, "mode": "image", "model_id": "b", "name": "B", "provider": "x", "first_seen_at": at(1, 10)},
    {"model_pk": 3, "mode": "image", "model_id": "c", "name": "C", "provider": "x", "first_seen_at": at(1, 10)},
    {"model_pk": 4, "mode": "video", "model_id": "a", "name": "D", "provider": "y", "first_seen_at": at(2, 10)},
]
INTERVALS: list[dict[str, Any]] = [
    {"model_pk": 1, "valid_from": at(1, 10), "valid_to": at(2), "cost": "3"},
    {"model_pk": 1, "valid_from": at(2), "valid_to": None, "cost": "1.5"},
    {"model_pk": 2, "valid_from": at(1, 10), "valid_to": None, "cost": None},
    {"model_pk": 3, "valid_from": at(1, 10), "valid_to": at(3, 12), "cost": "6", "gap_to": OPEN_GAP_END},
    {"model_pk": 4, "valid_from": at(2, 10), "valid_to": None, "cost": "4"},
]


@pytest.fixture
def catalog(engine: Engine) -> Engine:
    """Three days with a cost that halves, a model without a cost, a removed one, and one in the other mode."""
    with write_transaction(engine) as connection:
        run = {"run_id": 1, "started_at": at(1), "status": "success", "trigger_kind": "cli", "app_version": "1"}
        connection.execute(tables.sync_runs.insert(), run)
        connection.execute(tables.sync_runs.insert(), run | {"run_id": 2, "status": "failed"})
        run_mode = {"run_id": 1, "mode": "image", "status": "success", "attempts": 1}
        connection.execute(tables.sync_run_modes.insert(), run_mode)
        connection.execute(tables.models.insert(), MODELS)
        connection.execute(tables.models.update().where(tables.models.c.model_pk == 3).values(removed_at=at(3, 12)))
        connection.execute(tables.sync_state.update().values(good_observed_at=at(3, 12)))
        for interval in INTERVALS:
            connection.execute(tables.credit_history.insert(), _interval(**interval))
            if interval["valid_to"] is None:
                connection.execute(tables.credits.insert(), _credits(**interval))
        for day in (1, 2, 3):
            row = {"day": at(day).date(), "day_start_at": at(day), "day_end_at": at(day + 1)}
            connection.execute(tables.calendar_days.insert(), row)
    return engine


def _interval(
    *, model_pk: int, valid_from: datetime, valid_to: datetime | None, cost: str | None, gap_to: datetime | None = None
) -> dict[str, Any]:
    return {
        "model_pk": model_pk,
        "valid_from": valid_from,
        "gap_to": gap_to,
        "valid_to": valid_to,
        "default_cost": cost and Decimal(cost),
        "default_cost_exact": cost,
        "opened_run_id": 1,
        "closed_run_id": valid_to and 1,
    }


def _credits(*, model_pk: int, cost: str | None, **_: object) -> dict[str, Any]:
    return {"model_pk": model_pk, "default_cost": cost and Decimal(cost), "default_cost_exact": cost}


def query_rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    """The rows with costs as decimals and days as text, whatever types the driver returns."""
    with read_transaction(engine) as connection:
        return [tuple(map(_plain, row)) for row in connection.execute(text(query))]


def _plain(value: object) -> object:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, date):
        return value.isoformat()
    return value


def test_the_views_have_their_columns_in_order(engine: Engine) -> None:
    inspector = inspect(engine)
    columns = {
        name: ", ".join(column["name"] for column in inspector.get_columns(name)) for name in inspector.get_view_names()
    }

    assert columns == CONTRACT


def test_the_current_catalog_has_the_listed_models_and_their_costs(catalog: Engine) -> None:
    rows = query_rows(
        catalog, "SELECT mode, model_id, credit_cost_exact FROM v_current_catalog ORDER BY mode, model_id"
    )

    assert rows == [("image", "a", "1.5"), ("image", "b", None), ("video", "a", "4")]


def test_a_listed_model_was_last_seen_at_the_last_successful_sync_of_its_mode(catalog: Engine) -> None:
    assert query_rows(
        catalog, "SELECT COUNT(*) FROM v_current_catalog JOIN sync_state ON good_observed_at = last_seen_at"
    ) == [(6,)]  # three models, two modes with the same stamp


def test_a_current_cost_has_the_start_of_its_open_interval(catalog: Engine) -> None:
    query = (
        "SELECT model_id FROM v_current_catalog JOIN credit_history ON valid_from = credit_cost_since"
        " WHERE default_cost_exact = '1.5'"
    )

    assert query_rows(catalog, query) == [("a",)]


def test_the_history_has_every_interval_and_marks_the_current_one(catalog: Engine) -> None:
    query = "SELECT model_id, credit_cost_exact, is_current FROM v_credit_cost_history WHERE mode = 'image'"

    assert sorted(query_rows(catalog, query), key=str) == [
        ("a", "1.5", 1),
        ("a", "3", 0),
        ("b", None, 1),
        ("c", "6", 0),
    ]


def test_a_day_has_the_cost_at_its_end(catalog: Engine) -> None:
    """A change at midnight belongs to the new day. The model c is not listed at the end of the third day."""
    query = (
        "SELECT day, model_id, credit_cost, is_listed FROM v_credit_cost_daily"
        " WHERE mode = 'image' AND model_id <> 'b' ORDER BY model_id, day"
    )

    assert query_rows(catalog, query) == [
        ("2026-03-01", "a", Decimal(3), 1),
        ("2026-03-02", "a", Decimal("1.5"), 1),
        ("2026-03-03", "a", Decimal("1.5"), 1),
        ("2026-03-01", "c", Decimal(6), 1),
        ("2026-03-02", "c", Decimal(6), 1),
        ("2026-03-03", "c", None, 0),
    ]


def test_the_first_day_of_a_model_is_the_day_on_which_it_was_first_seen(catalog: Engine) -> None:
    query = "SELECT day FROM v_credit_cost_daily WHERE mode = 'video' ORDER BY day"

    assert query_rows(catalog, query) == [("2026-03-02",), ("2026-03-03",)]


def test_a_listed_model_without_a_cost_is_listed(catalog: Engine) -> None:
    query = "SELECT DISTINCT credit_cost, is_listed FROM v_credit_cost_daily WHERE model_id = 'b'"

    assert query_rows(catalog, query) == [(None, 1)]


def test_provider_costs_count_models_with_and_without_a_cost(catalog: Engine) -> None:
    assert query_rows(catalog, "SELECT * FROM v_provider_costs ORDER BY mode") == [
        ("image", "x", 2, 1, Decimal("1.5"), Decimal("1.5"), Decimal("1.5")),
        ("video", "y", 1, 1, Decimal(4), Decimal(4), Decimal(4)),
    ]


def test_daily_provider_costs_are_those_at_the_end_of_each_day(catalog: Engine) -> None:
    columns = "day, mode, provider, model_count, priced_model_count, min_credit_cost, avg_credit_cost, max_credit_cost"
    query = f"SELECT {columns} FROM v_provider_costs_daily WHERE mode = 'image' ORDER BY day"

    assert query_rows(catalog, query) == [
        ("2026-03-01", "image", "x", 3, 2, Decimal(3), Decimal("4.5"), Decimal(6)),
        ("2026-03-02", "image", "x", 3, 2, Decimal("1.5"), Decimal("3.75"), Decimal(6)),
        ("2026-03-03", "image", "x", 2, 1, Decimal("1.5"), Decimal("1.5"), Decimal("1.5")),
    ]


@pytest.mark.parametrize("column", ["min_credit_cost", "avg_credit_cost", "max_credit_cost"])
def test_an_aggregated_cost_that_is_a_whole_number_is_not_an_integer(catalog: Engine, column: str) -> None:
    """SQLite types a computed column row by row, and tools take the type of the first row for all rows."""
    kept = f"SELECT DISTINCT {column} AS cost FROM v_provider_costs WHERE mode = 'video'"
    query = text(f"WITH kept AS ({kept}) SELECT cost FROM kept")
    with read_transaction(catalog) as connection:
        assert isinstance(connection.execute(query).scalar_one(), float | Decimal)


def test_a_run_without_modes_has_a_row(catalog: Engine) -> None:
    query = "SELECT run_id, status, mode, mode_status FROM v_sync_runs ORDER BY run_id"

    assert query_rows(catalog, query) == [(1, "success", "image", "success"), (2, "failed", None, None)]


CHANGE = {
    "run_id": 1,
    "model_pk": 1,
    "model_name": "Old name",
    "provider": "old provider",
    "changed_at": at(2),
    "entity": "credits",
    "field": "default",
    "change_kind": "decrease",
    "is_cost_event": 1,
    "old_cost_exact": "3",
    "new_cost_exact": "1.5",
}


@pytest.fixture
def changes(catalog: Engine) -> Engine:
    """Two changes of one model: of its cost and of its name."""
    renamed = {"entity": "models", "field": "name", "change_kind": "changed", "is_cost_event": 0}
    with write_transaction(catalog) as connection:
        connection.execute(tables.catalog_changes.insert(), CHANGE)
        connection.execute(tables.catalog_changes.insert(), CHANGE | renamed)
    return catalog


def test_cost_changes_are_the_cost_events_with_the_names_of_their_time(changes: Engine) -> None:
    query = "SELECT model_id, model_name, provider, change_kind, new_cost_exact FROM v_credit_cost_changes"

    assert query_rows(changes, query) == [("a", "Old name", "old provider", "decrease", "1.5")]


def test_catalog_changes_are_all_changes_with_their_runs(changes: Engine) -> None:
    query = "SELECT model_name, field, trigger_kind, app_version FROM v_catalog_changes ORDER BY field"

    assert query_rows(changes, query) == [("Old name", "default", "cli", "1"), ("Old name", "name", "cli", "1")]


def test_a_parameter_has_a_row_per_option_or_one_row(catalog: Engine) -> None:
    with write_transaction(catalog) as connection:
        for name in ("ratio", "seed"):
            connection.execute(tables.params.insert(), {"model_pk": 1, "param_name": name, "definition": "{}"})
        for position, value in enumerate(["16:9", "9:16"]):
            option = {"model_pk": 1, "param_name": "ratio", "position": position, "option_value": value}
            connection.execute(tables.param_options.insert(), option)

    query = "SELECT param_name, option_value FROM v_model_params ORDER BY param_name, option_value"
    assert query_rows(catalog, query) == [("ratio", "16:9"), ("ratio", "9:16"), ("seed", None)]
