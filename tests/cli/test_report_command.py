"""The command ``report``: the file that it writes, and when it writes none."""

from __future__ import annotations

import errno
import gzip
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models_db.engine import open_engine
from sync.cli.commands.report import DEFAULT_PERIOD, report_period
from sync.errors import DatabaseError, UsageError
from tests.cli.conftest import Shell
from tests.support.commands import environment, error_line, finished, output, run_process, started
from tests.support.eventful_history import make_history
from tests.support.run_driver import Host

NOW = datetime(2026, 3, 10, tzinfo=UTC)
PERIOD = ("--since", "2026-03-01", "--until", "2026-03-10")


@pytest.fixture
def history(shell: Shell, sqlite_url: str) -> str:
    """The URL of a database with every kind of event, which is also that of the shell."""
    engine = open_engine(sqlite_url)
    make_history(Host(engine))
    engine.dispose()
    shell.set(DATABASE_URL=sqlite_url)
    return sqlite_url


def test_the_report_has_the_models_and_its_size_is_printed(shell: Shell, history: str, tmp_path: Path) -> None:
    file = tmp_path / "costs.html"
    printed = output(shell("report", str(file), *PERIOD, "--title", "Costs of March"))

    assert re.fullmatch(rf"wrote the report to {file} \(\d+ kB\)\n", printed)
    html = file.read_text()
    assert html.startswith("<!doctype html>")
    assert "<title>Costs of March</title>" in html
    assert "other-3" in html
    assert output(shell("report", str(file), *PERIOD, "--quiet")) == ""


def test_filters_leave_the_others_out(shell: Shell, history: str, tmp_path: Path) -> None:
    file = tmp_path / "costs.html"
    output(shell("report", str(file), *PERIOD, "--mode", "video"))
    assert "other-3" not in file.read_text()
    assert "mode video" in file.read_text()
    output(shell("report", str(file), *PERIOD, "--provider", "nobody"))
    assert "provider nobody" in file.read_text()
    assert "other-3" not in file.read_text()


def test_a_dash_is_stdout_and_a_name_in_gz_is_compressed(history: str, shell: Shell, tmp_path: Path) -> None:
    printed = run_process("report", "-", *PERIOD, environ=environment(tmp_path, DATABASE_URL=history))
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.startswith("<!doctype html>")
    for _ in range(2):
        output(shell("report", str(tmp_path / "costs.html.gz"), *PERIOD))
    assert gzip.decompress((tmp_path / "costs.html.gz").read_bytes()).startswith(b"<!doctype html>")


