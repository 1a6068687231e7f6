"""``--checkpoint-file`` of sync and schedule: a checkpoint after each run that was stored, and never a run less."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync.source.emulator.server import Emulator
from tests.cli.conftest import Shell
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import (
    environment,
    error_line,
    eventually,
    finished,
    output,
    run_process,
    started,
    without_time,
)
from tests.support.database_contents import query_rows
from tests.support.rude_server import RudeServer, response, says
from tests.support.secrets_search import KEY

MANY = [*numbered_models(30), *numbered_models(20, "video")]
LAST = "SELECT seal_no + 1, tree_root FROM seals ORDER BY seal_no DESC"


@pytest.fixture
def api() -> Iterator[Emulator]:
    with Emulator([catalog(*MANY), catalog(*MANY[:30])]) as emulator:
        yield emulator


@pytest.fixture
def synced(shell: Shell, migrated_url: str, api: Emulator) -> Shell:
    shell.set(DATABASE_URL=migrated_url, BASE_URL=api.base_url)
    return shell


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints.txt"


def test_each_run_that_is_stored_appends_the_checkpoint_of_now(synced: Shell, file: Path) -> None:
    first = output(synced("sync", "--checkpoint-file", str(file), "--mode", "image"))
    begin = output(synced("checkpoint"))
    assert file.read_text() == begin
    size, root = begin.split("\n")[1:3]
    assert first.endswith(f"; {size} seal, root {root}\n")

    synced.set(CHECKPOINT_FILE=str(file))
    document = json.loads(synced("sync", "--json").out)
    catalog_id = begin.split("\n")[0].partition("/")[2]
    assert document["checkpoint"] == {"catalog_id": catalog_id, "tree_size": 2, "root": document["checkpoint"]["root"]}
    assert file.read_text() == begin + output(synced("checkpoint"))
    assert document["checkpoint"]["root"] in file.read_text()
    assert "2 checkpoints hold" in output(synced("verify", "--checkpoint", str(file)))


def test_a_held_run_is_sealed_and_keeps_its_exit_code(synced: Shell, file: Path, migrated_url: str) -> None:
    output(synced("sync"))
    error_line(synced("sync", "--checkpoint-file", str(file)), 7)

    assert file.read_text() == output(synced("checkpoint"))
    assert query_rows(migrated_url, LAST)[0][0] == 2


def test_a_failed_run_and_a_dry_run_append_nothing(synced: Shell, file: Path, migrated_url: str) -> None:
    document = json.loads(output(synced("sync", "--json", "--dry-run", "--checkpoint-file", str(file))))
    assert document["checkpoint"] is None
    with RudeServer(image=says(response("500 No", b"")), video=says(response("500 No", b""))) as rude:
        ended = synced("sync", "--checkpoint-file", str(file), "--base-url", rude.url, "--attempts", "1")
    error_line(ended, 4)

    assert "seal" not in ended.out
    assert not file.exists()
    assert query_rows(migrated_url, LAST) == []


def test_a_file_that_cannot_be_written_loses_neither_the_run_nor_its_outcome(
    synced: Shell, tmp_path: Path, migrated_url: str
) -> None:
    missing = tmp_path / "missing" / "file"
    ended = synced("sync", "--checkpoint-file", str(missing))
    assert error_line(ended, 1) == (
        f"catalog-sync: the checkpoint of the run was not kept: {missing} could not be written: No such file or"
        f" directory; the run is stored: make {missing} writable, then run catalog-sync checkpoint >> {missing}"
    )
    assert ended.out.startswith("run 1 success: ")

    document = json.loads(synced("sync", "--json", "--checkpoint-file", "/dev/full", "--mode", "image").out)
    assert (document["exit_code"], document["errors"][0]["exit_code"]) == (1, 1)
    assert "No space left" in document["errors"][0]["message"]

    line = error_line(synced("sync", "--checkpoint-file", "/dev/full"), 7)
    assert "held back" in line
    assert "; also: the checkpoint of the run was not kept: /dev/full could not be written: No space left" in line
    assert query_rows(migrated_url, LAST)[0][0] == 3


@pytest.mark.parametrize("content", [b"SQLite format 3\0", b"From: a", b"\0"])
def test_another_file_is_refused_before_anything_happens(
    synced: Shell, file: Path, migrated_url: str, content: bytes
) -> None:
    file.write_bytes(content)

    for command in (["sync"], ["schedule", "--every", "1h"]):
        line = without_time(error_line(synced(*command, "--checkpoint-file", str(file)), 2))
        assert line == (f"catalog-sync: the checkpoint file {file} holds something else; give the name of another file")
    assert "is a folder" in error_line(synced("sync", "--checkpoint-file", str(file.parent)), 2)
    assert file.read_bytes() == content
    assert query_rows(migrated_url, "SELECT run_id FROM sync_runs") == []


def test_a_pipe_that_nobody_reads_is_not_waited_for(synced: Shell, file: Path, migrated_url: str) -> None:
    os.mkfifo(file)
    line = error_line(synced("sync", "--checkpoint-file", str(file)), 1)
    assert "the checkpoint of the run was not kept" in line
    assert query_rows(migrated_url, "SELECT status FROM sync_runs") == [("success",)]


def test_after_a_cut_checkpoint_the_next_ones_are_whole(synced: Shell, file: Path) -> None:
    file.write_text("catalog-sync/3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d\n4")

    output(synced("sync", "--checkpoint-file", str(file)))

    line = error_line(synced("verify", "--checkpoint", str(file)), 2)
    assert "is not whole: line 3: " in line
    assert "1 checkpoint holds" in line


def test_runs_at_once_append_to_one_file(migrated_url: str, api: Emulator, file: Path, tmp_path: Path) -> None:
    """Whatever their order: each that is stored leaves its checkpoint, and each holds."""
    environ = environment(
        tmp_path, DATABASE_URL=migrated_url, API_KEY=KEY, BASE_URL=api.base_url, CHECKPOINT_FILE=str(file)
    )
    with ThreadPoolExecutor(6) as pool:
        modes = ["image", "video"] * 3
        ended = [*pool.map(lambda mode: run_process("sync", "--mode", mode, environ=environ), modes)]

    [(size, _), *_] = query_rows(migrated_url, LAST)
    assert size == sum("seal" in each.out for each in ended) == file.read_text().count("catalog-sync/")
    verified = run_process("verify", "--checkpoint", str(file), environ=environ)
    assert f"{size} checkpoints hold, up to {size} seals" in output(verified)


def test_a_schedule_appends_after_each_run_and_says_when_it_cannot(
    sqlite_url: str, api: Emulator, file: Path, tmp_path: Path
) -> None:
    environ = environment(tmp_path, DATABASE_URL=sqlite_url, API_KEY=KEY, BASE_URL=api.base_url)
    arguments = ("schedule", "--every", "1s", "--mode", "image")

    with started(*arguments, environ=environ | {"CATALOG_SYNC_CHECKPOINT_FILE": str(file)}) as process:
        eventually(lambda: file.exists() and file.read_text().count("catalog-sync/") >= 2)
        process.send_signal(signal.SIGTERM)
        ended = finished(process)
    assert (ended.code, ended.err) == (0, "")

    with started(*arguments, "--checkpoint-file", str(tmp_path / "no" / "file"), environ=environ) as process:
        eventually(lambda: len(query_rows(sqlite_url, LAST)) > 4)
        process.send_signal(signal.SIGTERM)
        ended = finished(process)
    assert ended.code == 0
    assert "the checkpoint of the run was not kept" in ended.err.splitlines()[0]
