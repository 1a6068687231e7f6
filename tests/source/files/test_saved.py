"""Saved responses from files with one response, from folders and from JSON Lines."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.errors import ResponseRejected, UsageError
from sync.source.files.saved import read_saved, time_in_name

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def envelope(mode: str) -> bytes:
    return b'{"ok": true, "data": {"mode": "%s", "total": 0, "models": []}}' % mode.encode()


@pytest.mark.parametrize(
    "name",
    [
        "2026-03-01T12:00:00Z.json",
        "image-2026-03-01T12-00-00Z.json",
        "studio_20260301T120000Z.json.gz",
        "20260301-1200.json",
        "2026-03-01 12.00.json",
        "models 2026-03-01_12:00:00+00:00.json",
    ],
)
def test_a_file_name_can_spell_its_time_in_many_ways(name: str) -> None:
    assert time_in_name(name) == NOON


def test_a_date_without_a_time_of_day_is_midnight() -> None:
    assert time_in_name("video-2026-03-01.json") == NOON.replace(hour=0)


@pytest.mark.parametrize(
    "name", ["response.json", "2026-13-01.json", "120260301.json", "2026-03-01T12:00:00+02:00.json"]
)
def test_a_name_without_a_time_in_utc_has_none(name: str) -> None:
    assert time_in_name(name) is None


def test_a_folder_is_read_in_order_of_time_and_the_modes_of_one_time_together(tmp_path: Path) -> None:
    (tmp_path / "video-2026-03-02T00-00.json").write_bytes(envelope("video"))
    (tmp_path / "image-2026-03-01T12-00.json").write_bytes(envelope("image"))
    (tmp_path / "video-2026-03-01T12-00.json.gz").write_bytes(gzip.compress(envelope("video"), mtime=0))
    (tmp_path / "notes.txt").write_text("not a response")

    first, second = read_saved(tmp_path)

    assert (first.at, first.payloads) == (NOON, {"image": envelope("image"), "video": envelope("video")})
    assert (second.at.day, set(second.payloads)) == (2, {"video"})


def test_the_time_of_the_caller_comes_before_that_of_the_file_name(tmp_path: Path) -> None:
    file = tmp_path / "2025-01-01.json"
    file.write_bytes(envelope("all"))

    (found,) = read_saved(file, NOON)

    assert (found.at, found.payloads) == (NOON, {"all": envelope("all")})


def test_json_lines_are_recognised_by_content(tmp_path: Path) -> None:
    file = tmp_path / "export-2026-03-05.json"
    file.write_bytes(b'{"at": "2026-03-01T12:00:00Z", "image": %s}\n' % envelope("image"))

    (found,) = read_saved(file)

    assert found.at == NOON


def test_at_cannot_be_used_with_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "responses.jsonl"
    file.write_bytes(b'{"at": "2026-03-01T12:00:00Z", "image": %s}\n' % envelope("image"))
    with pytest.raises(UsageError, match="leave --at out"):
        list(read_saved(file, NOON))


def test_at_cannot_be_used_with_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        list(read_saved(tmp_path, NOON))


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it has no file"):
        list(read_saved(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("response.json", envelope("image"), "its name has no time"),
        ("2026-03-01.json", b"<html>", "is not a saved response"),
        ("2026-03-01.json", envelope("audio"), "a response for mode audio"),
        ("2026-03-01.json.gz", gzip.compress(envelope("image"), mtime=0)[:-9], "truncated or damaged"),
    ],
)
def test_a_file_without_a_usable_response_is_named(tmp_path: Path, name: str, content: bytes, text: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ResponseRejected, match=text) as caught:
        list(read_saved(tmp_path))
    assert name in str(caught.value)


def test_two_responses_of_the_same_mode_and_time_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "a-2026-03-01.json").write_bytes(envelope("image"))
    (tmp_path / "b-2026-03-01.json").write_bytes(envelope("image"))
    with pytest.raises(ResponseRejected, match="the same time and mode"):
        list(read_saved(tmp_path))


@pytest.mark.parametrize("name", ["responses.jsonl", "2026-03-01.json"])
def test_a_pipe_is_refused_before_it_blocks(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match=f"{name} cannot be read: it is a pipe, and the file is read more than once"):
        list(read_saved(tmp_path / name))


def test_a_name_that_is_too_long_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: File name too long"):
        list(read_saved(tmp_path / ("n" * 300)))
