"""Queries stay fast as history grows: their work depends on the rows returned, not on the rows stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, Engine, text

from models_db import tables
from models_db.engine import read_transaction, write_transaction
from sync.store import change_feed, model_queries, queries
from sync.store.answers import answer
from sync.store.questions import questions
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
    "cost_interval",
}  # the daily view's alias of credit_history
DAILY = "SELECT * FROM v_credit_cost_daily WHERE mode = 'image' AND model_id = 'm7'"
PROVIDER = "SELECT * FROM v_provider_costs_daily"


def fill(engine: Engine, days: int) -> None:
    """Every model gets another cost every day at noon, and is not listed in the night after each tenth day."""
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
        _analyze(connection)


def _fill_model(connection: Connection, pk: int, days: int) -> None:
    intervals = []
    for number in range(days):
        begin, last, is_gap = BEGAN + number * DAY + NOON, number == days - 1, number % 10 == 9
        end = None if last else begin + (NOON / 2 if is_gap else DAY)
        intervals.append({"model_pk": pk, "valid_from": begin, "valid_to": end, "opened_run_id": 1})
        intervals[-1] |= {"closed_run_id": end and 1, "gap_to": begin + DAY if is_gap and end else None}
    versions = [{**{k: v for k, v in one.items() if k != "gap_to"}, "raw": "{}"} for one in intervals]
    connection.execute(tables.model_versions.insert(), versions)
    costs = [
        {**one, "default_cost": 1 + number % 2, "default_cost_exact": str(1 + number % 2)}
        for number, one in enumerate(intervals)
    ]
    connection.execute(tables.credit_history.insert(), costs)
    change = {"run_id": 1, "model_pk": pk, "entity": "credits", "change_kind": "increase", "is_cost_event": 1}
    changes = [{**change, "changed_at": one["valid_from"]} for one in intervals]
    connection.execute(tables.catalog_changes.insert(), changes)


def _analyze(connection: Connection) -> None:
    """Updates the statistics that plans depend on; a server would do it by itself after some time."""
    statements = {
        "sqlite": "ANALYZE",
        "postgresql": "ANALYZE",
        "mariadb": f"ANALYZE TABLE {', '.join(HISTORY - {'cost_interval'})}",
    }
    connection.exec_driver_sql(statements[connection.dialect.name])
    connection.commit()


Query = Callable[[Connection, int], object]


def as_of(connection: Connection, days: int) -> object:
    """At the middle of the history, as far from both ends as possible."""
    return list(queries.versions_at(connection, BEGAN + days // 2 * DAY + NOON * 1.1, None))


def feed(connection: Connection, days: int) -> object:
    return list(change_feed.changes(connection, queries.Filter(since=BEGAN + (days - 3) * DAY)))


def feed_of_a_model(connection: Connection, days: int) -> object:
    return list(change_feed.changes(connection, queries.Filter(model="m[7]", since=BEGAN + (days - 3) * DAY)))


def newest(connection: Connection, _days: int) -> object:
    return list(change_feed.changes(connection, queries.Filter(), limit=10))


def timeline(connection: Connection, _days: int) -> object:
    return list(model_queries.cost_intervals(connection, 7))


def version(connection: Connection, days: int) -> object:
    return model_queries.version_at(connection, 7, BEGAN + days // 2 * DAY)


def daily(connection: Connection, _days: int) -> object:
    return connection.exec_driver_sql(DAILY).all()


def provider_daily(connection: Connection, _days: int) -> object:
    return connection.exec_driver_sql(PROVIDER).all()


def asked(connection: Connection, question: str, days: int) -> object:
    """A question about the last three days."""
    end = BEGAN + days * DAY
    one = questions()[question]
    return answer(connection, one, one.values({"since": end - 3 * DAY, "until": end}, end)).rows


def repricings(connection: Connection, days: int) -> object:
    return asked(connection, "repricings", days)


def reverted(connection: Connection, days: int) -> object:
    return asked(connection, "reverted", days)


def daily_period(connection: Connection, days: int) -> object:
    return asked(connection, "cheapest-by-day", days)


def provider_period(connection: Connection, days: int) -> object:
    return asked(connection, "provider-averages", days)


def net_movers(connection: Connection, _days: int) -> object:
    return connection.exec_driver_sql("SELECT * FROM v_net_movers WHERE period_days = 7").all()


def cost(engine: Engine, query: Query, days: int) -> int:
    with read_transaction(engine) as connection:
        assert query(connection, days)  # and everything that is loaded once is loaded
        return work_of(connection, lambda: query(connection, days))


def empty(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        for table in (*HISTORY - {"cost_interval"}, "calendar_days", "models", "sync_runs"):
            connection.execute(text(f"DELETE FROM {table}"))


SAME = [as_of, feed, feed_of_a_model, newest, version, net_movers]
LINEAR = [timeline, daily, provider_daily]
MOST_IF_LINEAR = 13
# Over all days: MariaDB reads the intervals of a model from the newest back to each day, half of them in the mean.
SQUARE_ON_MARIADB = {daily, provider_daily}


def test_the_work_depends_on_the_rows_returned(engine: Engine) -> None:
    """With ten times the history: the same work for the same rows, about ten times for ten times the rows."""
    grown = growth(engine, *SAME, *LINEAR)

    assert {query.__name__: grown[query] for query in SAME if grown[query] > 2} == {}
    is_square = SQUARE_ON_MARIADB if engine.dialect.name == "mariadb" else set()
    assert {query.__name__: grown[query] for query in {*LINEAR} - is_square if grown[query] > MOST_IF_LINEAR} == {}
    assert {query.__name__: grown[query] for query in is_square if grown[query] > 10 * MOST_IF_LINEAR} == {}


def test_i7_a_period_of_the_daily_views_is_as_fast_in_a_longer_history(engine: Engine) -> None:
    grown = growth(engine, daily_period, provider_period)
    # On SQLite each interval looks up its days, also for a few days: that is fast, but as long as the history.
    most = MOST_IF_LINEAR if engine.dialect.name == "sqlite" else 2

    assert {query.__name__: times for query, times in grown.items() if times > most} == {}


def test_i10_a_question_about_a_period_reads_no_more_in_a_longer_history(engine: Engine) -> None:
    grown = growth(engine, repricings, reverted)

    assert {query.__name__: times for query, times in grown.items() if times > 2} == {}


def growth(engine: Engine, *queries: Query) -> dict[Query, float]:
    """By query, the work with ten times the history as a multiple of that before."""
    fill(engine, SHORT)
    short = {query: cost(engine, query, SHORT) for query in queries}
    empty(engine)
    fill(engine, LONG)
    return {query: cost(engine, query, LONG) / short[query] for query in queries}


def test_no_history_table_is_read_completely(engine: Engine) -> None:
    fill(engine, LONG)
    with read_transaction(engine) as connection:
        read = {
            query.__name__: scanned(connection, partial(query, connection, LONG)) & HISTORY
            for query in (as_of, feed, feed_of_a_model, version, timeline, daily)
        }

    assert {name: tables for name, tables in read.items() if tables} == {}
