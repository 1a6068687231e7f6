"""``changes --field``, and the limit of ``changes`` on a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, model, numbered_models
from tests.support.commands import error_line, output
from tests.support.terminals import on_a_terminal

RUNS = [
    catalog({**model("a", value), "params": {"x": {"rank": value}, "y": {"rank": value}}, "a.b": value, "Rank": value})
    for value in (1, 2)
]
ALL = ["params.y.rank", "params.x.rank", "credits.default_cost", "models.a\\.b", "models.Rank", "models"]


@pytest.fixture
def two_runs(shell: Shell, migrated_url: str) -> Shell:
    shell.set(DATABASE_URL=migrated_url)
    with emulator(RUNS) as api:
        for _ in RUNS:
            output(shell("sync", "--quiet", "--base-url", api.base_url))
    return shell


def fields(shell: Shell, *arguments: str) -> list[str]:
    changes = json.loads(output(shell("changes", "--json", *arguments)))
    return [".".join(filter(None, (change["entity"], change["field"]))) for change in changes]


def test_changes_can_be_filtered_by_a_pattern_for_the_field(two_runs: Shell) -> None:
    expected = {
        "*": ALL,
        "params.*.rank": ALL[:2],
        "*rank": ALL[:2],
        "*.[rR]ank": [*ALL[:2], "models.Rank"],
        "params.?.rank": ALL[:2],
        "params.x.rank": ["params.x.rank"],
        "params.X.rank": [],
        "credits.default_cost": ["credits.default_cost"],
        "credits.*": ["credits.default_cost"],
        "models.a\\.b": ["models.a\\.b"],
        "models": ["models"],
        "models*": ALL[3:],
        "params": [],
        "rank": [],
    }
    assert {pattern: fields(two_runs, "--field", pattern) for pattern in expected} == expected
    assert fields(two_runs, "--field", "*rank", "--limit", "1") == ALL[:1]
    assert fields(two_runs, "--field", "*", "--limit", "0") == ALL
    assert fields(two_runs, "--field", "*rank", "--since", "2999-01-01") == []
    assert output(two_runs("changes", "--field", "nothing.*")).startswith("nothing found: no field matches 'nothing.*'")
    assert "--limit" in error_line(two_runs("changes", "--limit", "-1"), 2)


def test_a_terminal_gets_the_newest_100_changes_and_is_told(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    with emulator([catalog(*numbered_models(1234))]) as api:
        output(shell("sync", "--quiet", "--base-url", api.base_url))

    lines = on_a_terminal(sqlite_url, tmp_path, "changes")
    assert len(lines) == 2 + 100 + 1
    assert lines[-1].startswith("the newest 100 of 1,234 changes; --limit 0 prints all")
    assert len(on_a_terminal(sqlite_url, tmp_path, "changes", "--limit", "0")) == 2 + 1234
    assert len(on_a_terminal(sqlite_url, tmp_path, "changes", "--limit", "150")) == 2 + 150
    assert "of 1,234 changes" in on_a_terminal(sqlite_url, tmp_path, "changes", "--field", "mod*")[-1]
    assert len(on_a_terminal(sqlite_url, tmp_path, "changes", "--model", "acme/image-1?")) == 2 + 10
    assert len(json.loads("".join(on_a_terminal(sqlite_url, tmp_path, "changes", "--json")))) == 1234
    assert len(output(shell("changes")).splitlines()) == 1 + 1234
