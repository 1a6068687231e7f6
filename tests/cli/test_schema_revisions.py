"""With a schema of another revision every command names both revisions and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models_db import migrate
from sync.source.emulator.server import Emulator
from tests.cli.conftest import Shell
from tests.models_db.first_release import Rows, create_first_release, first_release_rows, revisions
from tests.models_db.migrated_schema import execute, tables_and_views
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import error_line, output

MAKING = (("migrate",), ("sync", "--migrate"), ("schedule", "--every", "1h", "--migrate"))
USING = (
    *(("sync",), ("sync", "--dry-run"), ("schedule", "--every", "1h"), ("import", "responses.jsonl")),
    *(("models",), ("changes",), ("show", "a"), ("costs", "a"), ("status",), ("status", "--max-age", "1h")),
    *(("verify",), ("prune", "--before", "0s"), ("prune", "--before", "0s", "--dry-run"), ("migrate", "--check")),
)


@pytest.fixture
def released(
    shell: Shell, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Shell, str]]:
    """A shell with a database of the first release that has history, an API, and a file to import."""
    create_first_release(database_url)
    (tmp_path / "responses.jsonl").write_text('{"at": "2026-04-01T00:00:00Z", "image": {}}\n')
    monkeypatch.chdir(tmp_path)
    with Emulator([catalog(*numbered_models(3))], stepping="manual") as api:
        shell.set(DATABASE_URL=database_url, BASE_URL=api.base_url)
        yield shell, database_url


def everything(url: str) -> tuple[set[str], Rows]:
    return tables_and_views(url), first_release_rows(url)


@pytest.mark.parametrize("older", revisions()[:-1])
def test_an_older_schema_is_exit_2_until_it_is_migrated(released: tuple[Shell, str], older: str) -> None:
    shell, url = released
    migrate.upgrade(url, older)
    before = everything(url)

    lines = [error_line(shell(*command), 2) for command in USING]

    wanted = f"is at revision {older}, this program needs {migrate.HEAD}; run catalog-sync migrate"
    assert [line for line in lines if wanted not in line] == []
    assert everything(url) == before
    output(shell("migrate"))
    output(shell("migrate", "--check"))
    assert first_release_rows(url) == before[1]


def test_a_newer_schema_is_exit_2_for_every_command(released: tuple[Shell, str]) -> None:
    shell, url = released
    migrate.upgrade(url)
    execute(url, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")
    before = everything(url)

    lines = [error_line(shell(*command), 2) for command in (*MAKING, *USING)]

    wanted = f"at revision 9999, this program knows none after {migrate.HEAD}; install a newer catalog-sync"
    assert [line for line in lines if wanted not in line] == []
    assert everything(url) == before
