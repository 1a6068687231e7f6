"""A command line without a command, usage errors of subcommands, and the completion of shells."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.commands import environment, output, run_process


@pytest.mark.parametrize(("group", "command"), [((), "models"), (("ignore",), "remove")])
def test_i5_without_a_command_the_commands_are_printed(shell: Shell, group: tuple[str, ...], command: str) -> None:
    ended = shell(*group)
    assert ended.code == 2
    assert f"\n  {command} " in ended.out
    assert ended.out == output(shell(*group, "--help"))
    assert ended.err == "catalog-sync: no command was given; stdout lists the commands\n"


@pytest.mark.parametrize(
    ("line", "help_line"),
    [
        ("sync --foo", "catalog-sync sync --help"),
        ("models --provider", "catalog-sync models --help"),
        ("models --mode x", "catalog-sync models --help"),
        ("changes --since yesterday", "catalog-sync changes --help"),
        ("show", "catalog-sync show --help"),
        ("show a b", "catalog-sync show --help"),
        ("ignore add", "catalog-sync ignore add --help"),
        ("ignore add --why", "catalog-sync ignore add --help"),
        ("ignore ad", "catalog-sync ignore --help"),
        ("ask cost-changes --since", "catalog-sync ask cost-changes --help"),
        ("ask nothing", "catalog-sync ask --help"),
        ("completion tcsh", "catalog-sync completion --help"),
        ("synk", "catalog-sync --help"),
        ("--foo", "catalog-sync --help"),
        ("--foo models", "catalog-sync --help"),
    ],
)
def test_i5_a_usage_error_points_to_the_help_of_its_command(shell: Shell, line: str, help_line: str) -> None:
    ended = shell(*line.split())
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.endswith(f"; see {help_line}\n")


def complete(home: Path, typed: str) -> list[str]:
    """The words that the program offers to bash for a command line."""
    settings = {"_CATALOG_SYNC_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    printed = output(run_process(environ=environment(home) | settings))
    return [line.partition(",")[2] for line in printed.splitlines()]


def test_a_shell_gets_commands_options_and_values(tmp_path: Path) -> None:
    assert complete(tmp_path, "catalog-sync mo") == ["models"]
    assert complete(tmp_path, "catalog-sync ignore re") == ["remove"]
    assert complete(tmp_path, "catalog-sync ask cost-c") == ["cost-changes"]
    assert complete(tmp_path, "catalog-sync models --pro") == ["--provider"]
    assert complete(tmp_path, "catalog-sync changes --kind inc") == ["increase"]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_calls_the_program(shell: Shell, name: str) -> None:
    script = output(shell("completion", name))
    assert f"_CATALOG_SYNC_COMPLETE={name}_complete" in script
    assert "catalog-sync" in script


def test_bash_can_run_its_script(shell: Shell, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "script").write_text(output(shell("completion", "bash")) + "\ncomplete -p catalog-sync\n")
    ended = subprocess.run(
        [bash, "--norc", str(tmp_path / "script")], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert "_catalog_sync_completion catalog-sync" in ended.stdout
