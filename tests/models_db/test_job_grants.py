"""The grants of docs/operations.md are what the job needs, and not more: each column is classified."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from models_db.job_grants import JOB_RIGHTS, PAGE, Rights, with_grants
from models_db.tables.metadata import metadata
from tests.cli.conftest import Shell, shell, sqlite_url
from tests.support.database_contents import query_rows
from tests.support.docs_pages import page
from tests.support.protected_columns import PROTECTED
from tests.support.whole_job import STATUSES, do_everything

__all__ = ["shell", "sqlite_url"]

_WRITING = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (\w+)(?: SET (.*?)(?: WHERE|$))?", re.DOTALL)


@dataclass
class Writes:
    """What statements wrote, by table."""

    inserted: set[str] = field(default_factory=set)
    updated: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    deleted: set[str] = field(default_factory=set)

    def add(self, statement: str) -> None:
        if not (found := _WRITING.match(statement)):
            return
        verb, table, values = found.groups()
        if verb == "UPDATE":
            self.updated[table] |= set(re.findall(r"(\w+)=", values))
        else:
            (self.inserted if verb == "INSERT INTO" else self.deleted).add(table)

    def rights(self, table: str) -> Rights:
        return Rights(table in self.inserted, tuple(sorted(self.updated[table])), table in self.deleted)


@contextmanager
def recorded() -> Iterator[Writes]:
    writes = Writes()

    def add(connection: object, cursor: object, statement: str, *_: Any) -> None:
        writes.add(statement)

    event.listen(Engine, "before_cursor_execute", add)
    try:
        yield writes
    finally:
        event.remove(Engine, "before_cursor_execute", add)


def test_the_grants_of_the_page_are_up_to_date() -> None:
    """If not, run ``python -m models_db.schema_doc``."""
    text = page(PAGE)

    assert text == with_grants(text)
    assert text.count("COMMIT;") == 1
    assert text.count("GRANT SELECT, SHOW VIEW ON catalog.*") == 1


@pytest.mark.parametrize("table", metadata.tables)
def test_each_column_is_either_protected_or_granted(table: str) -> None:
    """A new column goes into one of them: ``PROTECTED`` if the job never changes it, else ``JOB_RIGHTS``."""
    assert sorted([*PROTECTED[table], *JOB_RIGHTS[table].update]) == sorted(metadata.tables[table].columns.keys())


def test_the_whole_job_writes_just_what_is_granted(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    with recorded() as writes:
        do_everything(shell, sqlite_url, tmp_path)

    assert {status for (status,) in query_rows(sqlite_url, "SELECT status FROM sync_runs")} == STATUSES
    granted = {table: rights._replace(update=tuple(sorted(rights.update))) for table, rights in JOB_RIGHTS.items()}
    del granted["notify_cursors"]  # no sync writes it
    assert {table: writes.rights(table) for table in granted} == granted
