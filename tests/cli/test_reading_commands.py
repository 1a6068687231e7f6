"""The output of ``models``, ``changes`` and ``status``, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from sync.cli import options
from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, model
from tests.support.commands import error_line, output

WEEK = (
    catalog(model("acme/a", 3), model("acme/b", 2), model("acme/c", 7.125, mode="video", provider="Cinder")),
    catalog(model("acme/a", 1.5), model("acme/c", 7.125, mode="video", provider="Cinder", size=["1K", "2K"])),
    catalog(model("acme/a", 1.5), model("acme/b", 2.0), model("acme/c", None, mode="video", provider="Cinder")),
)


@pytest.fixture
def three_runs(shell: Shell, migrated_url: str) -> Shell:
    """A database with three runs."""
    shell.set(DATABASE_URL=migrated_url)
    with emulator(WEEK) as api:
        for _ in WEEK:
            output(shell("sync", "--quiet", "--base-url", api.base_url))
    return shell


def read_json(ended: Any) -> Any:
    return json.loads(output(ended))


def test_models_lists_what_each_costs_now(three_runs: Shell) -> None:
    lines = output(three_runs("models")).splitlines()
    assert lines[0].split() == ["MODE", "MODEL", "NAME", "PROVIDER", "COST", "SINCE", "(UTC)"]
    assert [line.split()[:5] for line in lines[1:]] == [
        ["image", "acme/a", "Acme/A", "Acme", "1.5"],
        ["image", "acme/b", "Acme/B", "Acme", "2"],
        ["video", "acme/c", "Acme/C", "Cinder", lines[3].split()[4]],
    ]


def test_models_can_be_filtered_by_a_mode_and_a_provider(three_runs: Shell) -> None:
    assert [each["model_id"] for each in read_json(three_runs("models", "--mode", "video", "--json"))] == ["acme/c"]
    assert [each["model_id"] for each in read_json(three_runs("models", "--provider", "Acme", "--json"))] == [
        "acme/a",
        "acme/b",
    ]
    assert read_json(three_runs("models", "--provider", "acme", "--json")) == []


def test_models_as_of_a_time_is_the_catalog_at_that_time(three_runs: Shell) -> None:
    runs = read_json(three_runs("status", "--json"))["runs"]
    times = sorted({run["started_at"] for run in runs})
    then = [read_json(three_runs("models", "--json", "--as-of", time)) for time in (*times[1:], "0s")]
    assert [{each["model_id"]: each["credit_cost"] for each in models} for models in then] == [
        {"acme/a": "3", "acme/b": "2", "acme/c": "7.125"},
        {"acme/a": "1.5", "acme/c": "7.125"},
        {"acme/a": "1.5", "acme/b": "2", "acme/c": None},
    ]
    assert read_json(three_runs("models", "--json", "--as-of", times[0])) == []
    assert read_json(three_runs("models", "--json")) == then[-1]


MODEL_KEYS = [
    "mode",
    "model_id",
    "model_name",
    "provider",
    "credit_cost",
    "credit_notes",
    "credit_cost_since",
    "first_seen_at",
]
CHANGE_KEYS = [
    *("change_id", "changed_at", "not_before", "mode", "model_id", "model_name", "provider", "entity", "field"),
    *("change_kind", "old_value", "new_value", "old_cost", "new_cost", "delta_cost", "pct_change", "run_id"),
]


def test_changes_lists_every_change_newest_first(three_runs: Shell) -> None:
    changes = read_json(three_runs("changes", "--json"))
    assert [(change["run_id"], change["change_kind"], change["model_id"]) for change in changes] == [
        (3, "cost_unset", "acme/c"),
        (3, "changed", "acme/c"),
        (3, "relisted", "acme/b"),
        (2, "changed", "acme/c"),
        (2, "removed", "acme/b"),
        (2, "decrease", "acme/a"),
        (1, "added", "acme/c"),
        (1, "added", "acme/b"),
        (1, "added", "acme/a"),
    ]
    decrease = changes[5]
    assert list(decrease) == CHANGE_KEYS
    assert [decrease[key] for key in ("old_cost", "new_cost", "delta_cost", "pct_change")] == [
        "3",
        "1.5",
        "-1.5",
        "-50",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", decrease["changed_at"])


def test_changes_can_be_filtered_by_time_mode_and_kind(three_runs: Shell) -> None:
    def ids(*arguments: str) -> list[int]:
        return [change["change_id"] for change in read_json(three_runs("changes", "--json", *arguments))]

    everything = ids()
    assert len(everything) == 9
    assert ids("--limit", "2") == everything[:2]
    assert ids("--kind", "decrease", "--kind", "removed") == everything[4:6]
    assert ids("--mode", "video") == [everything[at] for at in (0, 1, 3, 6)]
    assert ids("--provider", "Cinder") == ids("--mode", "video")
    assert ids("--since", "1h") == everything
    assert ids("--since", f"{options.now() + timedelta(days=1):%Y-%m-%d}") == []


def test_the_table_of_changes_has_a_row_for_each_change(three_runs: Shell) -> None:
    lines = output(three_runs("changes", "--kind", "decrease")).splitlines()
    assert len(lines) == 2
    assert re.search(r"image +acme/a +decrease +cost +3 +1\.5 +-1\.5 +-50\.00", lines[1])


def test_csv_has_the_keys_of_the_json_as_its_header(three_runs: Shell) -> None:
    for command, keys in (("models", MODEL_KEYS), ("changes", CHANGE_KEYS)):
        rows = list(csv.DictReader(io.StringIO(output(three_runs(command, "--csv")))))
        printed = read_json(three_runs(command, "--json"))
        assert list(rows[0]) == keys
        assert rows == [{key: "" if each[key] is None else str(each[key]) for key in keys} for each in printed]


def test_an_empty_result_is_not_a_failure(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    for command, keys in (("models", MODEL_KEYS), ("changes", CHANGE_KEYS)):
        assert (
            output(shell(command)) == "nothing found: this catalog has no successful sync yet; run catalog-sync sync\n"
        )
        assert output(shell(command, "--json")) == "[]\n"
        assert output(shell(command, "--csv")) == ",".join(keys) + "\n"
    assert output(shell("models", "--as-of", "1h", "--csv")) == ",".join(MODEL_KEYS) + "\n"
    assert output(shell("status")).startswith(
        "image: no successful sync yet\nvideo: no successful sync yet\nno runs yet"
    )


def test_status_shows_the_last_runs(three_runs: Shell) -> None:
    lines = output(three_runs("status", "--limit", "2")).splitlines()
    assert re.fullmatch(r"image: last successful sync \d+s ago", lines[0])
    assert [line.split()[0] for line in lines[3:7]] == ["3", "3", "2", "2"]
    printed = read_json(three_runs("status", "--json"))
    assert {"age_seconds", "last_success", "runs"} < set(printed)
    assert sorted(printed["age_seconds"]) == sorted(printed["last_success"]) == ["image", "video"]
    assert {
        *("run_id", "started_at", "finished_at", "status", "trigger_kind", "error_message", "note", "mode"),
        *("mode_status", "models_received", "models_rejected", "models_added", "models_changed", "models_removed"),
        *("models_listed", "hold_reason"),
        *("removals_held", "base_url", "host", "key_fingerprint", "accepted"),
    } == set(printed["runs"][0])


def test_status_fails_when_the_last_successful_sync_is_too_old(shell: Shell, sqlite_url: str, monkeypatch: Any) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    assert "there was none yet" in error_line(shell("status", "--max-age", "1h"), 9)
    with emulator([WEEK[0]]) as api:
        output(shell("sync", "--base-url", api.base_url, "--mode", "image"))
    output(shell("status", "--max-age", "1h", "--mode", "image"))
    assert "no successful sync of mode video" in error_line(shell("status", "--max-age", "1h"), 9)
    later = options.now() + timedelta(hours=2)
    monkeypatch.setattr(options, "now", lambda: later)
    line = error_line(shell("status", "--max-age", "1h", "--mode", "image", "--json"), 9)
    assert "the last one is 2h 0m old" in line or "the last one is 1h 59m old" in line


def test_a_sync_that_is_ahead_of_the_clock_has_no_age(
    shell: Shell, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was set back by a year must not disable the dead man's switch for a year."""
    shell.set(DATABASE_URL=sqlite_url)
    with emulator([WEEK[0]]) as api:
        output(shell("sync", "--base-url", api.base_url))
    now = options.now()
    monkeypatch.setattr(options, "now", lambda: now - timedelta(minutes=5))
    assert "image: last successful sync 0s ago" in output(shell("status", "--max-age", "1h"))
    monkeypatch.setattr(options, "now", lambda: now - timedelta(days=365))
    assert "image: last successful sync 364d 23h ahead of this host's clock" in output(shell("status"))
    ended = shell("status", "--max-age", "1h")
    assert ended.code == 9
    assert "is unknown: its time is 364d 23h ahead of this host's clock" in ended.err


