"""The command ``prune``: prints how many runs it deleted and how many stay; it can be stopped between two steps."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from models_db.engine import open_engine
from models_db.tables import sync_run_modes, sync_runs
from tests.cli.conftest import Shell
from tests.support.commands import environment, error_line, eventually, finished, output, started
from tests.support.database_contents import every_row, query_rows
from tests.support.made_responses import model
from tests.support.run_driver import START, Host

RUNS = 5
A, V = [model("a")], [model("v")]
FAR = "2026-03-02"


@pytest.fixture
def five_runs(shell: Shell, migrated_url: str) -> Iterator[str]:
    """A database with five runs of one day. The first added two models, the last is the last successful sync."""
    host = Host(engine := open_engine(migrated_url))
    for _ in range(RUNS):
        host.sync(A, V)
    engine.dispose()
    shell.set(DATABASE_URL=migrated_url)
    yield migrated_url
    output(shell("verify"))


def many_runs(url: str, number: int) -> None:
    """Adds runs without a change, as years of syncs leave them."""
    engine = open_engine(url)
    with engine.begin() as connection:
        run = {"status": "success", "trigger_kind": "cli", "app_version": "0"}
        times = dict.fromkeys(("started_at", "observed_at", "finished_at"), START)
        connection.execute(insert(sync_runs), [{**run, **times} for _ in range(number)])
        found = list(connection.scalars(sync_runs.select().with_only_columns(sync_runs.c.run_id)))
        mode = {"mode": "image", "status": "success", "attempts": 1}
        connection.execute(insert(sync_run_modes), [{**mode, "run_id": run_id} for run_id in found])
    engine.dispose()


def test_it_prints_how_many_runs_it_deleted_and_that_there_are_no_more(shell: Shell, five_runs: str) -> None:
    ended = "ended before 2026-03-02 00:00:00 UTC"

    assert output(shell("prune", "--before", FAR)) == f"deleted 3 runs that {ended}; 2 others are needed and stay\n"
    printed = output(shell("prune", "--before", FAR))
    assert printed == f"nothing to delete: 2 runs {ended}, and all of them are needed\n"
    assert query_rows(five_runs, "SELECT run_id FROM sync_runs ORDER BY run_id") == [(1,), (RUNS,)]


def test_before_the_first_run_there_is_nothing_to_delete(shell: Shell, five_runs: str) -> None:
    printed = output(shell("prune", "--before", "2026-03-01"))

    assert printed == "nothing to delete: no run ended before 2026-03-01 00:00:00 UTC\n"


def test_a_dry_run_counts_and_writes_nothing(shell: Shell, five_runs: str) -> None:
    before = every_row(five_runs)
    printed = output(shell("prune", "--before", FAR, "--dry-run"))

    assert printed.startswith("dry run, nothing written: would delete 3 runs that ended before ")
    assert every_row(five_runs) == before


def test_json_has_the_numbers(shell: Shell, five_runs: str) -> None:
    document = {"before": "2026-03-02T00:00:00Z", "dry_run": True, "deleted": 3, "needed": 2}

    assert json.loads(output(shell("prune", "--before", FAR, "--dry-run", "--json"))) == document
    assert json.loads(output(shell("prune", "--before", FAR, "--json"))) == {**document, "dry_run": False}
    assert json.loads(output(shell("prune", "--before", FAR, "--json")))["deleted"] == 0


def test_quiet_prints_nothing(shell: Shell, five_runs: str) -> None:
    assert output(shell("prune", "--before", FAR, "--quiet")) == ""


def test_status_still_shows_the_last_successful_sync(shell: Shell, five_runs: str) -> None:
    before = json.loads(output(shell("status", "--json")))["last_success"]
    output(shell("prune", "--before", "0s"))
    printed = json.loads(output(shell("status", "--json")))

    assert printed["last_success"] == before
    assert {run["run_id"] for run in printed["runs"]} == {1, RUNS}


def test_a_time_is_required(shell: Shell, five_runs: str) -> None:
    assert "--before" in error_line(shell("prune"), 2)
    assert "is not a time" in error_line(shell("prune", "--before", "soon"), 2)


def test_a_signal_stops_it_between_two_steps(sqlite_url: str, tmp_path: Path) -> None:
    many_runs(sqlite_url, 20_000)
    count = "SELECT COUNT(*) FROM sync_runs"
    environ = environment(tmp_path, DATABASE_URL=sqlite_url)
    with started("prune", "--before", "0s", environ=environ) as process:
        eventually(lambda: query_rows(sqlite_url, count) < [(20_000,)])
        process.send_signal(signal.SIGTERM)
        ended = finished(process, within=10)

    assert "run it again to go on" in error_line(ended, 143)
    deleted = re.match(r"deleted (\d+) runs", ended.out)
    assert deleted
    assert query_rows(sqlite_url, count) == [(20_000 - int(deleted[1]),)]
    assert query_rows(sqlite_url, "SELECT COUNT(DISTINCT run_id) FROM sync_run_modes") == query_rows(sqlite_url, count)


def test_a_terminal_shows_progress(sqlite_url: str, tmp_path: Path) -> None:
    many_runs(sqlite_url, 3000)
    reader, terminal = pty.openpty()
    environ = environment(tmp_path, DATABASE_URL=sqlite_url) | {"TERM": "xterm", "COLUMNS": "100"}
    with started("prune", "--before", "0s", environ=environ, stderr=terminal) as process:
        os.close(terminal)
        printed = finished(process)
    progress = os.read(reader, 1 << 16).decode()
    os.close(reader)

    assert printed.out.startswith("deleted 3000 runs")
    assert "runs deleted" in progress
    assert "3000/3000" in progress
