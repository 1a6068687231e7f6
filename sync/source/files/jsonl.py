"""Saved responses in JSON Lines: each line is what the API responded at one time.

A line is ``{"at": TIME, "image": ENVELOPE, "video": ENVELOPE}``, with one mode or both, or
``{"at": TIME, "all": ENVELOPE}``. The file may be compressed with gzip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sync.catalog.json.surrogates import replace_lone_surrogates
from sync.catalog.response.envelope import BOM
from sync.catalog.text import one_line
from sync.catalog.times import EARLIEST_YEAR
from sync.errors import ResponseRejected
from sync.source import DEFAULT_MAX_BYTES
from sync.source.files.input_file import GZIP_ERRORS, open_file

# Two responses of four times the default MAX_BYTES, because import has no setting for it, and 1 MiB around
# them. It bounds the memory for a file without line breaks.
MAX_LINE_BYTES = 2 * 4 * DEFAULT_MAX_BYTES + 1024 * 1024

_FORM = 'write each line as {"at": TIME, "image": ENVELOPE, "video": ENVELOPE} or {"at": TIME, "all": ENVELOPE}'
_KEY = re.compile(rb'[\s{,]*("(?:[^"\\]|\\.)*")\s*:\s*')


@dataclass(frozen=True)
class SavedResponse:
    """The responses that were saved for one time.

    ``file`` and ``line`` say where they are, ``at`` is their time in UTC. ``payloads`` has the bytes of each
    envelope as they are in the file, under image, video or all.
    """

    file: str
    line: int
    at: datetime
    payloads: dict[str, bytes]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    at: msgspec.Raw
    image: msgspec.Raw = msgspec.Raw()
    video: msgspec.Raw = msgspec.Raw()
    all: msgspec.Raw = msgspec.Raw()


def read_saved_responses(path: Path, max_line: int = MAX_LINE_BYTES) -> Iterator[SavedResponse]:
    """The saved responses of a file in its order, reading one line at a time. Blank lines are skipped.

    Raises ``UsageError`` when the file cannot be read, and ``ResponseRejected`` with file and line number at
    the first invalid line, after the lines before it were yielded.
    """
    for number, line in numbered_lines(path, max_line):
        if line := line.strip():
            yield _read_line(path, number, line)


def is_saved_responses(path: Path) -> bool:
    """Whether the first line of a file is an object with the key ``at``. Raises as reading the file does."""
    first = next((line for _, line in numbered_lines(path, MAX_LINE_BYTES) if line.strip()), b"")
    try:
        return "at" in msgspec.json.decode(first, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def numbered_lines(path: Path, max_line: int) -> Iterator[tuple[int, bytes]]:
    number = 1
    with open_file(path) as file:
        try:
            while line := file.readline(max_line + 1):
                if len(line) > max_line:
                    raise _rejected(path, number, f"cannot be read: it is longer than {max_line} bytes; {_FORM}")
                yield number, line.removeprefix(BOM) if number == 1 else line
                number += 1
        except GZIP_ERRORS as error:
            raise _rejected(
                path, number, "cannot be read: the gzip data is truncated or damaged here; get the file again"
            ) from error


def _read_line(path: Path, number: int, text: bytes) -> SavedResponse:
    try:
        decodable, line = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(path, number, f"{one_line(str(error))}; {_FORM}") from error
    values = {name: bytes(raw) for name, raw in msgspec.structs.asdict(line).items() if raw}
    spans = _value_spans(decodable, values)
    if spans is None:
        raise _invalid(path, number, "a key appears twice; keep one of them")
    payloads = {name: text[span] for name, span in spans.items() if values[name] != b"null"}
    at = _parse_time(path, number, payloads.pop("at", b""))
    if not payloads or ("all" in payloads and len(payloads) > 1):
        raise _invalid(path, number, f"it must have image, video or both, or only all; {_FORM}")
    return SavedResponse(str(path), number, at, payloads)


def _decode(text: bytes) -> tuple[bytes, _Line]:
    """The line, and a text of the same structure and length that msgspec can decode."""
    try:
        return text, msgspec.json.decode(text, type=_Line)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        decodable = replace_lone_surrogates(text)
        return decodable, msgspec.json.decode(decodable, type=_Line)


def _value_spans(text: bytes, values: dict[str, bytes]) -> dict[str, slice] | None:
    """The position of each value in the object ``text``; None when the object has a key twice.

    msgspec keeps the last of several values under one key without an error. Therefore the keys are read one
    after the other: each must be new, and the value that msgspec kept for it must follow.
    """
    spans: dict[str, slice] = {}
    position = 0
    while match := _KEY.match(text, position):
        key = msgspec.json.decode(match[1], type=str)
        if key in spans or not text.startswith(values[key], match.end()):
            return None
        position = match.end() + len(values[key])
        spans[key] = slice(match.end(), position)
    return spans if text[position:].strip() == b"}" else None


def _parse_time(path: Path, number: int, text: bytes) -> datetime:
    try:
        at = datetime.fromisoformat(msgspec.json.decode(text, type=str))
        if at.tzinfo is not None and at.year >= EARLIEST_YEAR:
            return at.astimezone(UTC)
    except (msgspec.DecodeError, ValueError, OverflowError):
        pass
    raise _invalid(path, number, '"at" is not a usable time; write it as 2026-03-01T12:00:00Z, with Z or an offset')


def _invalid(path: Path, number: int, reason: str) -> ResponseRejected:
    return _rejected(path, number, f"is not a saved response: {reason}")


def _rejected(path: Path, number: int, text: str) -> ResponseRejected:
    return ResponseRejected(f"{path} line {number} {text}")
