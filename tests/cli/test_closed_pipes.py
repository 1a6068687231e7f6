"""A reader that stops reading is no failure of ours, and hides none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync.source.emulator import Emulator
from tests.cli.catalogs import catalog, model
from tests.cli.commands import complaint, environment, output, run_process, started
from tests.cli.conftest import Shell
from tests.cli.hidden import KEY


@pytest.mark.parametrize("command", [("models",), ("models", "--json"), ("changes", "--csv")], ids=" ".join)
def test_a_reader_that_leaves_early_ends_the_command_quietly(
    shell: Shell, sqlite_url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    many = [model(f"acme/{number:04}", number, name="a name " * 30) for number in range(800)]
    with Emulator([catalog(*many)]) as api:
        output(shell("sync", "--base-url", api.base_url))
    read, write = os.pipe()
    with started(*command, environ=environment(tmp_path, DATABASE_URL=sqlite_url), stdout=write) as process:
        os.close(write)
        assert os.read(read, 100)
        os.close(read)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (0, "")


def test_a_reader_that_never_listened_is_no_failure(sqlite_url: str, tmp_path: Path) -> None:
    for command in (("models", "--json"), ("--help",), ("sync", "--help"), ("--version",)):
        read, write = os.pipe()
        os.close(read)
        ended = run_process(*command, environ=environment(tmp_path, DATABASE_URL=sqlite_url), stdout=write)
        os.close(write)
        assert (ended.code, ended.err) == (0, "")


def test_a_failure_is_told_even_if_nobody_reads_the_result(sqlite_url: str, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with Emulator([catalog(model("acme/a", "a text"))]) as api:
        settings = {"DATABASE_URL": sqlite_url, "BASE_URL": api.base_url, "API_KEY": KEY}
        ended = run_process("sync", environ=environment(tmp_path, **settings), stdout=write)
    os.close(write)
    assert "1 of 1 image models were rejected" in complaint(ended, 5)
