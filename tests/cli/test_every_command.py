"""What holds for every command (help, version, fast start), and the commands demo and migrate."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from models_db.migrate import HEAD
from sync import __version__
from sync.cli.commands import cli
from tests.cli.conftest import Shell
from tests.support.commands import ROOT, environment, error_line, output, run_process
from tests.support.database_contents import query_rows

COMMANDS = sorted(cli.commands)


def test_the_commands_are_the_documented_ones() -> None:
    assert (
        sorted(
            [
                "ask",
                "changes",
                "checkpoint",
                "completion",
                "costs",
                "demo",
                "emulator",
                "export",
                "ignore",
                "import",
                "migrate",
                "models",
                "notify",
                "prove",
                "prune",
                "report",
                "schedule",
                "show",
                "status",
                "sync",
                "verify",
            ]
        )
        == COMMANDS
    )


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_has_an_example_and_every_option(shell: Shell, name: str | None) -> None:
    printed = output(shell(*filter(None, [name]), "--help"))
    assert "Example: " in printed
    assert "catalog-sync" in printed.partition("Example: ")[2]
    command = cli if name is None else cli.commands[name]
    for option in command.params:
        assert all(flag in printed for flag in option.opts if isinstance(option, click.Option))
        assert not isinstance(option, click.Option) or option.help
    assert output(shell(*filter(None, [name]), "-h")) == printed


def test_help_lists_every_command_in_a_whole_sentence(shell: Shell) -> None:
    printed = output(shell("--help"))
    for name in COMMANDS:
        assert any(line.split()[0] == name and line.endswith(".") for line in printed.splitlines() if line.strip())


def test_the_version_is_that_of_the_package(shell: Shell) -> None:
    assert output(shell("--version")) == f"catalog-sync, version {__version__}\n"


def test_python_m_sync_is_the_installed_command(tmp_path: Path) -> None:
    installed = [sys.executable, "-c", "import sys; from sync.cli import main; sys.argv[0] = 'catalog-sync'; main()"]
    for arguments in (["--version"], ["--help"], ["sync", "--help"], ["synk"]):
        module = run_process(*arguments, environ=environment(tmp_path))
        script = subprocess.run(
            [*installed, *arguments], cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False
        )
        assert (module.code, module.out, module.err) == (script.returncode, script.stdout, script.stderr)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_is_fast_since_it_imports_no_large_library(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from sync.cli.entry_point import run; import os\n"
        f"assert run({arguments!r}, os.environ) == 0\n"
        "heavy = {'sqlalchemy', 'requests', 'alembic', 'apscheduler', 'msgspec', 'rich', 'psycopg', 'pymysql'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(tmp_path), check=True, capture_output=True)


@pytest.mark.parametrize("arguments", [["models"], ["changes", "--json"], ["status"], ["verify"]], ids=" ".join)
def test_reading_commands_import_neither_requests_nor_alembic(
    arguments: list[str], sqlite_url: str, tmp_path: Path
) -> None:
    code = (
        "import sys; from sync.cli.entry_point import run; import os\n"
        f"assert run({arguments!r}, os.environ) == 0\n"
        "heavy = {'requests', 'alembic', 'apscheduler'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    environ = environment(tmp_path, DATABASE_URL=sqlite_url)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, check=True, capture_output=True)


def test_the_demo_shows_months_with_a_decrease_and_its_database(tmp_path: Path) -> None:
    folder = tmp_path / "with a blank"
    printed = output(run_process("demo", "--directory", str(folder), environ=environment(tmp_path)))
    assert "acme/sketch-pro" in printed
    assert "decrease" in printed
    for kind in ("increase", "removed", "relisted", "cost_unset", "added"):
        assert kind in printed
    assert str(folder / "demo.db") in printed
    assert printed.endswith(f"{(folder / 'demo.html').as_uri()}\n")
    assert "acme/sketch-pro" in (folder / "demo.html").read_text()
    url = f"sqlite:///{folder / 'demo.db'}"
    event = "SELECT old_cost_exact, new_cost_exact FROM v_credit_cost_changes WHERE change_kind = 'decrease'"
    assert ("3", "1.5") in query_rows(url, event)
    statuses = [status for (status,) in query_rows(url, "SELECT DISTINCT status FROM sync_runs ORDER BY status")]
    assert statuses == ["failed", "held", "partial", "success"]
    assert query_rows(url, "SELECT COUNT(*) FROM v_calendar_days") == [(92,)]
    again = output(run_process("demo", "--directory", str(folder), environ=environment(tmp_path)))
    assert again.count("\n") == printed.count("\n")


@pytest.mark.parametrize("until", ["0001-01-01", "1970-02-01", "9999-12-31T23:59Z"])
def test_the_demo_refuses_a_time_at_which_no_run_could_be(shell: Shell, tmp_path: Path, until: str) -> None:
    line = error_line(shell("demo", "--directory", str(tmp_path), "--until", until), 2)
    assert "give a time from 2001 to 9000" in line


def test_the_demo_needs_less_than_three_seconds(tmp_path: Path) -> None:
    """Of the processor, since other tests run at the same time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output(run_process("demo", "--directory", str(tmp_path), environ=environment(tmp_path)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime) < 3


def test_a_demo_file_that_cannot_be_replaced_is_reported(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "demo.db").mkdir()
    line = error_line(shell("demo", "--directory", str(tmp_path)), 2)
    assert f"{tmp_path}/demo.db cannot be deleted: Is a directory" in line


def test_the_command_that_the_demo_prints_works(shell: Shell, tmp_path: Path) -> None:
    printed = output(shell("demo", "--directory", str(tmp_path / "with a blank")))
    words = shlex.split(next(line for line in printed.splitlines() if " models --database-url" in line))
    assert "acme/sketch" in output(shell(*words[words.index("models") :]))


def test_the_default_database_is_in_the_users_data_directory(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / ".local/share/catalog-sync/catalog.db"
    assert str(file) in error_line(shell("models"), 2)
    printed = output(shell("migrate"))
    assert printed.startswith(f"made a new catalog in sqlite:///{file}: revision {HEAD}, id ")
    assert output(shell("migrate", "--check")) == f"sqlite:///{file} is at revision {HEAD}\n"
    assert output(shell("models")).startswith("nothing found: this catalog has no successful sync yet")


def test_a_migration_can_be_repeated(shell: Shell, database_url: str) -> None:
    shell.set(DATABASE_URL=database_url)
    error_line(shell("migrate", "--check"), 2)
    output(shell("migrate"))
    assert output(shell("migrate")) == output(shell("migrate"))
    output(shell("migrate", "--check"))
