"""The commands, the SQL and the tables of the README are correct; the SQL is run on all three databases."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from sqlalchemy import Engine

from sync.catalog.modes import MODES
from sync.cli.commands import cli
from sync.demo.catalogs import daily_catalogs
from sync.run.import_ import ImportDependencies, import_responses
from sync.settings import PREFIX
from sync.source.emulator.catalogs import Catalog
from sync.source.files.jsonl import SavedResponse
from tests.support.docs_pages import ROOT, blocks, page, section, table_rows

README = page("README.md")
PAGES = (
    *("README.md", "docs/commands.md", "docs/operations.md"),
    *("deploy/crontab.example", "deploy/catalog-sync.service", "deploy/catalog-sync-check.service"),
    "deploy/catalog-sync-schedule.service",
)
FIRST_DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_DEFAULT = ("DATABASE_URL", "CHECKPOINT_FILE", "ARCHIVE", "METRICS_FILE", "LISTEN", "PING_URL", "NOTIFY_FILE")
KEY_SETTINGS = {PREFIX + "API_KEY", PREFIX + "API_KEY_FILE", PREFIX + "CATALOG_ID"}

# A line that runs the program, up to the first character that the shell interprets.
COMMAND = re.compile(r"^[^#]*?\bcatalog-sync ([a-z][^#<>|&]*)")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def commands(name: str) -> list[str]:
    """The arguments of every catalog-sync command in the code blocks of a page."""
    code = "".join(blocks(page(name))) if name.endswith(".md") else page(name)
    return [found[1].strip() for found in map(COMMAND.match, code.splitlines()) if found]


def without_date(line: str) -> str:
    """A line of the demo from its fourth word on, after the date."""
    return " ".join(line.split()[3:])


def bound_settings() -> dict[str, click.Parameter]:
    """The options that are also settings, by the name of the setting."""
    options = (option for command in cli.commands.values() for option in command.params)
    return {str(option.envvar): option for option in options if option.envvar}


def envelope(catalog: Catalog, mode: str) -> bytes:
    models = getattr(catalog, mode)
    head = f'{{"ok":true,"code":200,"message":"","data":{{"mode":"{mode}","total":{len(models)},"models":['
    return head.encode() + b",".join(models) + b"]}}"


@pytest.fixture
def week(engine: Engine) -> Engine:
    """A database with the week of the demo, from the first of March."""
    answers = [
        SavedResponse("week", day, FIRST_DAY + timedelta(days=day), {mode: envelope(catalog, mode) for mode in MODES})
        for day, catalog in enumerate(daily_catalogs())
    ]
    backfill = ImportDependencies(clock=lambda: FIRST_DAY + timedelta(days=30), app_version="0")
    assert all(import_responses(engine, answers, backfill))
    return engine


def test_the_first_block_is_the_demo_and_then_the_tests() -> None:
    first = blocks(README)[0].splitlines()

    assert [line.partition("#")[0].strip() for line in first] == ["make demo", "make test"]


def test_the_demo_prints_the_lines_of_the_readme(tmp_path: Path) -> None:
    """The lines of the README are shortened: a printed line must begin like one of them after the date."""
    command = [sys.executable, "-m", "sync", "demo", "--directory", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    printed = [without_date(line) for line in result.stdout.splitlines()]
    documented = [without_date(line) for line in blocks(README)[1].splitlines() if line]

    assert [line for line in documented if not any(other.startswith(line) for other in printed)] == []


def test_every_query_of_the_readme_returns_rows_on_every_database(week: Engine) -> None:
    queries = blocks(README, "sql")
    with week.connect() as connection:
        found = {query: connection.exec_driver_sql(query).fetchall() for query in queries}

    assert queries
    assert [query for query, rows in found.items() if not rows] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_program_accepts_every_command_of_the_pages(name: str) -> None:
    documented = [shlex.split(arguments) for arguments in commands(name)]

    assert documented
    for command, *arguments in documented:
        # Raises for unknown arguments. The help names are those of the group, since click keeps the first ones.
        cli.commands[command].make_context(command, arguments, help_option_names=["-h", "--help"])


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_of_the_pages_exists(name: str) -> None:
    documented = set(re.findall(r"(?:^|`)make ([a-z-]+)", page(name), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))

    assert documented
    assert documented <= targets


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]
)
def test_every_link_leads_to_a_file(name: str) -> None:
    folder = (ROOT / name).parent

    assert [link for link in LINK.findall(page(name)) if not (folder / link).exists()] == []


def test_the_table_of_settings_lists_those_of_the_program() -> None:
    named = [row[0] for row in table_rows(section(README, "## Settings"))]

    assert sorted(named) == sorted(KEY_SETTINGS | bound_settings().keys())


def test_the_table_of_settings_gives_the_defaults() -> None:
    """The default database depends on the machine, so the table describes it in words. The others have no default."""
    defaults = {row[0]: row[1] for row in table_rows(section(README, "## Settings"))}
    without_default = {PREFIX + name for name in NO_DEFAULT}
    options = {name: option for name, option in bound_settings().items() if name not in without_default}

    assert {name: option.type.convert(defaults[name], option, None) for name, option in options.items()} == {
        name: option.default for name, option in options.items()
    }


def test_the_readme_names_no_other_setting() -> None:
    named = set(re.findall(PREFIX + r"[A-Z_]+", README))

    assert named <= KEY_SETTINGS | bound_settings().keys()
