"""Writing to an archive: kills, full disks and several writers leave only whole files under final names."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sync.errors import ArchiveNotWritten, UsageError
from sync.source.archive import writer
from sync.source.archive.names import parse_name
from sync.source.archive.record import Received, ReceivingRun, read_record
from sync.source.archive.writer import ArchiveWriter

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def run(number: int = 1) -> ReceivingRun:
    return ReceivingRun("c", number, NOON + timedelta(hours=number), "0")


def received(body: bytes = b"{}", mode: str = "image") -> Received:
    return Received(mode, body, 200, {}, NOON, NOON, "https://a.example/studio/models")


BOTH = [received(b'{"image": 1}'), received(b'{"video": 1}', "video")]


def whole_files(folder: Path) -> dict[str, bytes]:
    """What has a final name; fails unless each body has the hash of its name and each record its body."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}
    for text, content in files.items():
        name = parse_name(text)
        assert name is not None, text
        if name.kind.is_record:
            assert read_record(content).file in files
        else:
            assert hashlib.sha256(content).hexdigest() == name.sha256
    return files


@pytest.fixture
def nth_call(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], list[int]]:
    """Runs an action at the nth call that writes, syncs or renames; the list has the number of the calls so far."""

    def at(number: int, action: Callable[[], object]) -> list[int]:
        calls = [0]

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def counting(*arguments: Any) -> Any:
                calls[0] += 1
                if calls[0] == number:
                    action()
                return call(*arguments)

            return counting

        monkeypatch.setattr(writer, "_write_bytes", counted(writer._write_bytes))
        monkeypatch.setattr(os, "fsync", counted(os.fsync))
        monkeypatch.setattr(Path, "replace", counted(Path.replace))
        return calls

    return at


def number_of_calls() -> int:
    """Two bodies and two records: each is written, synced and renamed, and the folder is synced."""
    return 4 * 4


@pytest.mark.parametrize("number", range(1, number_of_calls() + 1))
def test_a_kill_at_any_call_leaves_whole_files_and_the_next_run_adds_what_is_missing(
    tmp_path: Path, nth_call: Callable[[int, Callable[[], object]], list[int]], number: int
) -> None:
    child = os.fork()
    if child == 0:
        nth_call(number, lambda: os._exit(9))
        ArchiveWriter(tmp_path).keep(run(1), BOTH)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    whole_files(tmp_path)
    ArchiveWriter(tmp_path).keep(run(2), BOTH)
    files = whole_files(tmp_path)
    assert sorted(content for name, content in files.items() if ".meta." not in name) == [each.body for each in BOTH]
    assert len([name for name in files if ".meta." in name]) == 2


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG])
@pytest.mark.parametrize("number", range(1, number_of_calls() + 1))
def test_a_disk_that_fails_at_any_call_is_exit_6_and_leaves_no_part_of_a_file(
    tmp_path: Path, nth_call: Callable[[int, Callable[[], object]], list[int]], number: int, code: int
) -> None:
    def fail() -> None:
        raise OSError(code, os.strerror(code))

    calls = nth_call(number, fail)
    with pytest.raises(ArchiveNotWritten, match="nothing of the responses was stored") as caught:
        ArchiveWriter(tmp_path).keep(run(), BOTH)
    assert caught.value.outcome == 6
    assert len(list(tmp_path.iterdir())) == len(whole_files(tmp_path)), "a part is left"
    if number <= 8:  # all is written before the first file gets its name
        assert whole_files(tmp_path) == {}
    calls[0] = number
    ArchiveWriter(tmp_path).keep(run(2), BOTH)
    assert {name for name in whole_files(tmp_path) if ".meta." not in name}


def test_the_calls_are_those_that_the_tests_count(
    tmp_path: Path, nth_call: Callable[[int, Callable[[], object]], list[int]]
) -> None:
    calls = nth_call(0, int)
    ArchiveWriter(tmp_path).keep(run(), BOTH)
    assert calls == [number_of_calls()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        # Without the right to mount, a limit on the size of files makes the same call fail.
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limits[1]))
        yield folder
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        return
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    archive = ArchiveWriter(small_disk)
    archive.keep(run(1), [received(b"a" * 1000)])
    before = whole_files(small_disk)
    with pytest.raises(ArchiveNotWritten, match=r"No space left on device|File too large"):
        archive.keep(run(2), [received(b"b" * 100), received(b"c" * 100_000, "video")])
    assert {path.name: path.read_bytes() for path in small_disk.iterdir()} == before
    archive.keep(run(3), [received(b"d" * 1000)])
    assert len(whole_files(small_disk)) == len(before) + 2


def test_twenty_runs_at_once_write_each_body_once(tmp_path: Path) -> None:
    def work(number: int) -> None:
        for each in range(5):
            ArchiveWriter(tmp_path).keep(run(10 * number + each), [received(b"%d" % each), received(b"x", "video")])

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=work, args=(number,)) for number in range(20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 20
    bodies = [content for name, content in whole_files(tmp_path).items() if ".meta." not in name]
    assert sorted(bodies) == [b"0", b"1", b"2", b"3", b"4", b"x"]


def test_what_a_killed_run_left_is_removed_after_an_hour(tmp_path: Path) -> None:
    old, new = tmp_path / ".a.1-2.part", tmp_path / ".b.1-2.part"
    for path, age in ((old, 7200), (new, 60)):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age,) * 2)
    ArchiveWriter(tmp_path).keep(run(), BOTH)
    assert not old.exists()
    assert new.exists()


def test_a_body_that_was_cut_is_written_again(tmp_path: Path) -> None:
    ArchiveWriter(tmp_path).keep(run(1), [received(b"whole")])
    (body,) = [path for path in tmp_path.iterdir() if ".meta." not in path.name]
    body.write_bytes(b"wh")
    ArchiveWriter(tmp_path).keep(run(2), [received(b"whole")])
    assert b"whole" in [path.read_bytes() for path in tmp_path.iterdir()]


def test_the_largest_responses_are_written_without_a_copy_in_memory(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from tests.source.archive.test_archive_writer import *\n"
        "body = [received(b'i' * 2**25), received(b'v' * 2**25, 'video')]\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "ArchiveWriter(Path(sys.argv[1])).keep(run(), body)\n"
        "from sync.source.archive.reader import read_archive; read_archive([Path(sys.argv[1])])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(ended.stdout) < 8 * 1024  # KiB


@pytest.mark.parametrize("before", [0, 65_530, 200_000])
def test_a_secret_anywhere_in_a_large_page_keeps_it_out(tmp_path: Path, before: int) -> None:
    archive = ArchiveWriter(tmp_path, lambda text: text.replace("TheSecretOfTheProxy", "[hidden]"))
    page = replace(received("é".encode() * before + b"TheSecretOfTheProxy."), is_catalog=False, error="unreachable")
    archive.keep(run(), [page, replace(page, body=page.body[:-10], mode="video")])
    assert [parse_name(path.name).mode for path in tmp_path.iterdir()] == ["video", "video"]  # type: ignore[union-attr]


def test_a_folder_that_disappears_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the folder does not exist"):
        ArchiveWriter(tmp_path / "gone").keep(run(), BOTH)


def test_a_file_system_that_is_read_only_is_a_usage_error(
    tmp_path: Path, nth_call: Callable[[int, Callable[[], object]], list[int]]
) -> None:
    def fail() -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    nth_call(1, fail)
    with pytest.raises(UsageError, match="the file system is read-only; mount it writable"):
        ArchiveWriter(tmp_path).keep(run(), BOTH)
