"""The command ``import``: saved responses become history, each line at its time."""

from __future__ import annotations

import csv
import gzip
import json
import signal
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sync.cli import options
from sync.source.emulator.server import Emulator
from tests.cli.conftest import Shell
from tests.support.api_catalogs import Model, catalog, envelope, model, numbered_models
from tests.support.commands import ROOT, environment, error_line, eventually, finished, output, run_process, started
from tests.support.database_contents import every_row, query_rows

DATA = ROOT / "tests/data"


def line(at: str, *models: Model, mode: str = "image") -> str:
    return json.dumps({"at": at, mode: json.loads(envelope(models, mode))})


def saved(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_real_price_history_is_stored_as_it_was(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    command = ("import", "--accept-removals", "all", str(DATA / "replay.jsonl.gz"))
    assert output(shell(*command)).startswith("imported 99 lines with ")
    assert current_costs(sqlite_url) == read_csv("replay-final.csv", "mode", "model_id", "cost")
    truth = read_csv("replay-truth.csv", "at", "kind", "mode", "model_id", "new_cost")
    assert cost_events(sqlite_url) == truth
    before = every_row(sqlite_url)
    assert output(shell(*command)) == "nothing to import: all 99 lines are recorded already\n"
    assert every_row(sqlite_url) == before


def read_csv(name: str, *columns: str) -> list[tuple[object, ...]]:
    with (DATA / name).open(newline="") as file:
        return sorted((tuple(plain(row[column]) for column in columns) for row in csv.DictReader(file)), key=repr)


def plain(value: object) -> object:
    """A cost as a number, a time as UTC to the second, anything else as text."""
    text = str(value) if value is not None else ""
    try:
        return f"{Decimal(text).normalize():f}"
    except ArithmeticError:
        return text


def current_costs(url: str) -> list[tuple[object, ...]]:
    rows = query_rows(url, "SELECT mode, model_id, credit_cost_exact FROM v_current_catalog")
    return sorted((tuple(map(plain, row)) for row in rows), key=repr)


def cost_events(url: str) -> list[tuple[object, ...]]:
    kinds = {"increase": "changed", "decrease": "changed", "relisted": "readded"}
    rows = query_rows(url, "SELECT changed_at, change_kind, mode, model_id, new_cost_exact FROM v_credit_cost_changes")
    return sorted(
        ((as_time(at), kinds.get(kind, kind), mode, model_id, plain(cost)) for at, kind, mode, model_id, cost in rows),
        key=repr,
    )


def as_time(value: Any) -> str:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{(at.astimezone(UTC) if at.tzinfo else at):%Y-%m-%dT%H:%M:%SZ}"


def test_an_import_stops_before_a_broken_line_and_names_it(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    good = [line(f"2026-01-0{day}T00:00:00Z", model("acme/a", day)) for day in (1, 2, 3)]
    file = saved(tmp_path / "saved.jsonl", *good[:2], "", '{"at": "2026-01-03T00:00:00Z", "image":', good[2])
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("import", file)
    assert f"{file} line 4 is not a saved response" in error_line(ended, 5)
    assert ended.out == "imported 2 lines with 2 changes\n"
    assert query_rows(sqlite_url, "SELECT status, trigger_kind FROM sync_runs") == [("success", "import")] * 2
    mended = saved(tmp_path / "saved.jsonl", *good)
    assert output(shell("import", mended)) == "imported 1 line with 1 change, 2 recorded already\n"
    assert output(shell("import", mended)) == "nothing to import: all 3 lines are recorded already\n"


BAD_LINES = {
    "a response that is not complete": ('{"at": "2026-01-02T00:00:00Z", "image": {"ok": true}}', 5),
    "a response with an error": ('{"at": "2026-01-02T00:00:00Z", "image": {"ok": false, "code": 401}}', 5),
    "another total": (line("2026-01-02T00:00:00Z").replace('"total": 0', '"total": 1'), 5),
    "no time": ('{"image": {}}', 5),
    "a time without a zone": (line("2026-01-02T00:00:00"), 5),
    "a time long gone": (line("2025-01-02T00:00:00Z", model("acme/image-1", 8)), 5),
    "a time still to come": (line("2999-01-02T00:00:00Z"), 2),
    "an unknown field": ('{"at": "2026-01-02T00:00:00Z", "audio": {}}', 5),
    "an empty response": (line("2026-01-02T00:00:00Z"), 7),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_line_that_cannot_be_stored_stops_the_import(
    shell: Shell, sqlite_url: str, tmp_path: Path, name: str
) -> None:
    text, code = BAD_LINES[name]
    file = saved(tmp_path / "saved.jsonl", line("2026-01-01T00:00:00Z", *numbered_models(4)), text)
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("import", "--json", file)
    assert f"{file} line 2" in error_line(ended, code)
    document = json.loads(ended.out)
    assert list(document) == ["imported", "skipped", "changes", "exit_code", "problem", "problems"]
    assert [document[key] for key in ("imported", "skipped", "changes", "exit_code")] == [1, 0, 4, code]
    assert query_rows(sqlite_url, "SELECT COUNT(*) FROM sync_runs") == [(1,)]
    assert query_rows(sqlite_url, "SELECT COUNT(*) FROM v_current_catalog") == [(4,)]


def test_accepted_removals_are_stored(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    file = saved(
        tmp_path / "saved.jsonl", line("2026-01-01T00:00:00Z", *numbered_models(4)), line("2026-01-02T00:00:00Z")
    )
    shell.set(DATABASE_URL=sqlite_url)
    error_line(shell("import", "--quiet", file, "--accept-removals", "3"), 7)
    output(shell("import", file, "--accept-removals", "4"))
    assert query_rows(sqlite_url, "SELECT COUNT(*) FROM v_current_catalog") == [(0,)]


def test_a_line_keeps_its_time_and_a_sync_comes_after_it(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    soon = options.now() + timedelta(minutes=3)
    file = tmp_path / "saved.jsonl.gz"
    file.write_bytes(gzip.compress(line(soon.isoformat(), model("acme/a", 3)).encode()))
    shell.set(DATABASE_URL=sqlite_url)
    assert output(shell("import", str(file), "--quiet")) == ""
    with Emulator([catalog(model("acme/a", 4))]) as api:
        output(shell("sync", "--base-url", api.base_url))
    history = query_rows(sqlite_url, "SELECT valid_from FROM v_credit_cost_history ORDER BY valid_from")
    stamps = [datetime.fromisoformat(str(row[0])).replace(tzinfo=UTC) for row in history]
    assert stamps == [soon, soon + timedelta(microseconds=1)]
    assert "the clock is" in str(query_rows(sqlite_url, "SELECT note FROM sync_runs WHERE run_id = 2"))


def test_several_files_are_imported_in_the_order_given(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    first = saved(tmp_path / "1.jsonl", line("2026-01-01T00:00:00Z", model("acme/a", 1)))
    second = saved(tmp_path / "2.jsonl", line("2026-01-02T00:00:00Z", model("acme/a", 2)))
    shell.set(DATABASE_URL=sqlite_url)
    assert output(shell("import", first, second)) == "imported 2 lines with 2 changes\n"
    assert output(shell("import", first, second)) == "nothing to import: all 2 lines are recorded already\n"


def test_a_model_that_is_rejected_does_not_stop_an_import(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    lines = [
        line("2026-01-01T00:00:00Z", model("acme/a", 1), model("acme/b", "free")),
        line("2026-01-02T00:00:00Z", model("acme/a", 2)),
    ]
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("import", saved(tmp_path / "saved.jsonl", *lines))
    assert "acme/b" in error_line(ended, 5)
    assert query_rows(sqlite_url, "SELECT status FROM sync_runs ORDER BY run_id") == [("partial",), ("success",)]


def test_a_signal_stops_an_import_between_two_lines(sqlite_url: str, tmp_path: Path) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [line((start + timedelta(hours=hour)).isoformat(), model("acme/a", hour)) for hour in range(3000)]
    file = saved(tmp_path / "saved.jsonl", *lines)
    environ = environment(tmp_path, DATABASE_URL=sqlite_url)
    with started("import", file, environ=environ) as process:
        eventually(lambda: query_rows(sqlite_url, "SELECT 1 FROM sync_runs"))
        process.send_signal(signal.SIGTERM)
        ended = finished(process, within=10)
    assert "run it again to go on" in error_line(ended, 143)
    stored = query_rows(sqlite_url, "SELECT COUNT(*) FROM sync_runs")[0][0]
    assert ended.out == f"imported {stored} lines with {stored} changes\n"
    short = saved(tmp_path / "saved.jsonl", *lines[: stored + 1])
    printed = output(run_process("import", short, environ=environ))
    assert printed == f"imported 1 line with 1 change, {stored} recorded already\n"


def test_a_folder_of_saved_responses_is_imported_and_a_single_one_at_its_time(
    shell: Shell, migrated_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    for day, cost in ((1, 3), (2, 1.5)):
        (folder / f"image-2026-03-0{day}.json").write_bytes(envelope([model("acme/a", cost)]))
    (tmp_path / "last.json").write_bytes(envelope([model("acme/a", 2)]))
    shell.set(DATABASE_URL=migrated_url)

    assert output(shell("import", str(folder))).strip() == "imported 2 lines with 2 changes"
    assert "imported 1 line with 1 change" in output(
        shell("import", "--at", "2026-03-03T10:00Z", str(tmp_path / "last.json"))
    )
    kinds = [each["change_kind"] for each in json.loads(output(shell("changes", "--json")))]
    assert kinds == ["increase", "decrease", "added"]
    assert "recorded already" in output(shell("import", str(folder)))
