"""Imports of exports that are damaged, or into databases with a history of their own."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sync.errors import ApiUnreachable
from tests.cli.moves.conftest import THREE, Mover, NewDatabase, assert_same, execute, sync_later
from tests.support.commands import error_line
from tests.support.database_contents import query_rows


def test_a_truncated_file_is_refused_before_anything_is_stored(mover: Mover, source: str, sqlite_url: str) -> None:
    file = mover.export(source)
    whole = file.read_bytes().splitlines(keepends=True)
    for cut in range(1, len(whole)):
        kept = whole[:cut]
        file.write_bytes(b"".join(kept))
        assert f"{file} line {cut} is not the last line of an export" in mover.refused(sqlite_url, file, 5)
    for cut in range(2, len(whole) + 1):
        *kept, last = whole[:cut]
        file.write_bytes(b"".join([*kept, last[: len(last) // 2]]))
        assert f"{file} line {cut} is no line of an export" in mover.refused(sqlite_url, file, 5)


def test_a_damaged_file_is_refused_before_anything_is_stored(mover: Mover, source: str, sqlite_url: str) -> None:
    file = mover.export(source)
    whole = file.read_text()
    last = len(whole.splitlines())
    file.write_text(whole.replace('\\"default_cost\\": 3', '\\"default_cost\\": 4', 1))
    assert f"{file} line {last} does not agree with the lines before it" in mover.refused(sqlite_url, file, 5)
    file.write_text(whole.replace('{"line":"run","run_id":4', '{"line":"run","run_id":3', 1))
    assert f"{file} line 6 is in the wrong place" in mover.refused(sqlite_url, file, 5)
    file.write_text(whole + whole)
    assert f"{file} line {last + 1} follows the last line" in mover.refused(sqlite_url, file, 5)
    file.write_bytes(gzip.compress(whole.encode())[:-20])
    assert "the gzip data is truncated or damaged here" in mover.refused(sqlite_url, file, 5)
    file.write_text(whole.replace('"format":1', '"format":2', 1))
    assert "install that version" in mover.refused(sqlite_url, file, 2)
    mover.shell.set(DATABASE_URL=sqlite_url)
    assert "--at cannot be used" in error_line(mover.shell("import", "--at", "1d", str(file)), 2)


def test_a_source_that_was_restored_and_went_on_otherwise_is_refused(
    mover: Mover, source: str, sqlite_url: str
) -> None:
    mover.import_(sqlite_url, mover.export(source))
    # As if a backup from before run 3 had been restored, and another run had got its number.
    execute(source, "UPDATE sync_runs SET started_at = '2026-03-01 11:00:00.000000' WHERE run_id = 3")
    line = mover.refused(sqlite_url, mover.export(source), 2)

    assert "run 3 of the file started at 2026-03-01T11:00:00.000000Z, and the imported run of this number at" in line
    assert line.endswith("import the file into a new database")


@pytest.mark.parametrize("hours", [100, 150])
def test_a_database_that_has_gone_on_by_itself_is_refused(
    mover: Mover, source: str, sqlite_url: str, hours: int
) -> None:
    file = mover.export(source)
    mover.import_(sqlite_url, file)
    sync_later(sqlite_url, THREE, THREE)
    assert mover.import_(sqlite_url, file).startswith("nothing to import: all ")
    sync_later(source, THREE, THREE, hours=hours)
    line = mover.refused(sqlite_url, mover.export(source), 2)
    assert f"{file} line " in line
    assert "has gone on by itself; import the file into a new database" in line


def test_one_mode_that_has_gone_on_by_itself_is_enough(mover: Mover, source: str, sqlite_url: str) -> None:
    mover.import_(sqlite_url, mover.export(source))
    sync_later(sqlite_url, THREE, modes=["image"])
    sync_later(source, [], THREE, modes=["video"], hours=150)
    assert "has gone on by itself" in mover.refused(sqlite_url, mover.export(source), 2)


@pytest.mark.parametrize("hours", [-1000, 1000])
@pytest.mark.parametrize("modes", [["image"], ["image", "video"]])
def test_a_database_with_the_history_of_another_catalog_is_refused(
    mover: Mover, source: str, new_sqlite: NewDatabase, modes: list[str], hours: int
) -> None:
    """Its models would be removed, though no response was without them."""
    url = new_sqlite("other")
    sync_later(url, THREE, THREE, modes=modes, hours=hours)
    assert "is another one than that of catalog" in mover.refused(url, mover.export(source), 2)
    sync_later(source, ApiUnreachable("no response"), ApiUnreachable("no response"))
    assert "is another one than that of catalog" in mover.refused(url, mover.export(source), 2)


def test_a_database_in_which_nothing_was_applied_is_a_new_one(
    mover: Mover, source: str, new_sqlite: NewDatabase
) -> None:
    url = new_sqlite("tried")
    sync_later(url, ApiUnreachable("no response"), ApiUnreachable("no response"))
    mover.import_(url, mover.export(source))
    query = "SELECT mode, model_id, credit_cost_exact FROM v_current_catalog ORDER BY mode, model_id"
    assert query_rows(url, query) == query_rows(source, query)


def back_up(url: str, file: Path) -> None:
    execute(url, f"VACUUM INTO '{file}'")


def test_a_catalog_restored_from_a_backup_catches_up_from_its_own_export(
    mover: Mover, source: str, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    back_up(source, backup)
    sync_later(source, THREE, THREE)
    file = mover.export(source)
    assert mover.import_(source, file).startswith("nothing to import")
    assert mover.import_(f"sqlite:///{backup}", file).startswith("imported 2 lines")
    assert_same(source, f"sqlite:///{backup}")


def test_a_restored_catalog_that_has_gone_on_by_itself_is_refused(mover: Mover, source: str, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    back_up(source, backup)
    sync_later(source, THREE, THREE, hours=150)
    sync_later(f"sqlite:///{backup}", THREE, THREE)
    assert "has gone on by itself" in mover.refused(f"sqlite:///{backup}", mover.export(source), 2)
