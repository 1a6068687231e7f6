"""Imports of exports that are damaged, or into databases with a history of their own."""

from __future__ import annotations

import gzip
from pathlib import Path

from models_db.engine import open_engine
from tests.cli.moves.conftest import THREE, Mover, NewDatabase, assert_same, execute, sync_later
from tests.support.commands import error_line
from tests.support.database_contents import query_rows
from tests.support.made_responses import model
from tests.support.run_driver import Host


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


def test_a_database_that_has_gone_on_by_itself_is_refused(mover: Mover, source: str, sqlite_url: str) -> None:
    file = mover.export(source)
    mover.import_(sqlite_url, file)
    sync_later(sqlite_url, THREE, THREE)
    sync_later(source, THREE, THREE)
    line = mover.refused(sqlite_url, mover.export(source), 5)
    assert f"{file} line " in line
    assert "is not later than" in line


def test_a_database_that_has_gone_on_by_itself_takes_no_later_runs(mover: Mover, source: str, sqlite_url: str) -> None:
    mover.import_(sqlite_url, mover.export(source))
    sync_later(sqlite_url, THREE, THREE)
    sync_later(source, THREE, THREE, hours=150)
    assert "has gone on by itself since" in mover.refused(sqlite_url, mover.export(source), 2)


def test_a_history_is_appended_to_an_earlier_one(mover: Mover, new_sqlite: NewDatabase, migrated_url: str) -> None:
    earlier = open_engine(migrated_url)
    host = Host(earlier)
    host.sync([model("a", cost=7), model("old", cost=1)], [])
    earlier.dispose()
    url = new_sqlite("later")
    later = open_engine(url)
    following = Host(later, now=host.now)
    following.sync(THREE, [model("v")])
    following.sync(THREE[:2], [model("v")])
    later.dispose()
    mover.import_(migrated_url, mover.export(url))
    query = "SELECT mode, model_id, credit_cost_exact FROM v_current_catalog ORDER BY mode, model_id"
    assert query_rows(migrated_url, query) == query_rows(url, query)
    kinds = query_rows(
        migrated_url, "SELECT model_id, change_kind FROM v_catalog_changes ORDER BY changed_at, model_id"
    )
    assert kinds[2:] == [
        ("a", "decrease"),
        ("b", "added"),
        ("c", "added"),
        ("old", "removed"),
        ("v", "added"),
        ("c", "removed"),
    ]


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
