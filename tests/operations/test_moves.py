"""The commands of docs/operations.md that undo a wrong run and that move a history, run unchanged but for names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models_db.engine import open_engine
from models_db.migrate import upgrade
from sync.run.source_check import Acceptance
from tests.support.database_contents import query_rows
from tests.support.docs_pages import ROOT, blocks, page, section
from tests.support.eventful_history import make_history
from tests.support.made_responses import model
from tests.support.moved_history import contents, difference
from tests.support.run_driver import Host
from tests.support.verified_contents import require_consistent

RIGHT = [model("a", cost=1), model("b", cost=2), model("c", cost=3)]
STAGING = [model("a", cost=900), model("staging-only", cost=1)]


@pytest.fixture
def live(tmp_path: Path) -> str:
    """The database in /var/lib/catalog-sync, at head."""
    for name in ("live", "backups"):
        (tmp_path / name).mkdir()
    url = f"sqlite:///{tmp_path / 'live/catalog.sqlite'}"
    upgrade(url)
    return url


def run_documented(heading: str, documented_url: str, url: str, live: str, folder: Path) -> str:
    """The output of the commands under a heading, with the names and paths of the test."""
    (commands,) = blocks(section(page("docs/operations.md"), heading))
    assert documented_url in commands
    commands = commands.replace(documented_url, url).replace("/var/backups", str(folder / "backups"))
    script = f'catalog-sync() {{ "{sys.executable}" -m sync "$@"; }}\n{commands}'
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CATALOG_SYNC_DATABASE_URL": live,
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        ["bash", "-euc", script], env=environ, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    require_consistent(url)
    return ended.stdout


def test_the_documented_commands_undo_a_run_from_a_wrong_base_url(live: str, database_url: str, tmp_path: Path) -> None:
    engine = open_engine(live)
    host = Host(engine)
    host.sync(RIGHT, [])
    host.base_url = "https://staging.example.org"
    host.sync(STAGING, [], accept="all", acceptance=Acceptance(base_url=True))
    host.base_url = "https://example.org"
    host.sync(RIGHT, [], accept="all", acceptance=Acceptance(base_url=True))
    engine.dispose()
    corrected = "sqlite:////var/lib/catalog-sync/corrected.sqlite"
    printed = run_documented("## Undo a wrong run", corrected, database_url, live, tmp_path)
    assert "exported 2 runs" in printed
    events = query_rows(database_url, "SELECT model_id, change_kind FROM v_catalog_changes ORDER BY model_id")
    assert events == [("a", "added"), ("b", "added"), ("c", "added")]
    assert query_rows(database_url, "SELECT base_url FROM sync_state WHERE mode = 'image'") == [
        ("https://example.org",)
    ]


def test_the_documented_commands_move_a_history(live: str, database_url: str, tmp_path: Path) -> None:
    engine = open_engine(live)
    make_history(Host(engine))
    engine.dispose()
    heading = "## Move to another kind of database"
    run_documented(heading, "postgresql:///catalog_moved", database_url, live, tmp_path)
    assert difference(contents(live), contents(database_url)) == []