def test_a_full_disk_or_a_bad_path_is_named_and_leaves_no_file(shell: Shell, history: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert "make room" in error_line(shell("report", "/dev/full", *PERIOD), 1)
    assert "it is a folder" in error_line(shell("report", str(tmp_path), *PERIOD), 2)
    assert "check the path" in error_line(shell("report", str(tmp_path / "missing/a.html"), *PERIOD), 2)
    assert sorted(tmp_path.iterdir()) == before


def test_a_report_that_fails_leaves_the_last_one(
    shell: Shell, history: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "costs.html"
    output(shell("report", str(file), *PERIOD))
    before = file.read_bytes()

    def fail(*_: object) -> None:
        raise DatabaseError("the database failed")

    monkeypatch.setattr("sync.store.report.held_modes", fail)
    error_line(shell("report", str(file), *PERIOD), 6)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "costs" in path.name] == ["costs.html"]


def test_a_disk_that_fills_while_it_is_written_leaves_the_last_one(
    shell: Shell, history: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "costs.html"
    output(shell("report", str(file), *PERIOD))
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device; make room there" in error_line(shell("report", str(file), *PERIOD), 1)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "costs" in path.name] == ["costs.html"]


@pytest.mark.parametrize(
    "content",
    [b"notes\n", b"<!doctype html><p>mine", gzip.compress(b"notes", mtime=0), b"\xff\x00"],
    ids=["text", "html", "gz", "bytes"],
)
def test_a_file_that_is_no_report_is_not_replaced(shell: Shell, history: str, tmp_path: Path, content: bytes) -> None:
    for name in ("notes.html", "notes.gz"):
        (tmp_path / name).write_bytes(content)
        assert "that is no report" in error_line(shell("report", str(tmp_path / name), *PERIOD), 2)
        assert (tmp_path / name).read_bytes() == content
    assert "that is no report" in error_line(shell("report", history.removeprefix("sqlite:///"), *PERIOD), 2)


def test_a_path_that_cannot_be_a_file_is_refused(shell: Shell, history: str, tmp_path: Path) -> None:
    (tmp_path / "loop.html").symlink_to("loop.html")
    (tmp_path / "notes.txt").write_bytes(b"notes")

    for name, reason in (
        ("y" * 300, "cannot be written: File name too long; give another name"),
        ("loop.html", "cannot be written: Too many levels of symbolic links; give another name"),
        ("missing/../notes.txt", "that is no report"),
    ):
        assert reason in error_line(shell("report", str(tmp_path / name), *PERIOD), 2)
    assert (tmp_path / "notes.txt").read_bytes() == b"notes"


def test_an_empty_file_is_replaced(shell: Shell, history: str, tmp_path: Path) -> None:
    (tmp_path / "costs.html").write_bytes(b"")
    output(shell("report", str(tmp_path / "costs.html"), *PERIOD))
    assert (tmp_path / "costs.html").stat().st_size > 1000


@pytest.mark.parametrize(
    "period",
    [("--since", "2026-03-02", "--until", "2026-03-01"), ("--since", "9999-01-01"), ("--until", "0001-01-01")],
    ids=" ".join,
)
def test_an_empty_period_is_refused(shell: Shell, history: str, tmp_path: Path, period: tuple[str, ...]) -> None:
    assert "the period is empty" in error_line(shell("report", str(tmp_path / "costs.html"), *period), 2)
    assert not (tmp_path / "costs.html").exists()


def test_a_period_ends_now_at_the_latest_and_has_90_days() -> None:
    assert report_period(None, None, NOW).since == NOW - DEFAULT_PERIOD
    assert report_period(None, datetime(9999, 1, 1, tzinfo=UTC), NOW).until == NOW
    earliest = datetime(1, 1, 2, tzinfo=UTC)
    assert report_period(None, earliest, NOW).since == datetime(1, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="the period is empty"):
        report_period(NOW, NOW, NOW)


@pytest.mark.parametrize(
    ("period", "says"),
    [
        (("--until", "2001-01-01"), "the history begins at 2026-03-01 10:00 UTC"),
        (("--since", "0001-01-01"), "2026-03-01 10:00 to "),
    ],
)
def test_a_period_beyond_the_history_has_a_report(
    shell: Shell, history: str, tmp_path: Path, period: tuple[str, ...], says: str
) -> None:
    output(shell("report", str(tmp_path / "costs.html"), *period))
    assert says in (tmp_path / "costs.html").read_text()


def test_an_empty_catalog_has_a_report(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    output(shell("report", str(tmp_path / "costs.html")))
    assert "no successful sync yet" in (tmp_path / "costs.html").read_text()


def test_the_same_catalog_at_the_same_time_gives_the_same_bytes(
    shell: Shell, history: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.cli.options.now", lambda: NOW)
    files = [tmp_path / "a.html", tmp_path / "b.html"]
    for file in files:
        output(shell("report", str(file)))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_reader_that_leaves_early_ends_the_command_quietly(history: str, tmp_path: Path) -> None:
    read, write = os.pipe()
    with started("report", "-", *PERIOD, environ=environment(tmp_path, DATABASE_URL=history), stdout=write) as process:
        os.close(write)
        assert os.read(read, 100)
        os.close(read)
        assert finished(process).err == ""
