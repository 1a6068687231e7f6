"""Every reading command with every output on every model of a real price history."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sync.cli import options
from sync.show.fold import text_width
from sync.store.questions import questions
from tests.cli.conftest import Shell
from tests.run.conftest import _import_real_history
from tests.support.commands import output
from tests.support.migrated_databases import MigratedDatabases
from tests.support.terminals import terminal_lines

WIDTHS = (40, 60, 80, 120)
MOMENTS = ("2025-08-01", "2025-12-01", "2026-04-01", "2026-06-15")


@pytest.fixture
def replayed(
    shell: Shell, tmp_path: Path, _migrated: MigratedDatabases, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    now = options.now()
    monkeypatch.setattr(options, "now", lambda: now)  # two outputs that are compared have the same durations
    with ExitStack() as stack:
        shell.set(DATABASE_URL=_migrated.new("sqlite", tmp_path / "catalog.db", stack, _import_real_history))
        yield shell


def read(shell: Shell, *arguments: str) -> Any:
    return json.loads(output(shell(*arguments, "--json")))


def rows(shell: Shell, *arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(output(shell(*arguments, "--csv")))))


def all_ids(shell: Shell) -> list[str]:
    return sorted({change["model_id"] for change in read(shell, "changes", "--kind", "added")})


def as_texts(value: object) -> str:
    return "" if value is None else str(value)


def test_i1_every_model_can_be_read_in_every_form(replayed: Shell) -> None:
    ids = all_ids(replayed)
    assert len(ids) == 37
    for model_id in ids:
        assert model_id in output(replayed("show", model_id))
        assert {detail["model_id"] for detail in read(replayed, "show", model_id)} == {model_id}
        values = {row["field"]: row["value"] for row in rows(replayed, "show", model_id)}
        assert values["model_id"] == model_id
        assert any(field.startswith("cost_history.0.") for field in values)
        for arguments in (["costs", model_id], ["changes", "--model", model_id]):
            printed = read(replayed, *arguments)
            assert printed
            assert rows(replayed, *arguments) == [{key: as_texts(each[key]) for key in each} for each in printed]
            assert len(output(replayed(*arguments)).splitlines()) > 1


def test_i1_the_catalog_of_every_time_can_be_read_in_every_form(replayed: Shell) -> None:
    for arguments in (["models"], *(["models", "--as-of", moment] for moment in MOMENTS)):
        printed = read(replayed, *arguments)
        assert len(rows(replayed, *arguments)) == len(printed) > 0
        assert len(output(replayed(*arguments)).splitlines()) == 1 + len(printed) + 1
        for entry in printed:
            moment = arguments[2:] and ["--as-of", arguments[2]]
            (detail,) = read(replayed, "show", entry["model_id"], "--mode", entry["mode"], *moment)
            assert detail["credit_cost"] == entry["credit_cost"]
            assert entry["model_id"] in output(replayed("show", entry["model_id"], *moment))


def test_i1_status_verify_and_ignored_fields_can_be_read_in_every_form(replayed: Shell) -> None:
    for arguments in (["status"], ["verify"], ["ignore", "list"], ["ask"]):
        assert output(replayed(*arguments))
        read(replayed, *arguments)


def test_i1_every_question_is_answered_in_every_form(replayed: Shell) -> None:
    for name in questions():
        printed = read(replayed, "ask", name)
        assert len(rows(replayed, "ask", name)) == len(printed)
        assert len(output(replayed("ask", name)).splitlines()) == 1 + len(printed) + 1


@pytest.mark.parametrize("width", WIDTHS)
def test_i2_a_terminal_shows_every_cost_whole_and_no_line_is_too_wide(
    replayed: Shell, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    for model_id in all_ids(replayed):
        costs = {each["credit_cost"] for each in read(replayed, "costs", model_id)} - {None}
        for arguments in (["costs", model_id], ["show", model_id], ["changes", "--model", model_id, "--limit", "0"]):
            lines = terminal_lines(monkeypatch, width, *arguments)
            assert max(map(text_width, lines)) <= width
            words = set(" ".join(lines).split())
            assert arguments[0] == "show" or costs <= words
    for name in ("models", "status", "verify"):
        assert max(map(text_width, terminal_lines(monkeypatch, width, name))) <= width
    costs = {each["credit_cost"] for each in read(replayed, "models")} - {None}
    assert costs <= set(" ".join(terminal_lines(monkeypatch, width, "models")).split())
