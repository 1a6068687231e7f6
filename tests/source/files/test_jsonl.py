"""Saved responses in JSON Lines."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.errors import ResponseRejected, UsageError
from sync.source.files.jsonl import SavedResponse, read_saved_responses

_AT = '"at": "2026-03-01T12:00:00Z"'
_IMAGE = '{"ok": true,  "data": {"total": 5.000}}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "saved.jsonl"


def read(file: Path, *lines: str) -> list[SavedResponse]:
    file.write_text("\n".join(lines), encoding="utf-8")
    return list(read_saved_responses(file))


def rejection(file: Path, *lines: str) -> str:
    with pytest.raises(ResponseRejected) as caught:
        read(file, *lines)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_line_is_a_time_and_the_bytes_of_its_envelopes(file: Path) -> None:
    [saved] = read(file, f'{{{_AT}, "video": {{}}, "image": {_IMAGE}}}')
    assert saved.file == str(file)
    assert saved.line == 1
    assert saved.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert saved.payloads == {"image": _IMAGE.encode(), "video": b"{}"}


@pytest.mark.parametrize("mode", ["image", "video", "all"])
def test_one_envelope_is_enough(file: Path, mode: str) -> None:
    [saved] = read(file, f'{{"{mode}": {_IMAGE}, {_AT}}}')
    assert saved.payloads == {mode: _IMAGE.encode()}


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00Z", "2026-03-01T14:00:00+02:00", "2026-03-01 12:00:00.000000+00:00"]
)
def test_times_of_any_zone_are_returned_in_utc(file: Path, text: str) -> None:
    [saved] = read(file, json.dumps({"at": text, "image": {}}))
    assert saved.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert saved.at.tzinfo is UTC


def test_blank_lines_are_skipped_but_counted(file: Path) -> None:
    line = f'{{{_AT}, "image": {{}}}}'
    assert [saved.line for saved in read(file, "", line, "  ", line, "")] == [2, 4]


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(file: Path) -> None:
    assert len(read(file, f'\ufeff{{{_AT}, "image": {{}}}}\r', f'{{{_AT}, "image": {{}}}}\r', "")) == 2


@pytest.mark.parametrize("name", ["saved.jsonl.gz", "saved.jsonl"])
def test_gzip_is_recognised_by_content(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(f'{{{_AT}, "image": {{}}}}\n'.encode()))
    assert len(list(read_saved_responses(file))) == 1


def test_plain_text_under_a_gzip_name_is_read(tmp_path: Path) -> None:
    assert len(read(tmp_path / "saved.jsonl.gz", f'{{{_AT}, "image": {{}}}}')) == 1


def test_an_empty_file_has_no_responses(file: Path) -> None:
    assert read(file, "") == []


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "null",
        "nonsense",
        f'{{{_AT}, "image": {{}}}} {{}}',
        f'{{{_AT}, "image": {{"a": }}}}',
        f'{{{_AT}, "audio": {{}}}}',
        f'{{{_AT}, "image": {{}}, "note": 1}}',
        f"{{{_AT}}}",
        '{"image": {}}',
        f'{{{_AT}, "all": {{}}, "image": {{}}}}',
        f'{{{_AT}, "image": {"[" * 100_000}',
        '{"at": 5, "image": {}}',
        '{"at": null, "image": {}}',
        '{"at": "2026-03-01T12:00:00", "image": {}}',
        '{"at": "2026-03-01", "image": {}}',
        '{"at": "yesterday", "image": {}}',
        '{"at": "0001-01-01T00:00:00+05:00", "image": {}}',
        '{"at": "\\ud800", "image": {}}',
    ],
)
def test_a_line_of_another_form_is_rejected_with_its_number(file: Path, line: str) -> None:
    message = rejection(file, f'{{{_AT}, "image": {{}}}}', line)
    assert message.startswith(f"{file} line 2 ")


@pytest.mark.parametrize(
    "line",
    [
        f'{{{_AT}, {_AT}, "image": {{}}}}',
        f'{{"at": "2025-01-01T00:00:00Z", {_AT}, "image": {{}}}}',
        f'{{{_AT}, "image": {{}}, "image": {{}}}}',
        f'{{{_AT}, "image": {{"a": 1}}, "image": {{}}}}',
        f'{{{_AT}, "image": {{}}, "\\u0069mage": {{"a": 1}}}}',
        f'{{{_AT}, "image": 12, "image": 1}}',
        f'{{{_AT}, "image": 1, "image": 12}}',
    ],
)
def test_a_key_that_appears_twice_is_rejected(file: Path, line: str) -> None:
    assert "a key appears twice" in rejection(file, line)


@pytest.mark.parametrize(
    "line",
    [
        f'{{{_AT}, "image": {{"image": {{}}, "at": "x"}}, "video": {{"image": 1}}}}',
        f'\t{{ "video" :\t{{}} , {_AT} , "image" : [ 1 , 2 ]\t}} ',
        '{"\\u0061t": "2026-03-01T12:00:00Z", "image": "}", "video": "\\"at\\":"}',
    ],
)
def test_keys_inside_an_envelope_are_not_counted(file: Path, line: str) -> None:
    assert set(read(file, line)[0].payloads) == {"image", "video"}


def test_the_responses_before_an_invalid_line_are_yielded(file: Path) -> None:
    file.write_text(f'{{{_AT}, "image": {{}}}}\n{{', encoding="utf-8")
    assert next(read_saved_responses(file)).line == 1


def test_truncated_gzip_is_rejected_at_the_line_where_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "saved.jsonl.gz"
    packed = gzip.compress(f'{{{_AT}, "image": {{}}}}\n'.encode() * 3, 0)
    file.write_bytes(packed[:-30])
    with pytest.raises(ResponseRejected, match="line 3 cannot be read: the gzip data is truncated"):
        list(read_saved_responses(file))


def test_gzip_without_its_trailer_is_rejected_though_every_line_was_there(tmp_path: Path) -> None:
    file = tmp_path / "saved.jsonl.gz"
    file.write_bytes(gzip.compress(f'{{{_AT}, "image": {{}}}}\n'.encode())[:-4])
    responses = read_saved_responses(file)
    with pytest.raises(ResponseRejected, match="gzip"):
        list(responses)


def test_a_line_without_an_end_is_rejected_at_the_limit(file: Path) -> None:
    file.write_bytes(b"[" * 2000)
    with pytest.raises(ResponseRejected, match="line 1 cannot be read: it is longer than 1000 bytes"):
        list(read_saved_responses(file, max_line=1000))


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_opened_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_saved_responses(tmp_path / name))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "saved.jsonl.gz"
    line = f'{{{_AT}, "image": {{"padding": "{"x" * 100_000}"}}}}\n'.encode()
    with gzip.open(file, "wb", 1) as out:
        out.writelines(itertools.repeat(line, 300))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_saved_responses(file)) == 300
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_a_lone_surrogate_in_a_model_leaves_its_bytes_as_they_are(tmp_path: Path) -> None:
    envelope = rb'{"ok":true,"data":{"models":[{"id":"a","name":"\ud800"},{"id":"b"}]}}'
    path = tmp_path / "saved.jsonl"
    path.write_bytes(rb'{"at":"2026-03-01T12:00:00Z","image":' + envelope + b"}\n")
    (saved,) = read_saved_responses(path)
    assert saved.payloads == {"image": envelope}


def test_a_mode_that_is_null_counts_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "saved.jsonl"
    path.write_bytes(b'{"at":"2026-03-01T12:00:00Z","image":{"ok":true},"video":null}\n')
    (saved,) = read_saved_responses(path)
    assert set(saved.payloads) == {"image"}
