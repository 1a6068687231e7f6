"""The commands ``show`` and ``costs``, and the filters of ``changes``, on a history with known dates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line, output

SIZES = {"size": {"type": "string", "options": ["2K", "1K"], "default": "1K", "required": True}, "seed": 7}
DAYS: tuple[tuple[str, list[Any], list[Any]], ...] = (
    ("2026-03-01", [model("acme/a", 4, params=SIZES), model("acme/b", 0)], [model("acme/a", 9, mode="video")]),
    ("2026-03-02", [model("acme/a", 3, params=SIZES), model("acme/b", 5)], [model("acme/a", 9, mode="video")]),
    ("2026-03-03", [model("acme/b", 5.1)], [model("acme/a", 9, mode="video")]),
    ("2026-03-05", [model("acme/a", 6, params=SIZES), model("acme/b", 5.1)], [model("acme/a", 9, mode="video")]),
)


@pytest.fixture
def history(shell: Shell, migrated_url: str, tmp_path: Path) -> Shell:
    file = tmp_path / "responses.jsonl"
    line = '{"at": "%sT00:00:00Z", "image": %s, "video": %s}'
    lines = (line % (day, envelope(image).decode(), envelope(video, "video").decode()) for day, image, video in DAYS)
    file.write_text("\n".join(lines))
    shell.set(DATABASE_URL=migrated_url)
    output(shell("import", "--quiet", str(file)))
    return shell


def read(shell: Shell, *arguments: str) -> Any:
    return json.loads(output(shell(*arguments, "--json")))


def test_costs_is_a_timeline_with_its_gap_and_how_long_each_cost_held(history: Shell) -> None:
    cost_spans = read(history, "costs", "acme/a", "--mode", "image")

    assert [
        (span["credit_cost"], span["is_listed"], span["pct_change"], span["held_seconds"]) for span in cost_spans[:3]
    ] == [
        ("4", True, None, 86400),
        ("3", True, "-25", 86400),
        (None, False, None, 2 * 86400),
    ]
    assert (cost_spans[3]["credit_cost"], cost_spans[3]["pct_change"], cost_spans[3]["valid_to"]) == ("6", "100", None)


def test_costs_shows_an_id_of_both_modes_in_both_with_a_sparkline_each(history: Shell) -> None:
    lines = output(history("costs", "acme/a")).splitlines()

    assert [line.split()[0] for line in lines[1:-3]] == ["image"] * 4 + ["video"]
    assert "not listed" in lines[3]
    assert lines[-3:-1] == ["image  ▃▁·█", "video  ▅"]
    assert lines[-1].endswith("ago (2026-03-05 00:00 UTC)")


def test_there_is_no_percentage_from_a_cost_of_0(history: Shell) -> None:
    assert [span["pct_change"] for span in read(history, "costs", "acme/b")] == [None, None, "2"]


@pytest.mark.parametrize("command", ["costs", "show"])
@pytest.mark.parametrize("mistyped", ["acme/A", "acmea", "ACME/A"])
def test_a_mistyped_id_gets_suggestions(history: Shell, command: str, mistyped: str) -> None:
    assert "did you mean 'acme/a'" in error_line(history(command, mistyped), 2)


def test_an_id_without_similar_ids_gets_the_command_that_lists_them(history: Shell) -> None:
    assert "catalog-sync models lists them" in error_line(history("show", "zzzzzz"), 2)


def test_show_prints_every_part_of_the_model(history: Shell) -> None:
    (detail,) = read(history, "show", "acme/a", "--mode", "image")

    assert (detail["credit_cost"], detail["is_listed"]) == ("6", True)
    assert [(each["param_name"], each["default_value"], each["options"]) for each in detail["params"]] == [
        ("seed", "7", []),
        ("size", "1K", ["1K", "2K"]),
    ]
    assert [(each["valid_from"][:10], each["credit_cost"]) for each in detail["cost_history"]] == [
        ("2026-03-01", "4"),
        ("2026-03-02", "3"),
        ("2026-03-05", "6"),
    ]
    assert json.loads(detail["raw"]) == model("acme/a", 6, params=SIZES)


def test_show_as_of_a_time_prints_nothing_of_later_runs(history: Shell) -> None:
    (detail,) = read(history, "show", "acme/a", "--mode", "image", "--as-of", "2026-03-01T12:00Z")

    assert (detail["credit_cost"], detail["removed_at"]) == ("4", None)
    assert [(each["credit_cost"], each["valid_to"]) for each in detail["cost_history"]] == [("4", None)]


def test_show_in_a_gap_says_that_it_was_not_listed(history: Shell) -> None:
    (detail,) = read(history, "show", "acme/a", "--mode", "image", "--as-of", "2026-03-04")

    assert (detail["is_listed"], detail["credit_cost"]) == (False, "3")
    assert "not listed" in output(history("show", "acme/a", "--mode", "image", "--as-of", "2026-03-04"))


def test_show_before_the_first_observation_is_exit_2(history: Shell) -> None:
    assert "was not listed yet" in error_line(history("show", "acme/a", "--as-of", "2026-02-01"), 2)


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        (["--until", "2026-03-02"], ["added", "added", "added"]),
        (["--since", "2026-03-02", "--until", "2026-03-03"], ["increase", "decrease"]),
        (["--model", "acme/b"], ["increase", "increase", "added"]),
        (["--model", "*/A"], []),
        (["--model", "acme/[ab]", "--kind", "decrease"], ["decrease"]),
        (["--min-pct", "25"], ["relisted", "decrease"]),
        (["--min-pct", "25.1"], ["relisted"]),
        (["--entity", "credits", "--since", "2026-03-03"], ["increase"]),
        (["--entity", "models", "--model", "acme/?", "--limit", "2"], ["relisted", "removed"]),
    ],
)
def test_changes_can_be_filtered(history: Shell, filters: list[str], kinds: list[str]) -> None:
    printed = [each["change_kind"] for each in read(history, "changes", *filters)]

    assert sorted(printed) == sorted(kinds)
