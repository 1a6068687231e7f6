"""The generated tables of the pages are up to date."""

from __future__ import annotations

import re

import pytest

from sync.cli.doc_tables import PAGES, all_tables, commands_with_options, with_tables
from sync.errors import Outcome
from tests.support.docs_pages import page, section, table_rows


def marked_tables(name: str) -> list[str]:
    return re.findall(r"<!-- table: (.*) \(written by", page(name))


@pytest.mark.parametrize("name", PAGES)
def test_the_tables_of_a_page_are_up_to_date(name: str) -> None:
    """If this fails, run ``python -m sync.cli.doc_tables``."""
    assert with_tables(page(name)) == page(name)


def test_every_table_is_on_one_page() -> None:
    assert sorted(table for name in PAGES for table in marked_tables(name)) == sorted(all_tables())


def test_the_readme_lists_every_exit_code_in_order() -> None:
    rows = list(table_rows(section(page("README.md"), "## Exit codes")))

    assert [int(row[0]) for row in rows] == sorted(map(int, Outcome))
    assert {len(row) for row in rows} == {6}


@pytest.mark.parametrize("command", commands_with_options())
def test_the_table_of_a_command_is_in_its_section(command: str) -> None:
    assert f"<!-- table: options of {command} (" in section(page("docs/commands.md"), f"## {command}")
