"""Saved answers: JSON Lines that ``import`` reads as if the API had been asked at those times.

A line is ``{"at": TIME, "image": ENVELOPE, "video": ENVELOPE}``, with either mode alone, or
``{"at": TIME, "all": ENVELOPE}``. The file may be compressed with gzip.
"""

from __future__ import annotations

import gzip
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedIOBase
from pathlib import Path

import msgspec

from sync.catalog.json.surrogates import replace_lone_surrogates
from sync.catalog.response.envelope import BOM
from sync.catalog.text import one_line
from sync.errors import ResponseRejected, UsageError

# Two answers of the default MAX_BYTES and something around them; a longer line is no saved answer.
MAX_LINE = 2 * 128 * 1024 * 1024 + 1024 * 1024

GZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)
_GZIP = b"\x1f\x8b"
_FORM = 'each line must be {"at": TIME, "image": ENVELOPE, "video": ENVELOPE} or {"at": TIME, "all": ENVELOPE}'
_EARLIEST_YEAR = 2000  # no such API is older; an earlier time is a slip, and would fill the calendar
_KEY = re.compile(rb'[\s{,]*("(?:[^"\\]|\\.)*")\s*:\s*')


@dataclass(frozen=True)
class SavedResponse:
    """One line of the file.

    ``at`` is in UTC; ``payloads`` has the bytes of each envelope as they stand in the file, under
    image, video or all.
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


def read_saved_responses(path: Path, max_line: int = MAX_LINE) -> Iterator[SavedResponse]:
    """The saved answers of a file in its order, one line in memory at a time; blank lines left out.

    Raises ``UsageError`` when the file cannot be opened, and ``ResponseRejected`` naming file and line
    at the first line that is not of this form; those before it have been given by then.
    """
    for number, line in _lines(path, max_line):
        if line := line.strip():
            yield _read_line(path, number, line)


def is_saved_responses(path: Path) -> bool:
    """Whether the first line of a file looks like a saved answer. Raises as reading it does."""
    first = next((line for _, line in _lines(path, MAX_LINE) if line.strip()), b"")
    try:
        return "at" in msgspec.json.decode(first, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


@contextmanager
def open_file(path: Path) -> Iterator[BufferedIOBase]:
    """The bytes of a file, unpacked when they are gzip, whatever its name says.

    Raises ``UsageError`` when it cannot be opened or read, and for a pipe: opening that may never end.
    """
    try:
        if stat.S_ISFIFO(path.stat().st_mode):
            raise UsageError(f"{path} is a pipe, and is to be read more than once: save what it gives to a file first")
        with path.open("rb") as file:
            compressed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            if not compressed:
                yield file
                return
            with gzip.open(file) as unpacked:
                yield unpacked
    except gzip.BadGzipFile:
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}; check the path") from error


def _lines(path: Path, max_line: int) -> Iterator[tuple[int, bytes]]:
    number = 1
    with open_file(path) as file:
        try:
            while line := file.readline(max_line + 1):
                if len(line) > max_line:
                    raise _bad(path, number, f"is longer than {max_line} bytes; {_FORM}")
                yield number, line.removeprefix(BOM) if number == 1 else line
                number += 1
        except GZIP_ERRORS as error:
            raise _bad(
                path, number, "cannot be read: its gzip data is cut or damaged here; get the file anew"
            ) from error


def _read_line(path: Path, number: int, text: bytes) -> SavedResponse:
    try:
        decodable, line = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(path, number, f"is no saved answer ({one_line(str(error))}); {_FORM}") from error
    found = {name: bytes(raw) for name, raw in msgspec.structs.asdict(line).items() if raw}
    places = _places(decodable, found)
    if places is None:
        raise _bad(path, number, "has a key twice; keep one of them")
    values = {name: text[place] for name, place in places.items() if found[name] != b"null"}
    at = _time(path, number, values.pop("at", b""))
    if not values or ("all" in values and len(values) > 1):
        raise _bad(path, number, f"must have image, video or both, or else all; {_FORM}")
    return SavedResponse(str(path), number, at, values)


def _decode(text: bytes) -> tuple[bytes, _Line]:
    """The line, and a text of the same structure and length that the decoder takes."""
    try:
        return text, msgspec.json.decode(text, type=_Line)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        decodable = replace_lone_surrogates(text)
        return decodable, msgspec.json.decode(decodable, type=_Line)


def _places(text: bytes, values: dict[str, bytes]) -> dict[str, slice] | None:
    """Where each value stands in the object ``text``; None when the object has a key twice.

    The decoder keeps the last of several without a word. So the keys are walked through: each must
    be new and be followed by the value that was kept for it.
    """
    places: dict[str, slice] = {}
    position = 0
    while found := _KEY.match(text, position):
        key = msgspec.json.decode(found[1], type=str)
        if key in places or not text.startswith(values[key], found.end()):
            return None
        position = found.end() + len(values[key])
        places[key] = slice(found.end(), position)
    return places if text[position:].strip() == b"}" else None


def _time(path: Path, number: int, text: bytes) -> datetime:
    try:
        at = datetime.fromisoformat(msgspec.json.decode(text, type=str))
        if at.tzinfo is not None and at.year >= _EARLIEST_YEAR:
            return at.astimezone(UTC)
    except (msgspec.DecodeError, ValueError, OverflowError):
        pass
    raise _bad(path, number, "has no usable time; write at as 2026-03-01T12:00:00Z, with Z or an offset")


def _bad(path: Path, number: int, fault: str) -> ResponseRejected:
    return ResponseRejected(f"{path} line {number} {fault}")
