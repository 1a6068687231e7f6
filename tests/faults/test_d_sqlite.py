"""Faults D5 to D10 and D12 on SQLite: locks, full disks, files and drives, and checks that SQLite omits by default."""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
import time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, make_url
from sqlalchemy.exc import IntegrityError

from models_db.engine import open_engine, sqlite, write_transaction
from models_db.tables import credits
from tests.cli.conftest import Shell
from tests.cli.test_database_failures import obey_file_modes
from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line, finished, output
from tests.support.database_contents import query_rows
from tests.support.rude_server import RudeServer, response, says
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])
MANY = [model(f"acme/many-{number}", number, description="words " * 500) for number in range(400)]
MAX_FILE_BYTES = 1_500_000  # more than the synced database, less than MANY take


def file_of(synced: SyncedDatabase) -> Path:
    return Path(make_url(synced.url).database or "")


@pytest.fixture
def synced(synced_sqlite: SyncedDatabase) -> SyncedDatabase:
    """All tests in this file use SQLite."""
    return synced_sqlite


def other_writer(synced: SyncedDatabase) -> sqlite3.Connection:
    other = sqlite3.connect(file_of(synced), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_d5_another_writer_is_waited_for(synced: SyncedDatabase) -> None:
    other = other_writer(synced)
    with RudeServer(image=RAISED, video=video()) as api, synced.process("sync", api=api) as process:
        time.sleep(1.5)
        assert process.poll() is None
        other.execute("ROLLBACK")
        other.close()
        output(finished(process))
    assert synced.events() == ["increase"]
    synced.verify()


def test_d5_another_writer_that_does_not_finish_is_exit_6(synced: SyncedDatabase) -> None:
    before = synced.catalog()
    other = other_writer(synced)
    line = error_line(synced.sync("--database-timeout", "2", image=RAISED), 6)
    other.close()

    assert "database is locked" in line
    synced.require_unchanged(before)


def test_d5_a_lock_taken_during_the_fetch_is_one_line_and_the_next_run_marks_the_run_abandoned(
    synced: SyncedDatabase,
) -> None:
    before, writers = synced.catalog(), []

    def lock_and_respond(peer: object, stop: object) -> None:
        writers.append(other_writer(synced))
        says(response("200 OK", envelope(LISTED)))(peer, stop)  # type: ignore[arg-type] # the script takes a socket

    line = error_line(synced.sync("--mode", "image", "--database-timeout", "2", image=lock_and_respond), 6)
    writers[0].close()

    assert "database is locked" in line
    assert synced.query(STATUS) == [("success",), ("running",)]
    synced.require_unchanged(before)
    synced.succeeds()
    assert synced.query(STATUS) == [("success",), ("abandoned",), ("success",)]


def limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))


def test_d6_a_file_that_cannot_grow_is_exit_6_and_nothing_changes(synced: SyncedDatabase) -> None:
    before = synced.catalog()
    options = {"preexec_fn": limit_file_size}
    large = image([*LISTED, *MANY])
    with RudeServer(image=large, video=video()) as api, synced.process("sync", api=api, options=options) as process:
        line = error_line(finished(process), 6)

    assert line.startswith("catalog-sync: the database failed: ")
    assert "nothing of this step was stored" in line
    synced.require_unchanged(before)


class FullDisk(sqlite3.Connection):
    """Ignores the switch to a write-ahead log, as SQLite does without an error when the disk has one page left."""

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return super().execute(
            "PRAGMA journal_mode" if statement.startswith("PRAGMA journal_mode") else statement, *values
        )


def test_d6_a_new_file_without_a_log_is_opened_without_endless_retries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=FullDisk))
    connection = sqlite.open_file(tmp_path / "catalog.db", create=True, lock_timeout=1)
    assert connection.execute("PRAGMA page_count").fetchone() == (0,)
    connection.close()


