"""A closed pipe is not a failure and hides none; output that cannot be written is reported."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, model
from tests.support.commands import ROOT, CommandResult, environment, error_line, output, run_process, started
from tests.support.secrets_search import KEY


@pytest.mark.parametrize("command", [("models",), ("models", "--json"), ("changes", "--csv")], ids=" ".join)
def test_a_reader_that_leaves_early_ends_the_command_quietly(
    shell: Shell, sqlite_url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    many = [model(f"acme/{number:04}", number, name="a name " * 30) for number in range(800)]
    with emulator([catalog(*many)]) as api:
        output(shell("sync", "--base-url", api.base_url))
    read, write = os.pipe()
    with started(*command, environ=environment(tmp_path, DATABASE_URL=sqlite_url), stdout=write) as process:
        os.close(write)
        assert os.read(read, 100)
        os.close(read)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_a_reader_that_never_read_is_not_a_failure(sqlite_url: str, tmp_path: Path) -> None:
    for command in (("models", "--json"), ("--help",), ("sync", "--help"), ("--version",)):
        read, write = os.pipe()
        os.close(read)
        ended = run_process(*command, environ=environment(tmp_path, DATABASE_URL=sqlite_url), stdout=write)
        os.close(write)
        assert (ended.code, ended.err) == (0, "")


def test_a_failure_is_reported_even_if_the_result_has_no_reader(sqlite_url: str, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with emulator([catalog(model("acme/a", "a text"))]) as api:
        settings = {"DATABASE_URL": sqlite_url, "BASE_URL": api.base_url, "API_KEY": KEY}
        ended = run_process("sync", environ=environment(tmp_path, **settings), stdout=write)
    os.close(write)
    assert "1 of 1 image models were rejected" in error_line(ended, 5)


SHOWING = (("models",), ("models", "--json"), ("changes", "--csv"), ("status",), ("verify",), ("--help",), ("migrate",))
FULL = Path("/dev/full")  # refuses every write, as a full disk does


@pytest.fixture
def environ(sqlite_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings for a database with one model, and for an API that serves only this model."""
    with emulator([catalog(model("acme/a", 3))]) as api:
        environ = environment(tmp_path, DATABASE_URL=sqlite_url, BASE_URL=api.base_url, API_KEY=KEY)
        output(run_process("sync", environ=environ))
        yield environ


@pytest.mark.parametrize("command", [*SHOWING, ("sync",)], ids=" ".join)
def test_output_that_does_not_fit_on_the_disk_is_reported(environ: dict[str, str], command: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        line = error_line(run_process(*command, environ=environ, stdout=full), 1)
    assert "could not be written: No space left on device; everything else was done" in line


def test_output_that_is_not_written_hides_no_failure(environ: dict[str, str]) -> None:
    with FULL.open("wb") as full, emulator([catalog(model("acme/a", "a text"))]) as api:
        ended = run_process("sync", "--accept-base-url", "--base-url", api.base_url, environ=environ, stdout=full)
    assert "1 of 1 image models were rejected" in error_line(ended, 5)


def test_a_full_disk_under_stderr_leaves_the_exit_code(environ: dict[str, str]) -> None:
    with FULL.open("wb") as full:
        assert run_process("show", "acme/nothing", environ=environ, stderr=full).code == 2
        assert run_process("models", environ=environ, stderr=full, stdout=full).code == 1


@pytest.mark.parametrize("command", [*SHOWING, ("sync",)], ids=" ".join)
def test_a_command_without_an_open_stream_ends_well(environ: dict[str, str], command: tuple[str, ...]) -> None:
    ended = without_streams(*command, environ=environ, closed=">&-")
    assert (ended.code, ended.err) == (0, "")
    assert without_streams(*command, environ=environ, closed="<&- >&- 2>&-").code == 0
    assert output(run_process("verify", environ=environ))


def without_streams(*command: str, environ: dict[str, str], closed: str) -> CommandResult:
    """The result of a command with closed streams. The shell closes them, since Popen opens those it does not get."""
    line = shlex.join([sys.executable, "-m", "sync", *command])
    found = subprocess.run(["sh", "-c", f"{line} {closed}"], cwd=ROOT, env=environ, capture_output=True, text=True)  # noqa: PLW1510  # the exit code is asserted
    return CommandResult(found.returncode, found.stdout, found.stderr)
