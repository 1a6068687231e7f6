"""A real price history, moved by ``export`` and ``import`` from each kind of database into the next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from models_db.engine import open_engine
from sync.run.export import export_lines
from sync.run.import_ import ImportDependencies
from sync.run.replay import import_export
from sync.source.files.exported import check_export, read_export
from sync.store.database import reading
from tests.run.conftest import NOW
from tests.support.database_servers import KINDS
from tests.support.moved_history import contents, difference
from tests.support.verified_contents import require_consistent

if TYPE_CHECKING:
    from tests.support.migrated_databases import MigratedDatabases

# Each kind is once read from and once written to: the file does not say from which kind it comes.
PAIRS = pytest.mark.parametrize(
    ("database_kind", "next_kind"), list(zip(KINDS, KINDS[1:] + KINDS[:1], strict=True)), indirect=True
)


@pytest.fixture
def next_url(next_kind: str, tmp_path: Path, _migrated: MigratedDatabases) -> Iterator[str]:
    """A second database at head with no data."""
    with ExitStack() as stack:
        yield _migrated.new(next_kind, tmp_path / "next.db", stack)


@PAIRS
def test_a_real_history_is_the_same_in_the_next_database(real_history: Engine, next_url: str, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    with reading(real_history) as connection:
        file.write_bytes(b"".join(export_lines(connection, "0")))
    check_export(file)
    engine = open_engine(next_url)
    stored = list(import_export(engine, read_export(file), ImportDependencies(lambda: NOW, "0")))
    engine.dispose()
    assert len(stored) == 99
    assert None not in stored
    url = real_history.url.render_as_string(hide_password=False)
    assert difference(contents(url), contents(next_url)) == []
    require_consistent(next_url)
