"""Texts appended to a file: each is there as a whole or not at all, whoever else appends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync.cli.process.appended_file import append_to_file
from sync.errors import OutputNotWritten
from tests.support.commands import ROOT

TEXT = "one\ntwo\n\n"

_APPEND_WITH_LIMIT = """
import resource, sys
from pathlib import Path
from sync.cli.process.appended_file import append_to_file
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    append_to_file(Path(sys.argv[1]), "x" * 50 + "\\n\\n", "\\n\\n")
except Exception as error:
    print(error)
"""


def test_texts_follow_each_other_and_a_missing_file_is_made(tmp_path: Path) -> None:
    file = tmp_path / "file"

    append_to_file(file, TEXT, "\n\n")
    append_to_file(file, TEXT, "\n\n")

    assert file.read_text() == TEXT + TEXT
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("cut", ["one\ntw", "one\ntwo\n", "\n"])
def test_a_cut_text_before_is_set_apart(tmp_path: Path, cut: str) -> None:
    file = tmp_path / "file"
    file.write_text(cut)

    append_to_file(file, TEXT, "\n\n")

    assert file.read_text() == cut + "\n\n" + TEXT


def test_twenty_at_once_do_not_come_between_each_other(tmp_path: Path) -> None:
    file = tmp_path / "file"
    texts = [f"{number}\n" * 50 + "\n" for number in range(20)]

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda text: append_to_file(file, text, "\n\n"), texts * 5))

    assert sorted(part + "\n\n" for part in file.read_text().split("\n\n")[:-1]) == sorted(texts * 5)


def test_a_text_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(TEXT)
    command = [sys.executable, "-c", _APPEND_WITH_LIMIT, str(file), str(len(TEXT) + 20)]

    line = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert line == f"{file} could not be written: File too large\n"
    assert file.read_text() == TEXT


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text").write_text("")

    for path, reason in {
        tmp_path / "missing" / "file": "No such file or directory",
        tmp_path / "text" / "file": "Not a directory",
        tmp_path: "Is a directory",
        tmp_path / "pipe": "No such device or address",
        tmp_path / ("x" * 300): "File name too long",
        Path("/dev/full"): "No space left on device",
    }.items():
        with pytest.raises(OutputNotWritten, match=re.escape(f"{path} could not be written: {reason}")):
            append_to_file(path, TEXT, "\n\n")


def test_a_device_takes_it(tmp_path: Path) -> None:
    append_to_file(Path("/dev/null"), TEXT, "\n\n")
