"""``show MODEL --as-of T`` prints the evidence: as text of any width, as JSON, and as CSV."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from sync.show.fold import text_width
from tests.cli.conftest import Shell
from tests.support.commands import error_line, output
from tests.support.made_responses import model
from tests.support.run_driver import Host
from tests.support.terminals import terminal_lines

HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u2066 [red]x[/red]\r\n=cmd|' /C calc'!A0"
OTHERS = [model(f"other-{number}", cost=number) for number in range(4)]
TIME = "2026-03-01T11:30Z"


@pytest.fixture
def history(shell: Shell, engine: Engine, migrated_url: str) -> Shell:
    """Hourly runs from 10:00:02 on: a model that changes, one that goes, one that is rejected, and hostile ids."""
    host = Host(engine)
    first = [model("a", cost=1), model("gone", cost=7), model(HOSTILE, cost=5, name=HOSTILE), *OTHERS]
    host.sync(first, [model("a", cost=9), model(HOSTILE, cost=6)])
    host.sync([model("never", cost="x"), *first], [model("a", cost=9)])
    host.sync([model("a", cost=2), model(HOSTILE, cost="five"), *OTHERS], [model("a", cost=9)])
    shell.set(DATABASE_URL=migrated_url)
    return shell


def evidence(shell: Shell, *arguments: str) -> list[dict[str, Any]]:
    return [each["evidence"] for each in json.loads(output(shell("show", *arguments, "--json")))]


def test_the_text_names_moment_database_catalog_runs_and_hashes(history: Shell) -> None:
    text = output(history("show", "a", "--mode", "image", "--as-of", TIME))
    (found,) = evidence(history, "a", "--mode", "image", "--as-of", TIME)

    for part in (
        "moment         2026-03-01 11:30:00 UTC",
        f"database       {found['database']}",
        f"catalog        {found['catalog_id']}",
        f"checkpoint     3 seals, root {found['root']}",
        "observed first at 2026-03-01 10:00:02 UTC by run 1",
        "nothing is known of the time before",
        "confirmed last at 2026-03-01 11:00:02 UTC by run 2",
        "observed otherwise at 2026-03-01 12:00:02 UTC by run 3; it changed after 2026-03-01 11:00:00 UTC, so perhaps",
        "cli, host not recorded, catalog-sync 0",
        "requested https://example.org at 2026-03-01 12:00:00 UTC, key not recorded",
        f"SHA-256 {found['raw_sha256']}",
    ):
        assert part in text
    assert len(found["runs"]) == 3
    for run in found["runs"]:
        assert f"seal {run['run_id'] - 1}, leaf {run['leaf_hash']}" in text
        assert f"HTTP 200, {run['payload_bytes']} bytes, SHA-256 {run['payload_sha256']}" in text


def test_without_a_moment_the_text_has_no_evidence_and_json_that_of_now(history: Shell) -> None:
    assert "evidence" not in output(history("show", "a"))
    image, video = evidence(history, "a")
    assert (image["state"]["opened_run_id"], video["state"]["opened_run_id"]) == (3, 1)
    assert (image["state"]["observed_until"], video["confirmed_run_id"]) == (None, 3)


def test_a_model_that_was_removed_by_then_was_found_missing_by_a_run(history: Shell) -> None:
    text = output(history("show", "gone", "--as-of", "2026-03-01T13:00Z"))

    assert "not listed     observed first at 2026-03-01 12:00:02 UTC by run 3" in text
    assert "still so; no later observation" in text


def test_a_model_before_its_first_observation_is_exit_2_to_the_second(history: Shell) -> None:
    line = error_line(history("show", "a", "--as-of", "2026-03-01T10:00:01Z"), 2)

    assert "'a' was not listed yet at 2026-03-01 10:00:01 UTC; it was first observed at 2026-03-01 10:00:02 UTC" in line


def test_a_model_that_was_rejected_whenever_it_was_sent_is_exit_2_with_the_reason(history: Shell) -> None:
    for command in ("show", "costs"):
        line = error_line(history(command, "never"), 2)
        assert (
            "'never' was never listed: it was rejected first at 2026-03-01 11:00:02 UTC: credits.default_cost" in line
        )


def test_hostile_ids_and_names_are_harmless_and_each_mode_has_its_evidence(history: Shell) -> None:
    text = output(history("show", HOSTILE, "--as-of", "2026-03-01T12:30Z"))
    image, video = evidence(history, HOSTILE, "--as-of", "2026-03-01T12:30Z")

    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("  evidence\n") == 2
    assert [each["run_id"] for each in image["rejections"]] == [3]
    assert "the values are those that were accepted last" in text
    assert (video["state"]["opened_run_id"], video["cost"]) == (2, None)
    printed = output(history("show", HOSTILE, "--as-of", "2026-03-01T12:30Z", "--csv"))
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert {"evidence.raw_sha256", "evidence.runs.0.payload_sha256"} <= {row["field"] for row in rows}
    assert all(line.isprintable() for line in printed.split("\n"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_sheet_fits_a_terminal(history: Shell, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    (found,) = evidence(history, "a", "--mode", "image", "--as-of", TIME)
    for model_id in ("a", HOSTILE, "gone"):
        lines = terminal_lines(monkeypatch, width, "show", model_id, "--as-of", TIME)
        assert max(map(text_width, lines)) <= width
    joined = "".join(line.strip() for line in terminal_lines(monkeypatch, width, "show", "a", "--as-of", TIME))
    assert all(run["payload_sha256"] in joined for run in found["runs"])


def test_a_run_whose_row_was_deleted_is_said_to_be_missing(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    from models_db.engine import open_engine

    Host(open_engine(sqlite_url)).sync([model("a", cost=1)], [])
    connection = sqlite3.connect(tmp_path / "catalog.db")
    with connection:
        connection.execute("DELETE FROM sync_run_modes")
        connection.execute("DELETE FROM sync_runs")
    connection.close()
    shell.set(DATABASE_URL=sqlite_url)

    assert "its row is not there" in output(shell("show", "a", "--as-of", "2026-03-01T11:00Z"))
    assert [run["is_recorded"] for run in evidence(shell, "a")[0]["runs"]] == [False]
