"""A short version of each part of ``make torture``, with a fixed seed, on each kind of database."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.torture.campaign import ROOT

# With this seed even the short state machine takes every kind of step.
SEED = "6"
GOALS = {"kills": 10, "calls": 14, "machine": 40, "mutants": 200, "crowd": 2}


@pytest.mark.parametrize("part", GOALS)
def test_nothing_fails_in_a_short_torture(part: str, database_kind: str) -> None:
    """The part runs in its own process: it forks, and a process of pytest-xdist has threads."""
    options = ["--seed", SEED, "--goal", str(GOALS[part])]
    command = [sys.executable, "-m", "tests.torture.worker", part, database_kind, *options]
    process = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    result = json.loads(process.stdout.splitlines()[-1])

    assert (process.returncode, result["failure"]) == (0, None), process.stdout + process.stderr
    assert result["done"] >= GOALS[part]
