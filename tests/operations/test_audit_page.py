"""The commands of docs/audit.md, run as they stand there: checkpoints arrive, verify and the script take them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models_db import migrate
from models_db.engine import open_engine
from tests.support.docs_pages import ROOT, blocks, page, section
from tests.support.made_responses import model
from tests.support.run_driver import Host

AUDIT = page("docs/audit.md")
MODEL = "google/nano-banana"

# What the commands need of other hosts: each keeps what it was given.
PROGRAMS = {
    "mail": 'test "$3" = auditor@example.com && cat >> "$HOME/kept.txt"',
    "ssh": 'test "$1" = checkpoints@log.example.com && cd "$HOME" && sh -c "$2"',
    "aws": """
test "$1 $2" = "s3api put-object"
while test $# -gt 0; do
  case $1 in
    --body) body=$2 ;;
    --key) case $2 in catalog/20*.txt) ;; *) exit 9 ;; esac ;;
    --object-lock-mode) test "$2" = COMPLIANCE ;;
    --object-lock-retain-until-date) date -d "$2" > "$HOME/until" ;;
  esac
  shift
done
cat "$body" >> "$HOME/kept.txt"
""",
}
PLACES = ("### By mail", "### In a log of another host", "### Object lock", "### Version control of the auditor")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a catalog of two runs, other hosts, and the repository of an auditor."""
    url = f"sqlite:///{tmp_path / 'catalog.db'}"
    migrate.upgrade(url)
    engine = open_engine(url)
    host = Host(engine)
    for cost in (4, 5):
        host.sync([model(MODEL, cost=cost), model("other")], [])
    engine.dispose()
    (tmp_path / "bin").mkdir()
    for name, text in PROGRAMS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\nset -eu\n{text}")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def run(home: Path, commands: str) -> str:
    """The output of commands of the page, which must succeed and print nothing on stderr."""
    environ = {
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "CATALOG_SYNC_DATABASE_URL": f"sqlite:///{home / 'catalog.db'}",
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
    }
    # The address of the page's repository, and a time at which the catalog of the test had the model.
    commands = commands.replace("/srv/audit", str(home / "audit")).replace("--at 2026-03-01T12:00Z", "--at 0s")
    script = f'catalog-sync() {{ "{sys.executable}" -m sync "$@"; }}\nset -o pipefail\n{commands}'
    ended = subprocess.run(
        ["bash", "-euc", script], env=environ, cwd=home, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), (script, ended)
    return ended.stdout


def make_repository(home: Path) -> None:
    (home / "gitconfig").write_text("[user]\nname = a\nemail = a@example.com\n[init]\ndefaultBranch = main\n")
    run(home, "git init -q --bare origin; git -C origin config receive.denyNonFastForwards true")
    run(
        home,
        "git clone -q origin audit 2>&1; cd audit; touch README; git add .; git commit -qm begin; git push -q 2>&1",
    )


def commands_of(text: str) -> list[str]:
    return [block for block in blocks(text) if not block.startswith("catalog-sync/")]


@pytest.mark.parametrize("place", PLACES)
def test_a_checkpoint_arrives_at_each_place_and_verify_takes_it(home: Path, place: str) -> None:
    if place == PLACES[-1]:
        make_repository(home)
    [commands] = commands_of(section(AUDIT, place))

    run(home, commands)

    kept = {PLACES[0]: "kept.txt", PLACES[1]: "checkpoints.txt", PLACES[2]: "kept.txt"}.get(place)
    text = (home / kept).read_text() if kept else run(home, "git -C origin show HEAD:checkpoints.txt")
    assert text.startswith("catalog-sync/")
    assert text.split("\n")[1] == "2"
    (home / "checkpoints.txt").write_text(text)
    verify, *_ = commands_of(section(AUDIT, "## What an auditor does"))
    assert "1 checkpoint holds" in run(home, verify)


def test_an_auditor_proves_a_price_and_checks_the_proof_alone(home: Path) -> None:
    verify, prove, check = commands_of(section(AUDIT, "## What an auditor does"))
    run(home, "catalog-sync checkpoint >> checkpoints.txt")
    (home / "check_proof.py").write_text(page("docs/check_proof.py"))

    run(home, verify)
    run(home, prove)
    (home / "catalog.db").unlink()
    line = run(home, check)

    assert f'image model "{MODEL}" was listed with credit cost 5 ' in line
    assert "which is one of those kept; not proved: that the API said so" in line


def test_every_block_of_commands_is_run_here() -> None:
    run_here = [block for place in (*PLACES, "## What an auditor does") for block in commands_of(section(AUDIT, place))]

    assert commands_of(AUDIT) == run_here
