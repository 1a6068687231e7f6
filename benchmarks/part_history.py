"""A long history: whether it makes an unchanged sync, the catalog as of a time or the change feed slower."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from benchmarks.bench import Bench, say
from benchmarks.catalogs import Catalog, snapshots
from benchmarks.databases import administrator, gather_statistics
from benchmarks.result_table import Row, Target, cpu_row
from benchmarks.results import Results
from benchmarks.seed_history import seed_history
from models_db.engine import open_engine, read_transaction
from sync.store import change_feed, queries
from tests.support.database_servers import KINDS
from tests.support.query_work import work_of

_MODELS, _CHANGED_SHARE = 1_000, 0.1  # with each run 100 intervals more
_RUNS, _QUICK_RUNS = 10_000, 200
_HOUR = timedelta(hours=1)  # between two runs
# The work of a query is exact, but a plan may change once as tables grow: hence more room than for a sync.
_SYNC, _WORK = Target(1.1), Target(2)


def _as_of(connection: Connection, moment: datetime) -> list[object]:
    return list(queries.versions_at(connection, moment, None))


def _feed(connection: Connection, moment: datetime) -> list[object]:
    return list(change_feed.changes(connection, queries.Filter(since=moment - 3 * _HOUR, until=moment)))


_QUERIES = {"catalog as of": _as_of, "change feed of 3 hours to": _feed}


def measure(bench: Bench) -> None:
    runs = _QUICK_RUNS if bench.is_quick else _RUNS
    for databases in bench.databases:
        name = f"history {databases.kind}"
        with bench.migrated(databases) as url:
            catalogs = snapshots(_MODELS, _CHANGED_SHARE, is_small=True)
            bench.results.facts[name] = _seed_and_query(url, catalogs, runs)
            say(f"  {name}: {bench.results.facts[name]}")
            bench.serve("last", next(catalogs))
            bench.sync(url, "last")
            with bench.synced(databases, "last") as without:
                contenders = {"without": partial(bench.sync, without, "last"), "with": partial(bench.sync, url, "last")}
                bench.alternate(f"{name} unchanged", contenders, 2 * bench.rounds)


def rows(results: Results) -> Iterator[Row]:
    facts = {kind: fact for kind in KINDS if (fact := results.facts.get(f"history {kind}"))}
    for first in [*facts.values()][:1]:
        history = f"after {first['intervals']:,} intervals in {first['runs']:,} runs"
        over, under = (f"history {{kind}} unchanged {contender}" for contender in ("with", "without"))
        yield cpu_row(results, f"unchanged sync {history}: CPU to no history", _SYNC, over, under)
        for query in _QUERIES:
            for moment in ("the middle", "the end"):
                figure = f"{query} {moment} {history}: work per row to a tenth of them"
                work = {kind: fact["work per row"] for kind, fact in facts.items() if "work per row" in fact}
                pairs = {kind: (at[moment][query], at["a tenth"][query]) for kind, at in work.items()}
                cells = {kind: _WORK.cell(*pair, f"{pair[0]:.1f} / {pair[1]:.1f}") for kind, pair in pairs.items()}
                yield Row(figure, str(_WORK), cells)


def _seed_and_query(url: str, catalogs: Iterator[Catalog], runs: int) -> dict[str, Any]:
    """Work of the queries after a tenth of the runs, and after all of them at two times; and what was seeded."""
    tenth, begin = runs // 10, datetime.now(UTC) - runs * _HOUR
    seed_history(url, islice(catalogs, tenth), begin)
    work = {"a tenth": _work(url, begin + tenth * _HOUR)}
    seed_history(url, islice(catalogs, runs - tenth), begin + tenth * _HOUR)
    work |= {"the middle": _work(url, begin + runs // 2 * _HOUR), "the end": _work(url, begin + runs * _HOUR)}
    with administrator(url) as connection:
        intervals = connection.exec_driver_sql("SELECT COUNT(*) FROM credit_history").scalar_one()
    return {"intervals": intervals, "runs": runs, "work per row": work}


def _work(url: str, moment: datetime) -> dict[str, float]:
    """What the database does for each query, by row returned: see ``work_of``."""
    gather_statistics(url)
    engine = open_engine(url)
    with read_transaction(engine) as connection:
        work = {query: _work_per_row(connection, partial(ask, connection, moment)) for query, ask in _QUERIES.items()}
    engine.dispose()
    return work


def _work_per_row(connection: Connection, ask: Callable[[], list[object]]) -> float:
    returned = len(ask())  # the first time also reads the schema
    return round(work_of(connection, ask) / returned, 2)
