"""What a history holds whatever database it is in: the rows of every view and table without numbers of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select, text

from models_db.engine import open_engine
from models_db.tables.metadata import metadata
from models_db.views.loader import NAMES
from tests.replays.view_contents import moment

Contents = dict[str, list[str]]

_TIMES = ("_at", "since", "not_before", "valid_from", "valid_to", "stamp", "possible_from", "gap_to")
# Numbers that each database gives by itself, and what says where a run came from.
_OWN = {"change_id", "open_model_pk", "version", "source_catalog_id", "source_run_id", "listed_root"}
# Each catalog has its own seals. A superseded mode repeats the root that the run before it had left by then.
_NOT_HISTORY = {"catalog_identity", "installed_views", "seals", "v_seals"}


def contents(url: str, without: Collection[str] = ()) -> Contents:
    """The rows of each view and table as texts, sorted, without some columns.

    Runs and models are named by their place and their id.
    """
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            places = _places(connection)
            return {name: sorted(_rows(connection, name, places, {*_OWN, *without})) for name in _names()}
    finally:
        engine.dispose()


def difference(one: Contents, other: Contents) -> list[str]:
    """The first rows of each view and table that only one of two histories has."""
    return [
        f"{name}: only in {where} {row}"
        for name in one
        for where, rows, others in (("the first", one, other), ("the second", other, one))
        for row in sorted(set(rows[name]) - set(others[name]))[:2]
    ] + [f"{name}: {len(one[name])} and {len(other[name])} rows" for name in one if len(one[name]) != len(other[name])]


def _names() -> list[str]:
    names = [*NAMES, *(table.name for table in metadata.sorted_tables)]
    return [name for name in names if name not in _NOT_HISTORY]


def _places(connection: Connection) -> Mapping[str, Mapping[int, object]]:
    """What stands for a number: the place of a run among all runs, the mode and id of a model."""
    models = metadata.tables["models"].c
    runs = connection.scalars(text("SELECT run_id FROM sync_runs ORDER BY run_id"))
    return {
        "run_id": {run_id: place for place, run_id in enumerate(runs)},
        "model_pk": {
            row.model_pk: (row.mode, row.model_id)
            for row in connection.execute(select(models.model_pk, models.mode, models.model_id))
        },
    }


def _rows(
    connection: Connection, name: str, places: Mapping[str, Mapping[int, object]], left_out: set[str]
) -> Iterator[str]:
    result = connection.exec_driver_sql(f"SELECT * FROM {name}", execution_options={"stream_results": True})
    columns = list(result.keys())
    for row in result:
        yield repr(
            [
                _plain(column, value, places)
                for column, value in zip(columns, row, strict=True)
                if column not in left_out
            ]
        )


def _plain(column: str, value: Any, places: Mapping[str, Mapping[int, object]]) -> object:
    if value is None:
        return None
    for kind, place in places.items():
        if column == kind or column.endswith(f"_{kind}"):
            return place[value]
    if column.endswith(_TIMES):
        time = moment(value)
        return time and time.isoformat()
    if column == "fingerprint":  # the next sync rebuilds rows that an older version of the program made
        return value.partition(":")[2]
    if column == "day":
        return str(value) if isinstance(value, date) else value
    # SQLite keeps doubles, and adds up a mean in another order.
    return f"{round(float(value), 12):.14g}" if isinstance(value, (Decimal, float, int)) else value
