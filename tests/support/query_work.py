"""The work of a database for a query: the rows and index entries it reads, and its plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, event

Statement = tuple[str, Any]
"""The text of a statement and its parameters."""


def work_of(connection: Connection, query: Callable[[], object]) -> int:
    """Steps of SQLite's virtual machine, rows through PostgreSQL's plan nodes, or reads of MariaDB's handlers."""
    measure = {"sqlite": _sqlite_work, "postgresql": _postgresql_work, "mariadb": _mariadb_work}
    return measure[connection.dialect.name](connection, query)


def scanned(connection: Connection, query: Callable[[], object]) -> set[str]:
    """The tables that the plans of the queries read completely, by an index or without one."""
    read = {"sqlite": _sqlite_scans, "postgresql": _postgresql_scans, "mariadb": _mariadb_scans}
    return {
        table for sent in statements(connection, query) for table in read[connection.dialect.name](connection, sent)
    }


def statements(connection: Connection, query: Callable[[], object]) -> list[Statement]:
    """The statements that a query sends to the database, with their parameters."""
    sent: list[Statement] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    query()
    event.remove(connection, "before_cursor_execute", note)
    return sent


def _sqlite_work(connection: Connection, query: Callable[[], object]) -> int:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(step, 1)
    query()
    driver.set_progress_handler(None, 1)
    return steps


def _sqlite_scans(connection: Connection, statement: Statement) -> Iterator[str]:
    for *_, detail in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]):
        what, _, table = detail.partition(" ")
        if what == "SCAN":
            yield table.split()[0]


def _postgresql_work(connection: Connection, query: Callable[[], object]) -> int:
    return sum(
        _rows(node) for sent in statements(connection, query) for node in _nodes(_plan(connection, sent, "ANALYZE, "))
    )


def _rows(node: dict[str, Any]) -> int:
    removed = (node.get(name, 0) for name in ("Rows Removed by Filter", "Rows Removed by Join Filter"))
    return int(node["Actual Loops"] * (1 + node["Actual Rows"] + sum(removed)))


def _postgresql_scans(connection: Connection, statement: Statement) -> Iterator[str]:
    for node in _nodes(_plan(connection, statement)):
        if node["Node Type"] == "Seq Scan":
            yield node["Relation Name"]


def _plan(connection: Connection, statement: Statement, options: str = "") -> dict[str, Any]:
    text = connection.exec_driver_sql(f"EXPLAIN ({options}FORMAT JSON) {statement[0]}", statement[1]).scalar_one()
    plans = json.loads(text) if isinstance(text, str) else text
    plan: dict[str, Any] = plans[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _mariadb_work(connection: Connection, query: Callable[[], object]) -> int:
    before = _handler_reads(connection)
    query()
    return _handler_reads(connection) - before


def _handler_reads(connection: Connection) -> int:
    return sum(int(n) for _, n in connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'"))


def _mariadb_scans(connection: Connection, statement: Statement) -> Iterator[str]:
    for row in connection.exec_driver_sql(f"EXPLAIN {statement[0]}", statement[1]).mappings():
        ranged = "Range checked for each record" in (row["Extra"] or "")
        if row["type"] in {"ALL", "index"} and not ranged:
            yield row["table"]
