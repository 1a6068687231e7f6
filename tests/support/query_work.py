"""How much work a database has with what it is asked: rows and index entries it touches, and the plan it makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, event

Statement = tuple[str, Any]


def work_of(connection: Connection, ask: Callable[[], object]) -> int:
    """Steps of SQLite's machine, rows that pass through PostgreSQL's plan, reads of MariaDB's handlers."""
    measure = {"sqlite": _sqlite_work, "postgresql": _postgresql_work, "mariadb": _mariadb_work}
    return measure[connection.dialect.name](connection, ask)


def scanned(connection: Connection, ask: Callable[[], object]) -> set[str]:
    """The tables that the plans of what is asked read from end to end, index or not."""
    read = {"sqlite": _sqlite_scans, "postgresql": _postgresql_scans, "mariadb": _mariadb_scans}
    return {
        table for asked in statements(connection, ask) for table in read[connection.dialect.name](connection, asked)
    }


def statements(connection: Connection, ask: Callable[[], object]) -> list[Statement]:
    """What is sent to the database meanwhile."""
    sent: list[Statement] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    ask()
    event.remove(connection, "before_cursor_execute", note)
    return sent


def _sqlite_work(connection: Connection, ask: Callable[[], object]) -> int:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(step, 1)
    ask()
    driver.set_progress_handler(None, 1)
    return steps


def _sqlite_scans(connection: Connection, asked: Statement) -> Iterator[str]:
    for *_, detail in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", asked[1]):
        what, _, table = detail.partition(" ")
        if what == "SCAN":
            yield table.split()[0]


def _postgresql_work(connection: Connection, ask: Callable[[], object]) -> int:
    return sum(
        _rows(node) for asked in statements(connection, ask) for node in _nodes(_plan(connection, asked, "ANALYZE, "))
    )


def _rows(node: dict[str, Any]) -> int:
    removed = (node.get(name, 0) for name in ("Rows Removed by Filter", "Rows Removed by Join Filter"))
    return int(node["Actual Loops"] * (1 + node["Actual Rows"] + sum(removed)))


def _postgresql_scans(connection: Connection, asked: Statement) -> Iterator[str]:
    for node in _nodes(_plan(connection, asked)):
        if node["Node Type"] == "Seq Scan":
            yield node["Relation Name"]


def _plan(connection: Connection, asked: Statement, how: str = "") -> dict[str, Any]:
    found = connection.exec_driver_sql(f"EXPLAIN ({how}FORMAT JSON) {asked[0]}", asked[1]).scalar_one()
    plans = json.loads(found) if isinstance(found, str) else found
    plan: dict[str, Any] = plans[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _mariadb_work(connection: Connection, ask: Callable[[], object]) -> int:
    before = _handler_reads(connection)
    ask()
    return _handler_reads(connection) - before


def _handler_reads(connection: Connection) -> int:
    return sum(int(n) for _, n in connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'"))


def _mariadb_scans(connection: Connection, asked: Statement) -> Iterator[str]:
    for row in connection.exec_driver_sql(f"EXPLAIN {asked[0]}", asked[1]).mappings():
        ranged = "Range checked for each record" in (row["Extra"] or "")
        if row["type"] in {"ALL", "index"} and not ranged:
            yield row["table"]
