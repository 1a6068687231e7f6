"""Databases to be mistreated, and what must be true of them afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, make_url

from models_db.engine import open_engine
from sync.run import RunResult
from sync.store.database import reading
from sync.store.verify.read_models import Verification
from tests.support.history_checker import meaning, plain_json
from tests.support.made_responses import text_of
from tests.support.migrated_databases import MigratedDatabases
from tests.support.run_driver import Host
from tests.support.stored_rows_checker import findings
from tests.torture.changing_catalog import Catalog

ROOM = "CATALOG_SYNC_TEST_ROOM"


class BrokenError(Exception):
    """Something that must always hold did not."""


@dataclass
class Ground:
    """Databases of one kind, at head and without data, one after the other.

    Between two of its uses no connection stays open, so that a process may be forked at any time.
    """

    kind: str
    folder: Path
    _made: MigratedDatabases
    _number: int = 0

    @contextmanager
    def database(self) -> Iterator[str]:
        """A database of its own; on MariaDB the same one each time, emptied."""
        self._number += 1
        with ExitStack() as stack:
            yield self._made.new(self.kind, self.folder / f"{self._number}.db", stack)
        for left in self.folder.glob(f"{self._number}.db*"):
            left.unlink()


@contextmanager
def ground(kind: str) -> Iterator[Ground]:
    """Databases on the servers of the room that the environment names."""
    room = Path(os.environ[ROOM])
    with ExitStack() as kept, tempfile.TemporaryDirectory(prefix="t-", dir=room) as folder:
        yield Ground(kind, Path(folder), MigratedDatabases(Path(folder), room, kept))


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine as the program makes it, without an open connection before and after."""
    engine = _engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    """Kept for the statements that it has compiled."""
    return open_engine(url)


def require(true: object, broken: str) -> None:
    if not true:
        raise BrokenError(broken)


def require_sound(url: str) -> None:
    """Neither the program's own proof nor the independent checker finds anything."""
    with opened(url) as engine:
        require_sound_with(engine)


def require_sound_with(engine: Engine) -> None:
    with reading(engine) as connection:
        proved = [
            f"{fault.table} {fault.mode} {fault.model_id!r}: {fault.problem}"
            for fault in Verification(connection).findings()
        ]
    found = [f"verify: {fault}" for fault in proved] + [f"checker: {fault}" for fault in findings(engine)]
    require(not found, f"{len(found)} faults in the stored data: {'; '.join(found[:3])}"[:2000])


def require_listed(url: str, catalog: Catalog) -> None:
    """The open versions are just this catalog."""
    text = "SELECT m.mode, m.model_id, v.raw FROM models m JOIN model_versions v ON v.open_model_pk = m.model_pk"
    stored = {(mode, model_id): meaning(plain_json(raw)) for mode, model_id, raw in ask(url, text)}
    wanted = {
        (mode, model["id"]): meaning(plain_json(text_of(model))) for mode, models in catalog.items() for model in models
    }
    differing = sorted(key for key in stored.keys() | wanted.keys() if stored.get(key) != wanted.get(key))
    require(not differing, f"what is listed is not what was sent: {differing[:5]}")


def require_ended(url: str) -> None:
    """No run is left without an end."""
    open_runs = ask(url, "SELECT run_id FROM sync_runs WHERE status = 'running'")
    require(not open_runs, f"runs {open_runs} have no end")


def ask(url: str, text: str) -> list[tuple[Any, ...]]:
    """The rows of a question, as the driver gives them."""
    engine = create_engine(make_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(text)]


def run_once(url: str, now: datetime, answers: dict[str, bytes]) -> RunResult:
    """One run on an engine of its own, begun at a time."""
    with opened(url) as engine:
        return Host(engine, now).sync(answers["image"], answers["video"])
