"""What docs/bi.md says about columns and times: the declared types, and that times stay UTC."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fnmatch import fnmatch

import pytest
from sqlalchemy import Connection, Engine

from models_db.views.loader import VIEWS
from tests.questions.question_history import make_history
from tests.support.docs_pages import blocks, page, section, table_rows

TABLE_CELLS = {"postgresql": 1, "mariadb": 2, "sqlite": 3}
TYPES = {
    "postgresql": "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = '{view}'::regclass AND attnum > 0",
    "mariadb": "SELECT column_name, column_type FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name = '{view}'",
    "sqlite": "SELECT name, type FROM pragma_table_info('{view}')",
}
DISPLAY_WIDTH = re.compile(r"(?<=int)\(\d+\)| /\*.*")  # MariaDB adds these; they do not change the type
AGGREGATES = "SELECT min_credit_cost, avg_credit_cost, max_credit_cost FROM v_provider_costs_daily"


class Declared(float):
    """A number of a column that SQLite declared as NUMERIC."""


sqlite3.register_converter("NUMERIC", Declared)  # for connections with detect_types, as the one below


@contextmanager
def declaring(engine: Engine) -> Iterator[sqlite3.Connection]:
    """A connection to the same file that uses the declared types of a result, as many drivers do."""
    with closing(sqlite3.connect(str(engine.url.database), detect_types=sqlite3.PARSE_DECLTYPES)) as connection:
        yield connection


def numbers_after_null(connection: sqlite3.Connection, shape: str) -> Iterator[tuple[str, list[object]]]:
    """The values of each NUMERIC column of each view, NULL first."""
    for view in VIEWS:
        connection.execute(f"CREATE TEMP VIEW over_{view.name} AS SELECT * FROM {view.name}")
        for name in (
            column.name for column in view.columns if documented_type(column.name, "sqlite").startswith("NUMERIC")
        ):
            query = f"SELECT {name} FROM {shape.format(view=view.name)} ORDER BY {name} IS NOT NULL, {name}"
            yield f"{view.name}.{name}", [value for (value,) in connection.execute(query)]


def declared(connection: Connection) -> Iterator[tuple[str, str]]:
    kind = connection.dialect.name
    for view in VIEWS:
        for name, type_ in connection.exec_driver_sql(TYPES[kind].format(view=view.name)):
            yield name, DISPLAY_WIDTH.sub("", type_) or "none"


def documented_type(name: str, kind: str) -> str:
    for row in table_rows(section(page("docs/bi.md"), "## Types of columns")):
        patterns = ["*"] if row[0] == "all others" else re.findall(r"[a-z_*0-9]+", row[0])
        if any(fnmatch(name, pattern) for pattern in patterns):
            return row[TABLE_CELLS[kind]]
    raise AssertionError(name)


def test_every_column_has_the_type_on_the_page(engine: Engine) -> None:
    with engine.connect() as connection:
        kind = connection.dialect.name
        columns = set(declared(connection))

    assert columns
    assert {
        (name, type_, documented_type(name, kind)) for name, type_ in columns if type_ != documented_type(name, kind)
    } == set()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_costs_of_a_provider_are_never_integers_on_sqlite(engine: Engine) -> None:
    make_history(engine)

    with engine.connect() as connection:
        kinds = {type(value) for row in connection.exec_driver_sql(AGGREGATES) for value in row}
        costs = {type(cost) for (cost,) in connection.exec_driver_sql("SELECT credit_cost FROM v_current_catalog")}

    assert kinds == {float, type(None)}
    assert costs == {int, float, type(None)}


@pytest.mark.parametrize("shape", ["{view}", "(SELECT * FROM {view}) AS inside", "over_{view}"])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_every_number_with_decimals_is_declared_in_a_result_that_begins_with_null_on_sqlite(
    engine: Engine, shape: str
) -> None:
    """A driver that finds no declared type uses that of the first row, and NULL has none."""
    make_history(engine)

    with declaring(engine) as connection:
        beginnings = dict(numbers_after_null(connection, shape))

    assert beginnings.pop("v_net_movers.rank_pct")[0] == -1.0  # never NULL, to be sorted by
    assert {column: values[0] for column, values in beginnings.items()} == dict.fromkeys(beginnings)
    assert {type(value) for values in beginnings.values() for value in values} == {Declared, type(None)}


def test_the_calculation_of_the_page_gives_the_greatest_cost_of_each_provider(engine: Engine) -> None:
    make_history(engine)
    (statement,) = blocks(section(page("docs/bi.md"), "## ODBC and JDBC drivers"), "sql")

    with engine.connect() as connection:
        costs = connection.exec_driver_sql("SELECT provider, credit_cost FROM v_credit_cost_history").all()
        highest = {row.provider: row.highest for row in connection.exec_driver_sql(statement.rstrip(";\n"))}

    assert highest == {
        one: max((cost for name, cost in costs if name == one and cost), default=None) for one, _ in costs
    }


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_calculation_of_the_page_is_declared_on_sqlite(engine: Engine) -> None:
    make_history(engine)
    (statement,) = blocks(section(page("docs/bi.md"), "## ODBC and JDBC drivers"), "sql")

    with declaring(engine) as connection:
        assert {type(cost) for _, cost in connection.execute(statement)} == {Declared}


@pytest.mark.parametrize("database_kind", ["mariadb"], indirect=True)
def test_times_do_not_move_with_the_session_on_mariadb(engine: Engine) -> None:
    make_history(engine)

    with engine.connect() as connection:
        query = "SELECT MAX(changed_at) FROM v_catalog_changes"
        before = connection.exec_driver_sql(query).scalar()
        connection.exec_driver_sql("SET time_zone = '+09:00'")

        assert connection.exec_driver_sql(query).scalar() == before


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_days_stay_utc_days_in_another_zone_on_postgresql(engine: Engine) -> None:
    make_history(engine)

    with engine.connect() as connection:
        query = "SELECT * FROM v_credit_cost_daily ORDER BY day, mode, model_id"
        before = connection.exec_driver_sql(query).fetchall()
        connection.exec_driver_sql("SET TIME ZONE 'Asia/Tokyo'")

        assert connection.exec_driver_sql(query).fetchall() == before
