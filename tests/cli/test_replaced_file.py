"""A file that is replaced as a whole, and what is never replaced."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from sync.cli.process.replaced_file import replace_file
from sync.errors import OutputNotWritten

BEGIN = b"# ours"
OLD, NEW = b"# ours, old", b"# ours, new"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_readable_for_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        replace_file(tmp_path / "m.prom", NEW, BEGIN)
    finally:
        os.umask(before)

    assert (tmp_path / "m.prom").read_bytes() == NEW
    assert (tmp_path / "m.prom").stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["m.prom"]


def test_an_old_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "m.prom").write_bytes(OLD)
    (tmp_path / "far" / "m.prom").chmod(0o640)
    (tmp_path / "m.prom").symlink_to("far/m.prom")
    replace_file(tmp_path / "m.prom", NEW, BEGIN)

    assert (tmp_path / "m.prom").is_symlink()
    assert (tmp_path / "far" / "m.prom").read_bytes() == NEW
    assert (tmp_path / "far" / "m.prom").stat().st_mode & 0o777 == 0o640
    assert names(tmp_path / "far") == ["m.prom"]


def test_what_is_no_file_of_ours_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "database").write_bytes(b"SQLite format 3")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "empty").touch()
    before = names(tmp_path)
    for name, reason in {
        "fifo": "not a regular file",
        "folder": "Is a directory",
        "database": "another file with this name",
        "loop": "Too many levels",
        "no/such": "No such file or directory",
        "empty/m.prom": "Not a directory",
        "n\0l": "null",
        "x" * 300: "File name too long",
    }.items():
        with pytest.raises(OutputNotWritten, match=reason):
            replace_file(tmp_path / name, NEW, BEGIN)
    with pytest.raises(OutputNotWritten, match="not a regular file"):
        replace_file(Path("/dev/null"), NEW, BEGIN)

    assert names(tmp_path) == before
    replace_file(tmp_path / "empty", NEW, BEGIN)
    assert (tmp_path / "empty").read_bytes() == NEW


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "m.prom").write_bytes(OLD)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputNotWritten, match="No space left on device"):
        replace_file(tmp_path / "m.prom", NEW, BEGIN)

    assert (tmp_path / "m.prom").read_bytes() == OLD
    assert names(tmp_path) == ["m.prom"]


def test_what_killed_processes_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    for name in (".m[1].prom.abc.part", ".m[1].prom.def.part", ".other.abc.part"):
        (tmp_path / name).touch()
    hours_ago = time.time() - 7200
    for name in (".m[1].prom.abc.part", ".other.abc.part"):
        os.utime(tmp_path / name, (hours_ago, hours_ago))
    replace_file(tmp_path / "m[1].prom", NEW, BEGIN)

    assert names(tmp_path) == [".m[1].prom.def.part", ".other.abc.part", "m[1].prom"]
