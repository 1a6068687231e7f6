"""A history with everything that a run can record is consistent after ``prune``, and after an export and import."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from models_db.engine import open_engine
from models_db.migrate import upgrade
from tests.cli.conftest import Shell
from tests.support.audited_history import make_audited_history
from tests.support.commands import output
from tests.support.run_driver import Host


@pytest.fixture
def audited(engine: Engine, migrated_url: str, shell: Shell) -> str:
    make_audited_history(Host(engine))
    shell.set(DATABASE_URL=migrated_url)
    return migrated_url


def test_it_is_consistent_after_prune(audited: str, shell: Shell) -> None:
    assert "deleted" in output(shell("prune", "--before", "0s"))

    assert output(shell("verify")).startswith("consistent: ")
    assert audited


@pytest.mark.parametrize("left_out", [[], [16], [15, 18, 20], [1, 2, 25]], ids=str)
@pytest.mark.parametrize("is_pruned", [False, True])
def test_it_is_consistent_after_an_export_and_import(
    audited: str, shell: Shell, tmp_path: Path, left_out: list[int], *, is_pruned: bool
) -> None:
    if is_pruned:
        output(shell("prune", "--before", "0s"))
    file, target = str(tmp_path / "history.jsonl"), f"sqlite:///{tmp_path / 'target.db'}"
    output(shell("export", file, *(f"--without-run={run_id}" for run_id in left_out)))
    upgrade(target)
    shell.set(DATABASE_URL=target)
    output(shell("import", file))

    assert output(shell("verify")).startswith("consistent: ")
    # What follows the imported runs is consistent with them.
    engine = open_engine(target)
    Host(engine, base_url="https://example.org/v2").sync([], [])
    engine.dispose()
    assert output(shell("verify")).startswith("consistent: ")
    assert audited
