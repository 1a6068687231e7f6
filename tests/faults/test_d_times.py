"""Fault D11: times with and without an offset, on each kind of database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line, output, run_process
from tests.support.database_contents import query_rows
from tests.support.synced_database import SyncedDatabase


def line(at: str, cost: int) -> str:
    return json.dumps({"at": at, "image": json.loads(envelope([model("acme/one", cost)]))})


def test_d11_a_time_with_an_offset_is_stored_in_utc_in_any_time_zone_of_the_host(
    shell: Shell, migrated_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "responses.jsonl"
    file.write_text(f"{line('2026-03-01T01:30:00.123456+05:30', 1)}\n{line('2026-03-01T12:00:00-08:00', 2)}\n")
    synced = SyncedDatabase(shell, migrated_url, tmp_path, is_synced=True)
    # A zone whose offset is not a whole number of hours.
    environ = synced.environment() | {"TZ": "Asia/Kolkata"}
    output(run_process("import", str(file), environ=environ))

    changes = json.loads(output(shell("changes", "--json")))
    assert [change["changed_at"] for change in changes] == ["2026-03-01T20:00:00Z", "2026-02-28T20:00:00.123456Z"]
    stored = query_rows(migrated_url, "SELECT valid_from FROM credit_history ORDER BY valid_from")
    assert str(stored[0][0]).startswith("2026-02-28 20:00:00.123456")
    synced.verify()


@pytest.mark.parametrize("at", ["2026-03-01T12:00:00", "2026-03-01", "12:00", ""])
def test_d11_a_time_without_an_offset_is_exit_5(synced_sqlite: SyncedDatabase, tmp_path: Path, at: str) -> None:
    file = tmp_path / "responses.jsonl"
    file.write_text(line(at, 1) + "\n")

    assert 'responses.jsonl line 1 is not a saved response: "at" is not a usable time' in error_line(
        synced_sqlite.shell("import", str(file)), 5
    )
