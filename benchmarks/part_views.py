"""The views and the questions over a long history: the longest time that each kind of query takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from benchmarks.bench import Bench, say
from benchmarks.databases import gather_statistics
from benchmarks.result_table import Row, Target
from benchmarks.results import Results
from benchmarks.seed_intervals import History, seed_intervals
from benchmarks.view_queries import DAILY, question_queries, view_queries
from models_db.engine import open_engine, read_transaction
from tests.support.database_servers import KINDS

_HISTORIES = {
    "100,000 intervals": (History(models=1000, intervals=100, days=1096, runs_per_day=24), 2),
    "1,000,000 intervals": (History(models=1000, intervals=1000, days=1096, runs_per_day=96), 5),
}
"""What is measured, and the seconds that a query may take there."""

_ALL_DAYS = "daily views over all days"
_KINDS = {"views": "views and periods of views", "questions": "questions", "all days": _ALL_DAYS}


def measure(bench: Bench) -> None:
    names = [*_HISTORIES][:1] if bench.is_quick else [*_HISTORIES]
    for name in names:
        history, _ = _HISTORIES[name]
        for databases in bench.databases:
            with bench.migrated(databases) as url:
                today = datetime.now(UTC)
                seed_intervals(url, history, today.date())
                gather_statistics(url)
                bench.results.facts[f"views {databases.kind} {name}"] = _seconds(url, today)


def rows(results: Results) -> Iterator[Row]:
    for name, (_, limit) in _HISTORIES.items():
        for kind, what in _KINDS.items():
            target = Target(1)
            cells = {}
            for database in KINDS:
                seconds = (results.facts.get(f"views {database} {name}") or {}).get(kind)
                if seconds:
                    query, longest = max(seconds.items(), key=lambda one: one[1])
                    parts = f"{longest:.2f} s, {query}"
                    cells[database] = parts if what == _ALL_DAYS else target.cell(longest, limit, parts)
            yield Row(f"{name}: slowest of the {what} to {limit} s", "" if what == _ALL_DAYS else str(target), cells)


def _seconds(url: str, now: datetime) -> dict[str, dict[str, float]]:
    """By kind and query: the seconds until the last row is there."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    taken: dict[str, dict[str, float]] = {kind: {} for kind in _KINDS}
    engine = open_engine(url)
    for query, sql in view_queries(midnight):
        _time(engine, query, sql, taken["all days" if query in DAILY else "views"])
    for query, sql in question_queries(now):
        is_daily = query.endswith("a year") and any(view in sql for view in DAILY)
        _time(engine, query, sql, taken["all days" if is_daily else "questions"])
    engine.dispose()
    for kind, some in taken.items():
        query, longest = max(some.items(), key=lambda one: one[1])
        say(f"  {engine.dialect.name}: {kind}: {longest:.2f} s for {query}")
    return taken


def _time(engine: Engine, query: str, sql: str, taken: dict[str, float]) -> None:
    """Adds the seconds of the query, or those until the database's time-out ended it."""
    begin = perf_counter()
    try:
        with read_transaction(engine) as connection:
            for _ in connection.exec_driver_sql(sql, execution_options={"stream_results": True}):
                pass
    except OperationalError:
        query += ", ended by the time-out"
    taken[query] = round(perf_counter() - begin, 3)
