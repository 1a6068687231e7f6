"""The file that ``export`` writes: whole or not at all, compressed, or on stdout."""

from __future__ import annotations

import gzip
import json
import os
import pty
import signal
import stat
import time
from pathlib import Path

import pytest

from sync.catalog.export.lines import Line, encode
from sync.errors import DatabaseError
from tests.cli.conftest import Shell
from tests.cli.moves.conftest import Mover
from tests.support.commands import environment, error_line, finished, output, run_process, started


def test_a_name_that_ends_in_gz_is_compressed_and_a_dash_is_stdout(mover: Mover, source: str, tmp_path: Path) -> None:
    plain = mover.export(source).read_bytes()
    packed = mover.export(source, name="history.JSONL.GZ").read_bytes()
    assert gzip.decompress(packed) == plain
    assert mover.export(source, name="history.JSONL.GZ").read_bytes() == packed
    printed = run_process("export", "-", environ=environment(tmp_path, DATABASE_URL=source))
    assert (printed.code, printed.err, printed.out) == (0, "", plain.decode())


def test_a_file_is_replaced_whole_and_stays_if_the_export_fails(
    mover: Mover, source: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = mover.export(source)
    before = file.read_bytes()
    assert mover.export(source).read_bytes() == before

    def fail(*_: object) -> None:
        raise DatabaseError("the database failed")

    monkeypatch.setattr("sync.store.export.first_calendar_day", fail)
    assert "the database failed" in error_line(shell("export", str(file)), 6)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "history" in path.name] == ["history.jsonl"]


def test_a_file_that_cannot_be_written_is_named(shell: Shell, source: str, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=source)
    assert "it is a folder" in error_line(shell("export", str(tmp_path)), 2)
    assert "check the path" in error_line(shell("export", str(tmp_path / "missing/history.jsonl")), 2)
    assert output(shell("export", os.devnull)).startswith("exported ")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    assert "make room" in error_line(shell("export", "/dev/full"), 1)


def test_a_file_that_is_no_export_is_not_replaced(shell: Shell, source: str, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=source)
    for content in (b"notes\n", gzip.compress(b"notes")[:-4], b'{"at": "2026-03-01T00:00:00Z"}\n', b"\xff\x00"):
        (tmp_path / "notes").write_bytes(content)
        assert "that is no export" in error_line(shell("export", str(tmp_path / "notes")), 2)
        assert (tmp_path / "notes").read_bytes() == content
    database = source.removeprefix("sqlite:///")
    assert "that is no export" in error_line(shell("export", database), 2)
    (tmp_path / "notes").write_bytes(b"")
    assert output(shell("export", str(tmp_path / "notes"))).startswith("exported ")


def test_a_link_is_followed(mover: Mover, source: str, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    mover.export(source)
    assert (tmp_path / "history.jsonl").is_symlink()
    assert json.loads((tmp_path / "elsewhere.jsonl").read_text().splitlines()[0])["line"] == "export"


def test_a_signal_ends_the_export_without_a_file(
    shell: Shell, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.set(DATABASE_URL=source)

    def encode_after_signal(line: Line) -> bytes:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)  # the main thread handles it
        return encode(line)

    monkeypatch.setattr("sync.run.export.encode", encode_after_signal)
    assert "was not written" in error_line(shell("export", str(tmp_path / "history.jsonl")), 143)
    assert [path.name for path in tmp_path.iterdir() if "history" in path.name] == []


def test_a_terminal_shows_progress(source: str, tmp_path: Path) -> None:
    reader, terminal = pty.openpty()
    environ = environment(tmp_path, DATABASE_URL=source) | {"TERM": "xterm", "COLUMNS": "100"}
    with started("export", str(tmp_path / "history.jsonl"), environ=environ, stderr=terminal) as process:
        os.close(terminal)
        printed = finished(process)
    progress = os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert printed.out.startswith("exported ")
    assert "runs exported" in progress
