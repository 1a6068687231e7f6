"""The command ``ask``: the questions of docs/questions.md by name."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from sync.cli import options
from sync.cli.doc_questions import UNTIL
from sync.demo import run_demo
from sync.show.fold import text_width
from sync.store.questions import questions
from tests.cli.conftest import Shell
from tests.support.commands import error_line, output
from tests.support.terminals import terminal_lines

NAMES = list(questions())


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the demo."""
    file = tmp_path_factory.mktemp("demo") / "demo.db"
    run_demo(file, UNTIL, "0", report_run=lambda _moment, _run: None)
    return file


@pytest.fixture
def demo_url(demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The history of the demo, in the hours after its last run."""
    monkeypatch.setattr(options, "now", lambda: UNTIL)
    return f"sqlite:///{shutil.copy(demo_file, tmp_path)}"


def test_without_a_name_every_question_is_listed(shell: Shell) -> None:
    lines = output(shell("ask")).splitlines()
    listed = json.loads(output(shell("ask", "--json")))

    assert [line.split()[0] for line in lines[1:]] == NAMES
    assert [each["name"] for each in listed] == NAMES
    assert [each["question"] for each in listed] == [each.text for each in questions().values()]


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_question_explains_it_and_its_parameters(shell: Shell, name: str) -> None:
    printed = " ".join(output(shell("ask", name, "--help")).split())

    assert questions()[name].text in printed
    assert f"Example: catalog-sync ask {name}" in printed
    assert all(f"--{parameter} " in printed for parameter in questions()[name].parameters)


def test_a_parameter_selects_and_every_format_has_the_same_rows(shell: Shell, demo_url: str) -> None:
    arguments = ("ask", "cost-history", "--model", "acme/motion", "--database-url", demo_url)
    rows = json.loads(output(shell(*arguments, "--json")))
    table = output(shell(*arguments)).splitlines()
    lines = list(csv.DictReader(io.StringIO(output(shell(*arguments, "--csv")))))

    assert [row["credit_cost"] for row in rows] == [10, 12, None]
    assert [line["credit_cost"] for line in lines] == ["10", "12", ""]
    assert rows[0]["valid_from"] == "2026-03-02T06:00:00Z"
    assert len(table) == 1 + len(rows)
    assert table[0].split() == [column.upper() for column in rows[0]]


def test_sql_prints_the_text_with_the_values_and_opens_no_database(shell: Shell) -> None:
    url = "sqlite:////nowhere/none.db"
    printed = output(
        shell(
            "ask",
            "cost-changes",
            "--since",
            "2026-05-01T10:30Z",
            "--until",
            "2026-05-02",
            "--sql",
            "--database-url",
            url,
        )
    )

    assert "changed_at >= '2026-05-01 10:30:00.000000'" in printed
    assert "changed_at < '2026-05-02 00:00:00.000000'" in printed


def test_a_backslash_is_printed_for_the_database_of_the_url(shell: Shell) -> None:
    arguments = ("ask", "cost-history", "--model", "a\\b'c", "--sql", "--database-url")

    assert "'a\\b''c'" in output(shell(*arguments, "sqlite:///none.db"))
    assert "'a\\\\b''c'" in output(shell(*arguments, "mariadb://localhost/none"))


NO_ANSWERS = {
    ("cost-history", "--model", "acme/sketsh"): "there is no model 'acme/sketsh'; did you mean 'acme/sketch' or ",
    ("cost-changes", "--since", "2026-03-02", "--until", "2026-03-01"): (
        "the period is empty: --since 2026-03-02 00:00 is not before --until 2026-03-01 00:00"
    ),
    ("usage", "--since", "2026-03-01", "--until", "2026-03-01"): (
        "the period is empty: --since 2026-03-01 is not before --until 2026-03-01"
    ),
    ("costs-at", "--at", "2026-03-01"): "the history begins at 2026-03-02 06:00 UTC; --at is 2026-03-01 00:00 UTC",
    ("cheapest-by-day", "--since", "2026-02-01", "--until", "2026-03-01"): (
        "the history begins at 2026-03-02 06:00 UTC; --until is 2026-03-01 00:00 UTC"
    ),
}


@pytest.mark.parametrize(("asked", "reason"), NO_ANSWERS.items(), ids=map(" ".join, NO_ANSWERS))
def test_nothing_found_says_what_was_wrong(shell: Shell, demo_url: str, asked: tuple[str, ...], reason: str) -> None:
    assert output(shell("ask", *asked, "--database-url", demo_url)).startswith(f"nothing found: {reason}")


def test_nothing_found_names_the_values(shell: Shell, demo_url: str) -> None:
    printed = output(shell("ask", "cost-history", "--model", "no\nbody", "--database-url", demo_url))

    assert printed == "nothing found: there is no model 'no body'\n"
    a_quiet_day = ("--since", "2026-03-03", "--until", "2026-03-04")
    assert output(shell("ask", "cost-changes", *a_quiet_day, "--database-url", demo_url)) == (
        "nothing found with --since 2026-03-03 00:00, --until 2026-03-04 00:00\n"
    )
    assert output(shell("ask", "cost-history", "--model", "x", "--json", "--database-url", demo_url)) == "[]\n"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_leaves_no_column_of_an_answer_out(
    shell: Shell, demo_url: str, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    shell.set(DATABASE_URL=demo_url)
    for name in NAMES:
        lines = terminal_lines(monkeypatch, width, "ask", name)
        assert max(map(text_width, lines)) <= width, name
        assert "left out" not in " ".join(lines), name


def test_the_list_of_questions_is_a_table_on_any_common_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (60, 80, 120):
        lines = terminal_lines(monkeypatch, width, "ask")
        assert lines[0].split() == ["NAME", "QUESTION", "PARAMETERS"]
        assert max(map(text_width, lines)) <= width


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["nothing"], "there is no question 'nothing'; see catalog-sync ask --help"),
        (["cost-change"], "there is no question 'cost-change'; did you mean 'cost-changes' or "),
        (["costs"], "did you mean 'costs-at' or "),
        (["cost-changes", "--model", "x"], "--model"),
        (["cost-changes", "--since", "soon"], "--since"),
        (["biggest-moves", "--days", "-1"], "--days"),
        (["free", "--sql", "--json"], "--sql prints"),
        (["free", "--csv", "--json"], "exclude each other"),
        (["--json", "free"], "ask NAME --json"),
    ],
)
def test_what_cannot_be_asked_is_refused(shell: Shell, demo_url: str, arguments: list[str], part: str) -> None:
    shell.set(DATABASE_URL=demo_url)

    assert part in error_line(shell("ask", *arguments), 2)
