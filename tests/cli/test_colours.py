"""What rose and what fell differ by a sign, a word and a colour on a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, model
from tests.support.commands import output
from tests.support.terminals import on_a_terminal

UP, DOWN, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"
RUNS = [catalog(model("a", 1), model("b", 2)), catalog(model("a", 1.5), model("b", 1))]


@pytest.fixture
def two_runs(shell: Shell, sqlite_url: str) -> Shell:
    shell.set(DATABASE_URL=sqlite_url)
    with emulator(RUNS) as api:
        for _ in RUNS:
            output(shell("sync", "--quiet", "--base-url", api.base_url))
    return shell


def words(lines: list[str]) -> str:
    return re.sub(r" +", " ", "\n".join(lines))


@pytest.mark.usefixtures("two_runs")
def test_changes_and_costs_have_sign_word_and_colour(sqlite_url: str, tmp_path: Path) -> None:
    changes = on_a_terminal(sqlite_url, tmp_path, "changes")
    up = next(line for line in changes if "increase" in line)
    down = next(line for line in changes if "decrease" in line)
    assert f"{UP}▲ increase" in up
    assert "+50.00" in up
    assert f"{DOWN}▼ decrease" in down
    assert "-50.00" in down
    costs = words(on_a_terminal(sqlite_url, tmp_path, "costs", "a"))
    assert f"{UP}▲ increase{PLAIN}" in costs


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours_sign_and_word_remain(sqlite_url: str, tmp_path: Path, variables: dict[str, str]) -> None:
    printed = words(on_a_terminal(sqlite_url, tmp_path, "changes", **variables))
    assert "\x1b" not in printed
    assert "▲ increase cost 1 1.5 +0.5 +50.00" in printed
    assert "▼ decrease cost 2 1 -1 -50.00" in printed


@pytest.mark.usefixtures("two_runs")
def test_a_terminal_without_arrows_gets_plus_and_minus(sqlite_url: str, tmp_path: Path) -> None:
    printed = words(on_a_terminal(sqlite_url, tmp_path, "changes", NO_COLOR="1", PYTHONIOENCODING="ascii"))
    assert "+ increase cost" in printed
    assert "- decrease cost" in printed


def test_a_dry_run_has_colours_too(two_runs: Shell, sqlite_url: str, tmp_path: Path) -> None:
    with emulator([catalog(model("a", 1), model("b", 2))]) as api:
        line = ("sync", "--dry-run", "--accept-base-url", "--base-url", api.base_url)
        printed = on_a_terminal(sqlite_url, tmp_path, *line)
        plain = output(two_runs(*line)).splitlines()
    assert f"{DOWN}image a decrease: 1.5 -> 1 (-33.33 %){PLAIN}" in printed
    assert f"{UP}image b increase: 1 -> 2 (+100 %){PLAIN}" in printed
    assert plain[0] == "image a decrease: 1.5 -> 1 (-33.33 %)"
