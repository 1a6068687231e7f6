"""How many rows the database touches to answer what people ask, told by the database itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection, event

from benchmarks.lives import Shape, last_catalog
from models_db.engine import open_engine, read_transaction
from sync.catalog.json.decoder import decode_object
from sync.store import model_queries, queries

Question: TypeAlias = Callable[[Connection], Iterable[object]]
_STEPS_AT_ONCE = 100


def touched_by_question(url: str, shape: Shape) -> dict[str, dict[str, int]]:
    """For each question the rows returned and those touched; on SQLite steps of its machine stand for rows."""
    engine = open_engine(url)
    found: dict[str, dict[str, int]] = {}
    for name, question in _questions(shape).items():
        with read_transaction(engine) as connection:
            returned = sum(1 for _ in question(connection))  # the first time also looks up the schema
            touched = _TOUCHED[engine.dialect.name](connection, question)
        found[name] = {"returned": returned, "touched": touched}
    engine.dispose()
    return found


def _questions(shape: Shape) -> dict[str, Question]:
    middle, week = shape.end - shape.span / 2, timedelta(days=7)
    model_id = str(decode_object(last_catalog(shape.models)["image"][0].decode())["id"])
    in_the_middle = queries.Filter(since=middle - week, until=middle)
    return {
        "as of a moment years ago": lambda connection: queries.versions_at(connection, middle, None),
        "as of now": lambda connection: queries.versions_at(connection, shape.end, None),
        "feed of the last week": lambda connection: queries.changes(connection, queries.Filter(since=shape.end - week)),
        "feed of a week years ago": lambda connection: queries.changes(connection, in_the_middle),
        "timeline of a model": lambda connection: _timeline(connection, model_id),
    }


def _timeline(connection: Connection, model_id: str) -> Iterable[object]:
    for known in model_queries.find(connection, model_id, None):
        yield from model_queries.cost_intervals(connection, known.model_pk)


def _by_plan(connection: Connection, question: Question) -> int:
    """What the scans of the executed plans gave and what they read in vain."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    list(question(connection))
    event.remove(connection, "before_cursor_execute", note)
    touched = 0
    for statement, parameters in asked:
        explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar()
        touched += sum(map(_scanned, explained or ()))
    return touched


def _scanned(node: dict[str, Any]) -> int:
    node = node.get("Plan", node)
    vain = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    own = (node["Actual Rows"] + vain) * node["Actual Loops"] if "Relation Name" in node else 0
    return int(own) + sum(map(_scanned, node.get("Plans", ())))


def _by_handler(connection: Connection, question: Question) -> int:
    before = _reads(connection)
    looking = _reads(connection) - before
    list(question(connection))
    return _reads(connection) - before - 2 * looking


def _reads(connection: Connection) -> int:
    return sum(int(row[1]) for row in connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'"))


def _by_steps(connection: Connection, question: Question) -> int:
    driver: Any = connection.connection.driver_connection
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += _STEPS_AT_ONCE
        return 0

    driver.set_progress_handler(count, _STEPS_AT_ONCE)
    list(question(connection))
    driver.set_progress_handler(None, 0)
    return steps


_TOUCHED = {"sqlite": _by_steps, "postgresql": _by_plan, "mariadb": _by_handler}
