"""The commands of docs/operations.md that give readers a copy of an SQLite file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models_db.migrate import upgrade
from tests.cli.conftest import Shell
from tests.support.commands import ROOT, CommandResult, error_line, output
from tests.support.database_contents import query_rows
from tests.support.docs_pages import blocks, page, section
from tests.support.synced_database import STATUS, SyncedDatabase


@pytest.fixture
def live(shell: Shell, tmp_path: Path) -> SyncedDatabase:
    """The database in /var/lib/catalog-sync, synced once."""
    for name in ("live", "backups/readers"):
        (tmp_path / name).mkdir(parents=True)
    url = f"sqlite:///{tmp_path / 'live/catalog.sqlite'}"
    upgrade(url)
    return SyncedDatabase(shell, url, tmp_path)


def copy_for_readers(folder: Path) -> Path:
    (commands,) = blocks(section(page("docs/operations.md"), "### The file of SQLite"))
    commands = commands.replace("/var/lib/catalog-sync", str(folder / "live"))
    commands = commands.replace("/var/backups", str(folder / "backups"))
    subprocess.run(["bash", "-euc", commands], env={"PATH": os.environ["PATH"]}, timeout=60, check=True)
    return folder / "backups/readers/catalog.sqlite"


def as_anybody(*arguments: str, environ: dict[str, str]) -> CommandResult:
    """Runs the program without the right of root to ignore modes."""
    without_rights = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    command = [*without_rights, sys.executable, "-m", "sync", *arguments]
    ended = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return CommandResult(ended.returncode, ended.stdout, ended.stderr)


def test_readers_get_a_copy_that_no_command_can_write(live: SyncedDatabase, shell: Shell, tmp_path: Path) -> None:
    copy_for_readers(tmp_path)
    live.succeeds()
    copy = copy_for_readers(tmp_path)
    copy.parent.chmod(0o555)
    try:
        url = f"sqlite:///{copy}"
        shell.set(DATABASE_URL=url)
        for command in (("status",), ("models",), ("changes",), ("verify",)):
            output(shell(*command))
        environ = live.environment() | {"CATALOG_SYNC_DATABASE_URL": url}
        ended = as_anybody("ignore", "add", "models.name", "--why", "x", environ=environ)
    finally:
        copy.parent.chmod(0o755)

    assert "attempt to write a readonly database" in error_line(ended, 6)
    assert query_rows(live.url, STATUS) == [("success",)] * 2
    assert copy.stat().st_mode & 0o777 == 0o444
    assert [file.name for file in copy.parent.iterdir()] == ["catalog.sqlite"]
