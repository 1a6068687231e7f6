"""A short version of each part of ``make torture``, with a fixed seed, on each kind of database."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.torture.campaign import ROOT

SHORT = {"kills": 10, "calls": 14, "machine": 40, "mutants": 200, "crowd": 2}


@pytest.mark.parametrize("part", SHORT)
def test_nothing_breaks_in_a_short_torture(part: str, database_kind: str) -> None:
    """In a process of its own, since it forks, and a worker of the tests has threads."""
    arguments = ["--seed", "7", "--goal", str(SHORT[part])]
    command = [sys.executable, "-m", "tests.torture.worker", part, database_kind, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    told = json.loads(ended.stdout.splitlines()[-1])

    assert (ended.returncode, told["broken"]) == (0, None), ended.stdout + ended.stderr
    assert told["done"] >= SHORT[part]