def test_d7_a_read_only_file_is_exit_6(synced: SyncedDatabase) -> None:
    with sqlite3.connect(file_of(synced)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    file_of(synced).chmod(0o444)
    before = synced.catalog()
    options = {"preexec_fn": obey_file_modes}
    with RudeServer(image=RAISED, video=video()) as api, synced.process("sync", api=api, options=options) as process:
        assert "readonly" in error_line(finished(process), 6)
    synced.require_unchanged(before)


def test_d7_a_missing_folder_or_a_mistyped_path_is_exit_2_and_creates_no_file(shell: Shell, tmp_path: Path) -> None:
    for path in ("nowhere/catalog.db", "cataolg.db"):
        shell.set(DATABASE_URL=f"sqlite:///{tmp_path}/{path}")
        for command in (["sync"], ["models"], ["status"], ["sync", "--dry-run"]):
            assert "run catalog-sync migrate" in error_line(shell(*command), 2)
    assert list(tmp_path.iterdir()) == []


MOUNTS = "rootfs / ext4 rw 0 0\nhost:/export {folder} {kind} rw,vers=4 0 0\nproc /proc proc rw 0 0\n"


def on_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Lists the folder of the test as a drive of this kind: the machine of the tests has no network drive."""
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.format(folder=str(tmp_path.resolve()).replace(" ", "\\040"), kind=kind))
    monkeypatch.setattr(sqlite, "MOUNTS", mounts)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_d8_a_new_file_on_a_network_drive_has_no_log_and_is_noted(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    on_drive(tmp_path, monkeypatch, kind)
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path}/new.db")
    assert f"note: {tmp_path}/new.db is on a network drive ({kind})" in output(shell("migrate"))
    with RudeServer(image=image(), video=video()) as api:
        assert "is on a network drive" in output(shell("sync", "--base-url", api.url))

    assert query_rows(f"sqlite:///{tmp_path}/new.db", "PRAGMA journal_mode") == [("delete",)]
    assert "network drive" in query_rows(f"sqlite:///{tmp_path}/new.db", "SELECT note FROM sync_runs")[0][0]


def test_d8_a_file_with_a_log_on_a_network_drive_is_refused(
    synced: SyncedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = synced.catalog()
    on_drive(tmp_path, monkeypatch, "nfs")
    for command in (["sync"], ["models"], ["migrate"]):
        line = error_line(synced.shell(*command), 2)
        assert "write-ahead log, which loses data on a network drive (nfs)" in line
    monkeypatch.undo()
    assert synced.catalog() == before


@pytest.mark.parametrize("kind", ["ext4", "xfs", "tmpfs", "overlay", "fuse.fuse-overlayfs", "fuseblk"])
def test_d8_a_local_drive_is_not_a_network_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    on_drive(tmp_path, monkeypatch, kind)

    assert sqlite.network_drive(tmp_path / "a.db") is None


def test_d9_a_copy_of_the_file_alone_lacks_rows_and_vacuum_into_has_them_all(
    synced: SyncedDatabase, tmp_path: Path
) -> None:
    reader = sqlite3.connect(file_of(synced))  # an open reader keeps new rows in the write-ahead log
    reader.execute("SELECT COUNT(*) FROM models").fetchone()
    synced.succeeds(image=RAISED)
    shutil.copyfile(file_of(synced), tmp_path / "copied.db")
    reader.execute("VACUUM INTO ?", [str(tmp_path / "backup.db")])
    reader.close()

    with sqlite3.connect(tmp_path / "copied.db") as copied:
        tables = copied.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    copied.close()
    # Depending on the last checkpoint the copy lacks the last run, or even the schema.
    assert tables == (0,) or query_rows(f"sqlite:///{tmp_path}/copied.db", STATUS) != synced.query(STATUS)
    synced.shell.set(DATABASE_URL=f"sqlite:///{tmp_path}/backup.db")
    output(synced.shell("verify"))
    assert query_rows(f"sqlite:///{tmp_path}/backup.db", STATUS) == synced.query(STATUS)


def test_d10_a_cost_that_a_double_cannot_represent_is_exact_as_text(synced: SyncedDatabase) -> None:
    digits = "123456789012.12345678"
    body = envelope(LISTED).replace(b'"default_cost": 1', f'"default_cost": {digits}'.encode(), 1)
    synced.succeeds(image=says(response("200 OK", body)))
    synced.succeeds(image=says(response("200 OK", body)))

    assert synced.costs()["acme/image-0"] == digits
    assert synced.events() == ["increase"]
    row = json.loads(output(synced.shell("costs", "acme/image-0", "--json")))
    assert digits in json.dumps(row)
    (stored,) = synced.query("SELECT default_cost FROM credits WHERE default_cost_exact = '123456789012.12345678'")[0]
    assert Decimal(str(stored)) != Decimal(digits)  # this column is for sums and averages


def test_d12_a_row_without_its_model_is_refused(synced: SyncedDatabase) -> None:
    engine = open_engine(synced.url)
    with pytest.raises(IntegrityError), write_transaction(engine) as connection:
        connection.execute(insert(credits).values(model_pk=999))
    engine.dispose()
    synced.verify()
