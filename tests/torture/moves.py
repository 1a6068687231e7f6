"""Moves a history into another database, whole or without a run, and checks what arrives there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from models_db.migrate import upgrade
from sync.run.export import export_lines
from sync.run.import_ import ImportDependencies
from sync.run.replay import import_export
from sync.source.files.exported import check_export, read_export
from sync.store.database import reading
from tests.support.moved_history import contents, difference
from tests.torture.database_calls import intercept_calls, kill_at
from tests.torture.database_under_test import engine_for, query, require, require_consistent
from tests.torture.expected_database import ExpectedRun
from tests.torture.forked_processes import KILLED, fork, wait_for

_DEPENDENCIES = ImportDependencies(lambda: datetime(2026, 1, 1, tzinfo=UTC), "0")


def require_movable(url: str, killed_at: int | None = None) -> None:
    """An SQLite database that imports the whole history has the same rows, and stores nothing the second time.

    With ``killed_at`` the first import is killed at the database call with this number, and another one goes on.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, target = _exported(url, Path(folder)), _empty(Path(folder))
        if killed_at is not None:
            _import_killed(target, file, killed_at)
        _import(target, file)
        problems = difference(contents(url), contents(target))
        require(not problems, f"the moved history differs: {problems[:3]}")
        require_consistent(target)
        again = _import(target, file)
        require(not any(again), f"{sum(again)} runs were stored a second time")


def require_movable_without_run(url: str, back: int, runs: Mapping[int, ExpectedRun]) -> None:
    """The history without one of the last runs is consistent, and has no model that no other run stored or saw."""
    run_ids = [run_id for (run_id,) in query(url, "SELECT run_id FROM sync_runs ORDER BY run_id DESC")]
    left_out = run_ids[min(back, len(run_ids)) - 1]
    with tempfile.TemporaryDirectory() as folder:
        file, target = _exported(url, Path(folder), left_out), _empty(Path(folder))
        stored = _import(target, file)
        require(sum(stored) == len(run_ids) - 1, f"{sum(stored)} of {len(run_ids)} runs were stored")
        require_consistent(target)
        seen = {model for run_id, run in runs.items() if run_id != left_out for model in run.seen}
        unseen = {*map(tuple, query(target, "SELECT mode, model_id FROM models"))} - seen
        require(not unseen, f"without run {left_out} there are models that no other run saw: {sorted(unseen)}")


def _exported(url: str, folder: Path, *left_out: int) -> Path:
    file = folder / "history.jsonl"
    with engine_for(url) as engine, reading(engine) as connection:
        file.write_bytes(b"".join(export_lines(connection, "0", left_out)))
    return file


def _import(url: str, file: Path) -> list[bool]:
    """Whether each run of the file was stored."""
    check_export(file)
    with engine_for(url) as engine:
        return [run is not None for run in import_export(engine, read_export(file), _DEPENDENCIES)]


def _import_killed(url: str, file: Path, number: int) -> None:
    def work() -> int:
        with intercept_calls(kill_at(number, after=number % 2 == 0)):
            _import(url, file)
        return 0

    code = wait_for(fork(work))
    require(code in {0, KILLED}, f"the import to be killed ended with {code}")
    require_consistent(url)


def _empty(folder: Path) -> str:
    """An SQLite database at head. Its identity is that of the template, which no torture uses as a database."""
    return f"sqlite:///{shutil.copyfile(_template(), folder / 'target.db')}"


@lru_cache(maxsize=1)
def _template() -> str:
    folder = tempfile.mkdtemp(prefix="moves-")
    upgrade(f"sqlite:///{folder}/template.db")
    return f"{folder}/template.db"
