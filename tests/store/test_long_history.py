"""Queries stay fast as history grows: what is touched goes by what is returned, not by what is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, Engine, text

from models_db import tables
from models_db.engine import read_transaction, write_transaction
from sync.store import model_queries, queries
from tests.support.query_work import scanned, work_of

MODELS = 20
SHORT, LONG = 40, 400  # days and intervals of each model
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NOON = timedelta(hours=12)
HISTORY = {
    "model_versions",
    "credit_history",
    "catalog_changes",
    "stretch",
}  # the last is the daily view's name for one
DAILY = "SELECT * FROM v_credit_cost_daily WHERE mode = 'image' AND model_id = 'm7'"
PROVIDER = "SELECT * FROM v_provider_costs_daily"


def fill(engine: Engine, days: int) -> None:
    """Every model gets another cost every day at noon; in the night after each tenth day it is away."""
    with write_transaction(engine) as connection:
        run = {"run_id": 1, "started_at": BEGAN, "status": "success", "trigger_kind": "import", "app_version": "1"}
        connection.execute(tables.sync_runs.insert(), run)
        starts = [BEGAN + n * DAY for n in range(days)]
        calendar = [{"day": at.date(), "day_start_at": at, "day_end_at": at + DAY} for at in starts]
        connection.execute(tables.calendar_days.insert(), calendar)
        for pk in range(1, MODELS + 1):
            model = {"model_pk": pk, "mode": "image", "model_id": f"m{pk}", "first_seen_at": BEGAN + NOON}
            connection.execute(tables.models.insert(), model)
            _fill_model(connection, pk, days)
    with engine.connect() as connection:
        _count(connection)


def _fill_model(connection: Connection, pk: int, days: int) -> None:
    cost_spans = []
    for number in range(days):
        begin, last, away = BEGAN + number * DAY + NOON, number == days - 1, number % 10 == 9
        end = None if last else begin + (NOON / 2 if away else DAY)
        cost_spans.append({"model_pk": pk, "valid_from": begin, "valid_to": end, "opened_run_id": 1})
        cost_spans[-1] |= {"closed_run_id": end and 1, "back": begin + DAY if away and end else None}
    versions = [{**{k: v for k, v in span.items() if k != "back"}, "raw": "{}"} for span in cost_spans]
    connection.execute(tables.model_versions.insert(), versions)
    costs = [
        {**{k: v for k, v in span.items() if k != "back"}, "gap_to": span["back"], "default_cost_exact": "1"}
        for span in cost_spans
    ]
    connection.execute(tables.credit_history.insert(), costs)
    change = {"run_id": 1, "model_pk": pk, "entity": "credits", "change_kind": "increase", "is_cost_event": 1}
    changes = [{**change, "changed_at": span["valid_from"]} for span in cost_spans]
    connection.execute(tables.catalog_changes.insert(), changes)


def _count(connection: Connection) -> None:
    """Plans go by what the database knows of its tables; it would find out by itself in time."""
    tell = {
        "sqlite": "ANALYZE",
        "postgresql": "ANALYZE",
        "mariadb": f"ANALYZE TABLE {', '.join(HISTORY - {'stretch'})}",
    }
    connection.exec_driver_sql(tell[connection.dialect.name])
    connection.commit()


Question = Callable[[Connection, int], object]


def as_of(connection: Connection, days: int) -> object:
    """In the middle of the history: as far from both ends as can be."""
    return list(queries.versions_at(connection, BEGAN + days // 2 * DAY + NOON * 1.1, None))


def feed(connection: Connection, days: int) -> object:
    return list(queries.changes(connection, queries.Filter(since=BEGAN + (days - 3) * DAY)))


def feed_of_a_model(connection: Connection, days: int) -> object:
    return list(queries.changes(connection, queries.Filter(model="m[7]", since=BEGAN + (days - 3) * DAY)))


def newest(connection: Connection, _days: int) -> object:
    return list(queries.changes(connection, queries.Filter(), limit=10))


def timeline(connection: Connection, _days: int) -> object:
    return list(model_queries.cost_intervals(connection, 7))


def version(connection: Connection, days: int) -> object:
    return model_queries.version_at(connection, 7, BEGAN + days // 2 * DAY)


def daily(connection: Connection, _days: int) -> object:
    return connection.exec_driver_sql(DAILY).all()


def provider_daily(connection: Connection, _days: int) -> object:
    return connection.exec_driver_sql(PROVIDER).all()


def cost(engine: Engine, question: Question, days: int) -> int:
    with read_transaction(engine) as connection:
        assert question(connection, days)  # and whatever is loaded once is loaded
        return work_of(connection, lambda: question(connection, days))


def empty(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        for table in (*HISTORY - {"stretch"}, "calendar_days", "models", "sync_runs"):
            connection.execute(text(f"DELETE FROM {table}"))


SAME = [as_of, feed, feed_of_a_model, newest, version]
LINEAR = [timeline, daily, provider_daily]


def test_the_work_goes_by_what_is_returned(engine: Engine) -> None:
    """With ten times the history: the same for the same rows, ten times for ten times the rows, and not a hundred."""
    fill(engine, SHORT)
    short = {question: cost(engine, question, SHORT) for question in (*SAME, *LINEAR)}
    empty(engine)
    fill(engine, LONG)
    grown = {question: cost(engine, question, LONG) / short[question] for question in short}

    assert {question.__name__: grown[question] for question in SAME if grown[question] > 1.5} == {}
    assert {question.__name__: grown[question] for question in LINEAR if grown[question] > 13} == {}


def test_no_history_is_read_from_end_to_end(engine: Engine) -> None:
    fill(engine, LONG)
    with read_transaction(engine) as connection:
        read = {
            question.__name__: scanned(connection, partial(question, connection, LONG)) & HISTORY
            for question in (as_of, feed, feed_of_a_model, version, timeline, daily)
        }

    assert {name: tables for name, tables in read.items() if tables} == {}
