"""Long lists in statements short enough for every database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Executable

from sync.errors import DatabaseError

# An IN list takes a parameter for each item, and SQLite before 3.32 allows 999 in one statement.
BATCH_SIZE = 500

Item = TypeVar("Item")


def batches(items: Iterable[Item], size: int = BATCH_SIZE) -> Iterator[list[Item]]:
    """The items in lists short enough for one statement."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def execute_batches(
    connection: Connection,
    statement: Executable,
    parameters: Iterable[Mapping[str, object]],
    *,
    one_row_each: bool = False,
) -> None:
    """Executes the statement once for each set of parameters.

    With ``one_row_each`` every set must match exactly one row. Raises ``DatabaseError`` if one did
    not, as far as the driver counts rows.
    """
    for batch in batches(parameters):
        result = connection.execute(statement, batch)
        if one_row_each and result.supports_sane_multi_rowcount() and result.rowcount != len(batch):
            raise DatabaseError(
                "the run was not stored: an open interval is missing from the stored history;"
                " restore a backup of the database"
            )
