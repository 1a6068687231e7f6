"""A short version of each part of ``make torture``, with a fixed seed, on each kind of database."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.commands import NO_AUTHORITIES, PREFIX, finished, started

# With this seed even the short state machine takes almost every kind of step.
SEED = "6"
GOALS = {"kills": 10, "calls": 14, "machine": 40, "mutants": 200, "crowd": 2, "tamper": 14, "years": 40}


@pytest.mark.parametrize("part", GOALS)
def test_nothing_fails_in_a_short_torture(part: str, database_kind: str) -> None:
    """The part runs in its own process: it forks, and a process of pytest-xdist has threads."""
    arguments = [part, database_kind, "--seed", SEED, "--goal", str(GOALS[part])]
    environ = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith(PREFIX)}
    with started(*arguments, program=("-m", "tests.torture.worker"), environ=environ | NO_AUTHORITIES) as process:
        ended = finished(process, within=600)
    result = json.loads(ended.out.splitlines()[-1])

    assert (ended.code, result["failure"]) == (0, None), ended
    assert result["done"] >= GOALS[part]