def test_status_counts_only_successful_syncs(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url, API_KEY="gva_live_expired.0000000000")
    with emulator([WEEK[0]]) as api:
        error_line(shell("sync", "--base-url", api.base_url), 3)
    error_line(shell("status", "--max-age", "1h"), 9)
    assert "401 invalid_token" in output(shell("status"))


def test_the_json_of_a_run_has_the_documented_keys(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    with emulator(WEEK) as api:
        output(shell("sync", "--base-url", api.base_url))
        printed = read_json(shell("sync", "--base-url", api.base_url, "--json"))
    assert list(printed) == [
        "run_id",
        "dry_run",
        "status",
        "exit_code",
        "observed_at",
        "modes",
        "notes",
        "accepted",
        "checkpoint",
        "errors",
    ]
    assert [printed[key] for key in ("run_id", "dry_run", "status", "exit_code")] == [2, False, "success", 0]
    image = printed["modes"][0]
    assert {"mode", "status", "http_status", "attempts", "models_changed", "payload_sha256", "changes"} < set(image)
    assert [
        (each["model_id"], each["change_kind"], each["old_cost"], each["new_cost"]) for each in image["changes"]
    ] == [
        ("acme/a", "decrease", "3", "1.5"),
        ("acme/b", "removed", "2", None),
    ]
