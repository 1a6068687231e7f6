"""The names and records of an archive, and reading them when they are damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync.errors import ResponseRejected, UsageError
from sync.source.archive.names import ArchiveName, Kind, parse_name
from sync.source.archive.reader import read_archive, response_of_record, responses_in
from sync.source.archive.record import Received, ReceivingRun, public_headers
from sync.source.archive.writer import ArchiveWriter
from sync.source.files.saved import read_saved, time_in_name

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
NAME = ArchiveName(NOON, "image", "a" * 64, Kind.BODY)


@pytest.mark.parametrize("kind", Kind)
def test_a_name_is_read_as_it_was_written_and_import_finds_its_time(kind: Kind) -> None:
    name = ArchiveName(NOON, "video", "0123456789abcdef" * 4, kind)
    assert parse_name(str(name)) == name
    assert time_in_name(str(name)) == NOON


@pytest.mark.parametrize(
    "text",
    [
        str(NAME).upper(),
        str(NAME).replace("image", "audio"),
        str(NAME).replace("2026-03-01", "2026-13-01"),
        str(NAME).replace("2026", "9999"),
        str(NAME).replace("2026", "1999"),
        str(NAME).replace(".123456", ""),
        str(NAME)[:-5],
        str(NAME) + "\n",
        str(NAME) + ".gz",
        "٢" + str(NAME)[1:],
    ],
)
def test_what_is_no_name_of_an_archive(text: str) -> None:
    assert parse_name(text) is None


@pytest.mark.parametrize(
    ("name", "value", "public"),
    [
        ("Set-Cookie", "a=b", "[hidden]"),
        ("set-cookie2", "a=b", "[hidden]"),
        ("AUTHORIZATION", "x", "[hidden]"),
        ("X-Amz-Security-Token", "x", "[hidden]"),
        ("X-Goog-Signature", "x", "[hidden]"),
        ("Location", "https://u:p@a.example/t?q#f", "https://[hidden]@a.example/[hidden]"),
        ("Location", "/login/secret", "[hidden]"),
        ("Link", '<https://a.example/b?sig=1>; rel="next"', '<https://a.example/b?[hidden]>; rel="next"'),
        ("Origin-Agent-Cluster", "?1", "?1"),
        ("Date", "Sun, 01 Mar 2026 12:00:00 GMT", "Sun, 01 Mar 2026 12:00:00 GMT"),
        ("ETag", 'W/"abc"', 'W/"abc"'),
        ("X-Echo", "you sent hush", "you sent ****"),
        ("X-Long", "x" * 5000, "x" * 997 + "..."),
        ("X-Control", "a\x1b[31mb", "a [31mb"),
    ],
)
def test_headers_in_a_record(name: str, value: str, public: str) -> None:
    assert public_headers({name: value}, lambda text: text.replace("hush", "****")) == {name: public}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    body = b'{"ok": true, "data": {"mode": "image", "total": 0, "models": []}}'
    received = Received("image", body, 200, {}, NOON, NOON, "https://a.example")
    ArchiveWriter(tmp_path).keep(ReceivingRun("c", 1, NOON, "0"), [received])
    return tmp_path


def record_file(folder: Path) -> Path:
    return next(folder.glob("*.meta.json"))


def change(**values: Any) -> Callable[[bytes], bytes]:
    return lambda text: json.dumps({**json.loads(text), **values}).encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda text: text[:-40],
        lambda _: b"\xff\xfe",
        lambda _: b"[" * 100_000,
        change(run_id="one"),
        change(sha256="b" * 64),
        change(mode="video"),
        change(error="rejected"),
        change(observed_at="2026-03-01T12:00:00Z"),
        change(asked_at="0001-01-01T00:00:00+14:00"),
        change(received_at="yesterday"),
        change(file="../../etc/passwd"),
        change(catalog_sync_response=2),
    ],
)
def test_a_damaged_record_is_named(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    file = record_file(folder)
    file.write_bytes(damage(file.read_bytes()))
    (record,) = read_archive([folder]).records
    assert record.problem
    assert record.problem.isprintable()
    assert len(list(read_saved(folder))) == 1, "the names are enough for an import"


def test_a_record_alone_is_no_response(folder: Path) -> None:
    file = record_file(folder)
    next(path for path in folder.iterdir() if path != file).unlink()
    for read in (lambda: responses_in([file]), lambda: response_of_record(file)):
        with pytest.raises(ResponseRejected, match="is a record without its body; copy the whole folder"):
            read()


def test_a_body_alone_is_a_response(folder: Path) -> None:
    record_file(folder).unlink()
    (found,) = read_saved(folder)
    assert found.at == NOON


def test_what_is_not_a_file_of_an_archive_is_unknown_to_verify(folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "lost+found").mkdir()
    (folder / ".hidden").write_text("x")
    os.mkfifo(folder / str(NAME))
    (folder / str(NAME).replace("image", "video")).symlink_to(folder / "nothing")
    assert len(read_archive([folder]).unknown) == 3


def test_a_folder_that_is_gone_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the folder does not exist"):
        read_archive([tmp_path / "gone"])
