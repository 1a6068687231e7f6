"""The exit codes and error lines for a database that cannot be used."""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from models_db.engine import open_engine
from models_db.migrate import HEAD
from sync.source.emulator.server import Emulator
from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, model, numbered_models
from tests.support.commands import environment, error_line, output, run_process, without_time
from tests.support.database_contents import every_row
from tests.support.secrets_search import KEY, PASSWORD

COMMANDS = (
    *(("sync",), ("sync", "--dry-run"), ("schedule", "--every", "1h")),
    *(("models",), ("changes",), ("status",), ("verify",), ("prune", "--before", "1d")),
)


@pytest.fixture
def api() -> Iterator[Emulator]:
    with emulator([catalog(*numbered_models(3))], stepping="manual") as api:
        yield api


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_was_never_migrated_is_exit_2(
    shell: Shell, database_url: str, database_kind: str, api: Emulator, command: tuple[str, ...]
) -> None:
    shell.set(DATABASE_URL=database_url, BASE_URL=api.base_url)
    line = error_line(shell(*command), 2)
    assert "run catalog-sync migrate once to make one, or correct the URL" in line
    if database_kind == "sqlite":  # a mistyped path does not create an empty database
        assert not Path(make_url(database_url).database or "").exists()


def test_a_newer_schema_is_exit_2_and_both_revisions_are_named(shell: Shell, sqlite_url: str, api: Emulator) -> None:
    with open_engine(sqlite_url).begin() as connection:
        connection.exec_driver_sql("UPDATE catalog_sync_version SET version_num = '9999'")
    shell.set(DATABASE_URL=sqlite_url, BASE_URL=api.base_url)
    for command in (*COMMANDS, ("migrate",), ("migrate", "--check"), ("sync", "--migrate")):
        line = error_line(shell(*command), 2)
        assert "9999" in line
        assert HEAD in line
        assert "install a newer catalog-sync" in line


@pytest.mark.parametrize("command", [*COMMANDS, ("migrate",)], ids=" ".join)
def test_a_missing_folder_is_exit_2(shell: Shell, tmp_path: Path, api: Emulator, command: tuple[str, ...]) -> None:
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/catalog.db", BASE_URL=api.base_url)
    remedy = f"make {tmp_path}/nowhere, or correct the URL" if command == ("migrate",) else "run catalog-sync migrate"
    assert remedy in error_line(shell(*command), 2)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", [*COMMANDS, ("migrate",)], ids=" ".join)
def test_a_file_that_is_not_a_database_is_exit_6(
    shell: Shell, tmp_path: Path, api: Emulator, command: tuple[str, ...]
) -> None:
    (tmp_path / "catalog.db").write_text("This is a shopping list and no database at all.\n" * 100)
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path}/catalog.db", BASE_URL=api.base_url)
    line = error_line(shell(*command), 6)
    assert "not a database" in line
    assert "restore a backup of it, or correct CATALOG_SYNC_DATABASE_URL" in line


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "long name"])
@pytest.mark.parametrize("command", [("sync",), ("migrate",), ("models",)], ids=" ".join)
def test_a_path_that_is_not_a_file_is_exit_2_at_once(
    shell: Shell, tmp_path: Path, api: Emulator, kind: str, command: tuple[str, ...]
) -> None:
    path = tmp_path / ("n" * 300 if kind == "long name" else "catalog.db")
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "loop": lambda: path.symlink_to(path)}.get(kind, str)()
    shell.set(DATABASE_URL=f"sqlite:///{path}", BASE_URL=api.base_url)
    line = error_line(shell(*command), 2)
    assert f"at {path} " in line
    assert line.endswith("correct the URL")


def test_a_relative_path_in_a_deleted_folder_is_exit_2(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    shell.set(DATABASE_URL="sqlite:///catalog.db")
    assert "the current folder does not exist" in error_line(shell("migrate"), 2)


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
@pytest.mark.parametrize("command", [*COMMANDS, ("migrate",)], ids=" ".join)
def test_a_server_that_is_down_is_exit_6(shell: Shell, api: Emulator, scheme: str, command: tuple[str, ...]) -> None:
    url = f"{scheme}://me:{PASSWORD}@127.0.0.1:9/catalog"
    shell.set(DATABASE_URL=url, BASE_URL=api.base_url, DATABASE_TIMEOUT="1")
    line = error_line(shell(*command), 6)
    assert without_time(line).startswith("catalog-sync: the database failed: ")
    assert "refused" in line


@pytest.mark.skipif(sys.platform != "linux", reason="the capabilities of root are dropped with a call of Linux")
def test_a_file_that_may_not_be_written_is_exit_6(sqlite_url: str, tmp_path: Path, api: Emulator) -> None:
    file = tmp_path / "catalog.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    file.chmod(0o444)
    environ = environment(tmp_path, DATABASE_URL=sqlite_url, BASE_URL=api.base_url, API_KEY=KEY)
    before = every_row(sqlite_url)
    ended = run_process("sync", environ=environ, preexec_fn=obey_file_modes)
    assert "readonly" in error_line(ended, 6)
    assert "acme" not in output(run_process("models", environ=environ, preexec_fn=obey_file_modes))
    assert every_row(sqlite_url) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the capabilities of root are dropped with a call of Linux")
def test_a_folder_that_may_not_be_written_is_exit_6_with_what_sqlite_needs(sqlite_url: str, tmp_path: Path) -> None:
    environ = environment(tmp_path, DATABASE_URL=sqlite_url)
    tmp_path.chmod(0o555)
    try:
        line = error_line(run_process("models", environ=environ, preexec_fn=obey_file_modes), 6)
    finally:
        tmp_path.chmod(0o755)
    assert "SQLite needs write access to the file and its folder, also to read" in line


def obey_file_modes() -> None:
    """Makes file modes apply to root too, in this process and those that it starts."""
    drop_from_bounding_set, override, read_search = 24, 1, 2
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        assert libc.prctl(drop_from_bounding_set, override, 0, 0, 0) == 0
        assert libc.prctl(drop_from_bounding_set, read_search, 0, 0, 0) == 0


def test_a_full_disk_is_exit_6_and_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    many = [model(f"acme/{number}", number, description="words " * 500) for number in range(400)]
    with emulator([catalog(*many)]) as api:
        environ = environment(tmp_path, DATABASE_URL=sqlite_url, BASE_URL=api.base_url, API_KEY=KEY)
        ended = run_process("sync", environ=environ, preexec_fn=no_large_files)
    assert error_line(ended, 6).startswith("catalog-sync: the database failed: ")
    rows, migrated = every_row(sqlite_url), {"sync_state", "installed_views", "catalog_identity"}
    assert [name for name in rows if rows[name] and name not in migrated] == ["sync_runs"]


def test_a_password_in_an_argument_is_refused(shell: Shell) -> None:
    for url in (f"postgresql://me:{PASSWORD}@host/db", f"mariadb://me:a/b@{PASSWORD}@host/db"):
        for command in (*COMMANDS, ("migrate",), ("import", "file")):
            assert "set CATALOG_SYNC_DATABASE_URL" in error_line(shell(*command, "--database-url", url), 2)


def test_a_password_among_the_options_of_a_url_is_refused(shell: Shell) -> None:
    for url in (f"postgresql://me@host/db?password={PASSWORD}", f"mariadb://me@host/db?passwd={PASSWORD}"):
        shell.set(DATABASE_URL=url)
        assert "user:password@host" in error_line(shell("sync"), 2)
        assert "user:password@host" in error_line(shell("migrate"), 2)
